"""Inputs behind URLs: HTTP and object stores, read in one stream each, within bounds. Needs the extra `remote`."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar, cast

from loganalyzer.common.errors import SourceError, install_hint
from loganalyzer.sources import archives
from loganalyzer.sources.urls import HTTP, STORES, Address, without_secrets

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

Item = TypeVar("Item")

MOST_BYTES: Final = archives.LARGEST_UNPACKED
"""A stream that goes on for longer is refused: it may never end."""
CONNECT_S: Final = 20
SILENCE_S: Final = 60
"""So long a server may say nothing."""

_BLOCK: Final = 4 << 20
_GOES_ON: Final = "the other inputs are analysed without it"
_EXTRAS: Final = {
    "http": "remote", "https": "remote", "s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs",
    "az": "azure", "abfs": "azure", "abfss": "azure",
}  # fmt: skip
"""What brings the library of a scheme."""


def expand(url: str, address: Address, is_log: Callable[[str], bool]) -> list[str]:
    """The URLs of the objects meant: of a pattern those that fit, of a folder the logs in it, else the very one.

    Raises:
        SourceError: there is none, or the store cannot be asked.
    """
    if address.scheme in HTTP:
        return [url]
    with _failures_of(address):
        store, path = _store(url, address)
        if any(sign in path for sign in "*[") and not store.exists(path):
            found, wanted = store.glob(path, detail=True), "no object matches"
        elif url.endswith("/") or store.isdir(path):
            within = store.find(path, detail=True)
            found, wanted = {name: item for name, item in within.items() if is_log(name)}, "no log in this folder"
        else:
            return [url]
        names = sorted(name for name, item in found.items() if item["type"] == "file")
        if not names:
            raise SourceError(f"{address.shown}: {wanted}", _GOES_ON)
        return [_url_of(name, store, url, address) for name in names]


def _url_of(name: str, store: AbstractFileSystem, url: str, address: Address) -> str:
    """The URL of an object listed, with the host and account of the URL asked for, which its name may lack."""
    start = url[: len(address.scheme) + 3] + address.authority
    inside = name.lstrip("/")
    for path in (inside.partition("/")[2], inside):
        if store._strip_protocol(f"{start}/{path}") == name:
            return f"{start}/{path}"
    return str(store.unstrip_protocol(name))


def chunks(url: str, address: Address) -> Iterator[bytes]:
    """The bytes of one object in order, unpacked by the suffix of its path.

    Raises:
        SourceError: it cannot be read, or is larger than the bound.
    """
    with _failures_of(address), _opened(url, address) as file:
        yield from archives.unpacked(file, address.place)


def zip_members(
    url: str, address: Address, wanted: Callable[[str], bool]
) -> Iterator[tuple[str, Iterator[bytes] | None]]:
    """As `packed.zip_members`. The archive is kept in a file meanwhile: its index stands at its end.

    Raises:
        SourceError: as `chunks`; so do the members while they are read.
    """
    with _failures_of(address), tempfile.TemporaryFile() as kept:
        with _opened(url, address) as file:
            for chunk in archives.plain(file):
                kept.write(chunk)
        for member, content in archives.zip_members(cast("IO[bytes]", kept), address.place, wanted):
            yield member, None if content is None else _clear(address, content)


def _clear(address: Address, given: Iterator[Item]) -> Iterator[Item]:
    with _failures_of(address):
        yield from given


class _Bounded(io.RawIOBase):
    """A stream that gives up once too much has come."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name, self._left = file, name, MOST_BYTES

    def readable(self) -> bool:
        """It is for reading only."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, and never more than a block at once."""
        data = self._file.read(_BLOCK if size < 0 else min(size, _BLOCK))
        self._left -= len(data)
        if self._left < 0:
            raise SourceError(f"{self._name}: goes on after {MOST_BYTES >> 20} MiB", "fetch it yourself, and cut it")
        return bytes(data)


@contextmanager
def _opened(url: str, address: Address) -> Iterator[IO[bytes]]:
    store, path = _store(url, address)
    # One GET and nothing else: many a signed URL allows no HEAD. A size that is told keeps fsspec from asking for it.
    options: dict[str, Any] = {"block_size": 0, "size": 1} if address.scheme in HTTP else {"block_size": _BLOCK}
    with store.open(path, "rb", **options) as file:
        yield cast("IO[bytes]", _Bounded(file, address.shown))


def _store(url: str, address: Address) -> tuple[AbstractFileSystem, str]:
    """The file system behind a scheme, and the object's path in it."""
    if address.scheme not in HTTP | STORES:
        known = ", ".join(sorted(HTTP | STORES))
        hint = "name the file by its path" if address.scheme in ("file", "local") else f"known are {known}"
        raise SourceError(f"{address.shown}: URLs of this kind are not read", hint)
    try:
        import fsspec
    except ImportError:
        raise _without("remote", address) from None
    try:
        kind = fsspec.get_filesystem_class(address.scheme)
        options = kind._get_kwargs_from_urls(url) | (_http_options(url) if address.scheme in HTTP else {})
        return kind(**options), str(kind._strip_protocol(url))
    except ImportError as error:
        if address.scheme not in _EXTRAS:
            raise SourceError(f"{address.shown}: cannot be read: {error}", "install what it names") from None
        raise _without(_EXTRAS[address.scheme], address) from None


def _without(extra: str, address: Address) -> SourceError:
    return SourceError(f"{address.shown}: reading this needs an extra", install_hint(extra))


def _http_options(url: str) -> dict[str, Any]:
    import aiohttp

    patience = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
    return {"client_kwargs": {"timeout": patience, "trust_env": True}, "encoded": "%" in url}


@contextmanager
def _failures_of(address: Address) -> Iterator[None]:
    """Every way in which a store refuses, as one message that names the URL without its secrets."""
    try:
        yield
    except SourceError:
        raise
    except Exception as error:  # noqa: BLE001 -- each store's library raises errors of its own
        raise SourceError(f"{address.shown}: cannot be read: {_reason(error, address)}", _GOES_ON) from None


def _reason(error: Exception, address: Address) -> str:
    status = getattr(error, "status", None)
    if isinstance(error, FileNotFoundError):
        return "not found"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if type(error).__name__ == "TooManyRedirects":
        return "too many redirects"
    if status:
        return f"the server answers {status} {getattr(error, 'message', '')}".rstrip()
    said = " ".join(without_secrets(str(error), address).split())
    return said or type(error).__name__
