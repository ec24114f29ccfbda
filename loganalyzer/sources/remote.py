"""Reads inputs from URLs: HTTP and object stores, as streams of bounded size. Needs the extra `remote`."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar, cast

from loganalyzer.common.errors import SourceError, install_hint
from loganalyzer.sources import archives
from loganalyzer.sources.members import archive_members
from loganalyzer.sources.urls import HTTP, STORES, Address, mask_secrets

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

Item = TypeVar("Item")

MAX_BYTES: Final = archives.MAX_UNPACKED_BYTES
"""A longer stream is rejected: it may never end."""
CONNECT_TIMEOUT_S: Final = 20
READ_TIMEOUT_S: Final = 60
"""Timeout while a server sends nothing."""

_BLOCK: Final = 4 << 20
_OTHERS_CONTINUE: Final = "the other inputs are still analyzed"
_EXTRAS: Final = {
    "http": "remote", "https": "remote", "s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs",
    "az": "azure", "abfs": "azure", "abfss": "azure",
}  # fmt: skip
"""The extra that installs the library of a scheme."""


def expand_url(url: str, address: Address, is_log: Callable[[str], bool]) -> list[str]:
    """The URLs of all matching objects: those that match a pattern, the logs in a folder, or the URL itself.

    Raises:
        SourceError: there are none, or the store does not answer.
    """
    if address.scheme in HTTP:
        return [url]
    with _translate_failures(address):
        store, path = _open_store(url, address)
        if any(sign in path for sign in "*[") and not store.exists(path):
            found, wanted = store.glob(path, detail=True), "no object matches"
        elif url.endswith("/") or store.isdir(path):
            within = store.find(path, detail=True)
            found, wanted = {name: item for name, item in within.items() if is_log(name)}, "no logs in this folder"
        else:
            return [url]
        names = sorted(name for name, item in found.items() if item["type"] == "file")
        if not names:
            raise SourceError(f"{address.shown}: {wanted}", _OTHERS_CONTINUE)
        return [_url_of(name, store, url, address) for name in names]


def _url_of(name: str, store: AbstractFileSystem, url: str, address: Address) -> str:
    """The URL of a listed object, with the host and account of the requested URL, which its name may lack."""
    start = url[: len(address.scheme) + 3] + address.authority
    inside = name.lstrip("/")
    for path in (inside.partition("/")[2], inside):
        if store._strip_protocol(f"{start}/{path}") == name:
            return f"{start}/{path}"
    return str(store.unstrip_protocol(name))


def read_object(url: str, address: Address) -> Iterator[bytes]:
    """The bytes of one object in order, decompressed according to the suffix of its path.

    Raises:
        SourceError: it cannot be read, or exceeds the limit.
    """
    with _translate_failures(address), _open_object(url, address) as file:
        yield from archives.decompress(file, address.without_query)


def read_archive(url: str, address: Address, wanted: Callable[[str], bool]) -> Iterator[tuple[str, archives.Content]]:
    """As `archive_members`. The archive is stored in a temporary file, since its index may be at its end.

    Raises:
        SourceError: as `read_object`, also while members are read.
    """
    with _translate_failures(address), tempfile.TemporaryFile() as archive:
        with _open_object(url, address) as file:
            for chunk in archives.read_blocks(file):
                archive.write(chunk)
        archive.seek(0)
        for member, content in archive_members(cast("IO[bytes]", archive), address.without_query, wanted):
            yield member, _translate_errors(address, content) if isinstance(content, Iterator) else content


def _translate_errors(address: Address, given: Iterator[Item]) -> Iterator[Item]:
    with _translate_failures(address):
        yield from given


class _LimitedStream(io.RawIOBase):
    """A stream that fails once it exceeds the limit."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name, self._left = file, name, MAX_BYTES

    def readable(self) -> bool:
        """True: the stream is read-only."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes, and at most one block at a time."""
        data = self._file.read(_BLOCK if size < 0 else min(size, _BLOCK))
        self._left -= len(data)
        if self._left < 0:
            raise SourceError(f"{self._name}: larger than {MAX_BYTES >> 20} MiB", "download and split it first")
        return bytes(data)


@contextmanager
def _open_object(url: str, address: Address) -> Iterator[IO[bytes]]:
    store, path = _open_store(url, address)
    # One GET and nothing else: many signed URLs do not allow HEAD. A given size keeps fsspec from requesting it.
    options: dict[str, Any] = {"block_size": 0, "size": 1} if address.scheme in HTTP else {"block_size": _BLOCK}
    with store.open(path, "rb", **options) as file:
        yield cast("IO[bytes]", _LimitedStream(file, address.shown))


def _open_store(url: str, address: Address) -> tuple[AbstractFileSystem, str]:
    """The file system behind a scheme, and the object's path in it."""
    if address.scheme not in HTTP | STORES:
        known = ", ".join(sorted(HTTP | STORES))
        hint = "pass the file's path" if address.scheme in ("file", "local") else f"supported schemes: {known}"
        raise SourceError(f"{address.shown}: this kind of URL is not supported", hint)
    try:
        import fsspec
    except ImportError:
        raise _missing_extra_error("remote", address) from None
    try:
        kind = fsspec.get_filesystem_class(address.scheme)
        options = kind._get_kwargs_from_urls(url) | (_http_options(url) if address.scheme in HTTP else {})
        return kind(**options), str(kind._strip_protocol(url))
    except ImportError as error:
        if address.scheme not in _EXTRAS:
            raise SourceError(f"{address.shown}: cannot be read: {error}", "install the missing package") from None
        raise _missing_extra_error(_EXTRAS[address.scheme], address) from None


def _missing_extra_error(extra: str, address: Address) -> SourceError:
    return SourceError(f"{address.shown}: needs an optional dependency", install_hint(extra))


def _http_options(url: str) -> dict[str, Any]:
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=READ_TIMEOUT_S)
    return {"client_kwargs": {"timeout": timeout, "trust_env": True}, "encoded": "%" in url}


@contextmanager
def _translate_failures(address: Address) -> Iterator[None]:
    """Turns every error of a store into one message with the URL, without secrets."""
    try:
        yield
    except SourceError:
        raise
    except Exception as error:  # noqa: BLE001 -- each store's library raises errors of its own
        raise SourceError(
            f"{address.shown}: cannot be read: {_describe_failure(error, address)}", _OTHERS_CONTINUE
        ) from None


def _describe_failure(error: Exception, address: Address) -> str:
    status = getattr(error, "status", None)
    if isinstance(error, FileNotFoundError):
        return "not found"
    if isinstance(error, TimeoutError):
        return "timed out"
    if type(error).__name__ == "TooManyRedirects":
        return "too many redirects"
    if status:
        return f"the server answered {status} {getattr(error, 'message', '')}".rstrip()
    message = " ".join(mask_secrets(str(error), address).split())
    return message or type(error).__name__
