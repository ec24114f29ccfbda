"""Reads inputs from URLs as streams of bounded size: HTTP, and object stores, which need the extra `remote`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final, TypeVar, cast

from loganalyzer.common.errors import SourceError, install_hint
from loganalyzer.sources import archives, http_client
from loganalyzer.sources.members import archive_members
from loganalyzer.sources.url_streams import OTHERS_CONTINUE, LimitedStream, translate_failures
from loganalyzer.sources.urls import HTTP, STORES, Address

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

Item = TypeVar("Item")

_BLOCK: Final = 4 << 20
_EXTRAS: Final = {
    "s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs",
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
    with translate_failures(address):
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
            raise SourceError(f"{address.shown}: {wanted}", OTHERS_CONTINUE)
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
    with translate_failures(address), _open_object(url, address) as file:
        yield from archives.decompress(file, address.without_query)


def read_archive(url: str, address: Address, wanted: Callable[[str], bool]) -> Iterator[tuple[str, archives.Content]]:
    """As `archive_members`. The archive is stored in a temporary file, since its index may be at its end.

    Raises:
        SourceError: as `read_object`, also while members are read.
    """
    with translate_failures(address), tempfile.TemporaryFile() as archive:
        with _open_object(url, address) as file:
            for chunk in archives.read_blocks(file):
                archive.write(chunk)
        archive.seek(0)
        for member, content in archive_members(cast("IO[bytes]", archive), address.without_query, wanted):
            yield member, _translate_errors(address, content) if isinstance(content, Iterator) else content


def _translate_errors(address: Address, given: Iterator[Item]) -> Iterator[Item]:
    with translate_failures(address):
        yield from given


@contextmanager
def _open_object(url: str, address: Address) -> Iterator[IO[bytes]]:
    if address.scheme in HTTP:
        with http_client.open_http(address) as body:
            yield body
        return
    store, path = _open_store(url, address)
    with store.open(path, "rb", block_size=_BLOCK) as file:
        yield cast("IO[bytes]", LimitedStream(file, address.shown))


def _open_store(url: str, address: Address) -> tuple[AbstractFileSystem, str]:
    """The file system behind a scheme, and the object's path in it."""
    if address.scheme not in STORES:
        known = ", ".join(sorted(HTTP | STORES))
        hint = "pass the file's path" if address.scheme in ("file", "local") else f"supported schemes: {known}"
        raise SourceError(f"{address.shown}: this kind of URL is not supported", hint)
    try:
        import fsspec
    except ImportError:
        raise _missing_extra_error("remote", address) from None
    try:
        kind = fsspec.get_filesystem_class(address.scheme)
        return kind(**kind._get_kwargs_from_urls(url)), str(kind._strip_protocol(url))
    except ImportError as error:
        if address.scheme not in _EXTRAS:
            raise SourceError(f"{address.shown}: cannot be read: {error}", "install the missing package") from None
        raise _missing_extra_error(_EXTRAS[address.scheme], address) from None


def _missing_extra_error(extra: str, address: Address) -> SourceError:
    return SourceError(f"{address.shown}: needs an optional dependency", install_hint(extra))
