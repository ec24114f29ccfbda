"""Reads HTTP and HTTPS URLs with the standard library: one GET, with timeouts, in one stream of bounded size."""

from __future__ import annotations

import base64
import http.client
import io
import ipaddress
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, Any, Final, cast
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlsplit

from loganalyzer.common.version import __version__
from loganalyzer.sources import archives
from loganalyzer.sources.url_streams import LimitedStream
from loganalyzer.sources.urls import HTTP, Address

CONNECT_TIMEOUT_S: Final = 20
READ_TIMEOUT_S: Final = 60
"""Timeout while a server sends nothing."""

_SAFE: Final = "/%:@!$&'()*+,;=~?[]"
"""Characters that stay as written in a path or query; others, such as blanks, are percent-encoded."""


@contextmanager
def open_http(address: Address, most: int | None = None) -> Iterator[IO[bytes]]:
    """The body of the answer to one GET, without the compression that the server added; at most `most` bytes of it.

    Raises:
        Exception: as `urllib` and `http.client` raise them; `url_streams.translate_failures` makes messages of them.
    """
    credentials, _, host = address.authority.rpartition("@")
    query = "" if address.query is None else f"?{quote(address.query, _SAFE)}"
    request = urllib.request.Request(  # noqa: S310 -- the opener has handlers for HTTP alone
        f"{address.scheme}://{host}{quote(address.path, _SAFE) or '/'}{query}",
        headers={"User-Agent": f"loganalyze/{__version__}", "Accept": "*/*"},
    )
    if credentials:
        token = base64.b64encode(unquote(credentials).encode("utf-8", "replace")).decode("ascii")
        request.add_unredirected_header("Authorization", f"Basic {token}")
    with _send(request, _opener(host)) as answer:
        body: IO[bytes] = cast("IO[bytes]", LimitedStream(cast("IO[bytes]", _WholeBody(answer)), address.shown, most))
        if _is_packed_for_transport(answer, address):
            body = cast("IO[bytes]", LimitedStream(_unpack(body, address.shown), address.shown, most))
        yield body


def _send(request: urllib.request.Request, opener: urllib.request.OpenerDirector) -> http.client.HTTPResponse:
    try:
        return cast("http.client.HTTPResponse", opener.open(request))
    except HTTPError as error:
        error.close()
        raise


def _opener(host: str) -> urllib.request.OpenerDirector:
    """An opener that reads nothing but HTTP: a redirect to a file or to FTP is an error."""
    opener = urllib.request.OpenerDirector()
    handlers: list[urllib.request.BaseHandler] = [
        _HttpHandler(), _HttpsHandler(), _SameHostCredentials(), urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(), urllib.request.UnknownHandler(),
    ]  # fmt: skip
    if not _is_this_machine(host):
        handlers.append(urllib.request.ProxyHandler())
    for handler in handlers:
        opener.add_handler(handler)
    return opener


def _is_this_machine(host: str) -> bool:
    """Whether the host is this machine, which a proxy cannot reach."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


class _TimeoutsMixin:
    """Separate timeouts for connecting and for reading."""

    def connect(self) -> None:
        connection = cast("Any", self)
        connection.timeout = CONNECT_TIMEOUT_S
        cast("Any", super()).connect()
        connection.sock.settimeout(READ_TIMEOUT_S)


class _HttpConnection(_TimeoutsMixin, http.client.HTTPConnection):
    pass


class _HttpsConnection(_TimeoutsMixin, http.client.HTTPSConnection):
    pass


class _HttpHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_HttpConnection, req)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_HttpsConnection, req)


class _SameHostCredentials(urllib.request.HTTPRedirectHandler):
    """Sends credentials again after a redirect on the same host, and to no other host."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        *answer: Any,  # noqa: ANN401 -- as urllib has it
    ) -> urllib.request.Request | None:
        body, code, _, headers, target = answer
        if urlsplit(target).scheme not in HTTP:
            raise HTTPError(req.full_url, code, "redirects to another scheme", headers, body)
        following = super().redirect_request(req, *answer)
        credentials = req.unredirected_hdrs.get("Authorization")
        if following and credentials and (following.type, following.host) == (req.type, req.host):
            following.add_unredirected_header("Authorization", credentials)
        return following


class _WholeBody(io.RawIOBase):
    """The body of an answer. A body that is shorter than announced ends with an error, not silently."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self._answer = answer

    def read(self, size: int = -1, /) -> bytes:
        data = self._answer.read1(size)
        if not data and size and self._answer.length:
            raise ConnectionError("the connection broke off")
        return data


def _is_packed_for_transport(answer: http.client.HTTPResponse, address: Address) -> bool:
    """Whether the server compressed the body. It also says so of a file that is compressed itself."""
    is_file = PurePosixPath(address.path.lower()).suffix in (".gz", ".tgz")
    return answer.headers.get("Content-Encoding", "").strip().lower() in ("gzip", "x-gzip") and not is_file


def _unpack(body: IO[bytes], name: str) -> IO[bytes]:
    return cast("IO[bytes]", _Blocks(archives.decompress_as(".gz", body, name)))


class _Blocks(io.RawIOBase):
    """A file of blocks that are made one after the other."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, b""

    def read(self, size: int = -1, /) -> bytes:
        self._rest = self._rest or next(self._blocks, b"")
        end = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:end], self._rest[end:]
        return data
