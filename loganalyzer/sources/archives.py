"""Packed inputs unpacked within bounds: single compressed files, and zip archives of logs."""

from __future__ import annotations

import bz2
import lzma
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import IO, cast

from loganalyzer.common.errors import SourceError

LARGEST_UNPACKED = 4 << 30
"""An input that unpacks to more is refused: it is a bomb, or belongs on a larger machine."""
MOST_MEMBERS = 100_000
ZIP = ".zip"

_CHUNK = 4 << 20


def _gzip(file: IO[bytes]) -> IO[bytes]:
    import gzip  # most inputs are plain; the other unpackers come with polars anyway

    return cast("IO[bytes]", gzip.GzipFile(fileobj=file))


def _zstd() -> ModuleType:
    """The library, imported by the first input that needs it."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


_OPENERS: dict[str, Callable[[IO[bytes]], IO[bytes]]] = {
    ".gz": _gzip,
    ".bz2": lambda file: cast("IO[bytes]", bz2.BZ2File(file)),
    ".xz": lambda file: cast("IO[bytes]", lzma.LZMAFile(file)),  # noqa: SIM115 -- the file beneath is closed
    ".zst": lambda file: cast("IO[bytes]", _zstd().ZstdFile(file)),
}
SUFFIXES = tuple(_OPENERS)


def errors() -> tuple[type[Exception], ...]:
    """What the unpackers raise beside OSError; zip raises the last two for passwords and unknown methods."""
    zstd_error = _zstd().ZstdError
    return EOFError, zlib.error, lzma.LZMAError, zstd_error, zipfile.BadZipFile, RuntimeError, NotImplementedError


def file_chunks(path: Path) -> Iterator[bytes]:
    """The bytes of a file in order, unpacked by its suffix.

    Raises:
        SourceError: it unpacks to more than the bound.
        OSError: it cannot be read; one of `errors()` where it is damaged.
    """
    with path.open("rb") as file:
        yield from unpacked(file, str(path))


def unpacked(file: IO[bytes], name: str) -> Iterator[bytes]:
    """The bytes of an open file in order, unpacked by the suffix of its name; raises like `file_chunks`."""
    opener = _OPENERS.get(PurePosixPath(name).suffix.lower())
    if opener is None:
        yield from plain(file)
    else:
        yield from _bounded(plain(opener(file)), name)


def plain(file: IO[bytes]) -> Iterator[bytes]:
    """What an open file holds, in order; of a damaged one, what comes before the damage."""
    read = getattr(file, "read1", file.read)
    while chunk := read(_CHUNK):
        yield chunk


def zip_members(
    file: Path | IO[bytes], name: str, wanted: Callable[[str], bool]
) -> Iterator[tuple[str, Iterator[bytes] | None]]:
    """Name and bytes of each wanted member of an archive, in the order of their names; of others None for the bytes.

    Members may be packed themselves. Of several with one name, all but the first have their number behind it.

    Raises:
        SourceError: together they unpack to more than the bound.
        OSError: it cannot be read; one of `errors()` where it is damaged.
    """
    left = LARGEST_UNPACKED
    seen: Counter[str] = Counter()
    with zipfile.ZipFile(file) as archive:
        members = sorted((item for item in archive.infolist() if not item.is_dir()), key=lambda item: item.filename)
        if sum(wanted(item.filename) for item in members) > MOST_MEMBERS:
            raise SourceError(f"{name}: holds more than {MOST_MEMBERS} logs", "unpack it, and read it folder by folder")
        for item in members:
            if not wanted(item.filename):
                yield item.filename, None
                continue
            left -= item.file_size
            if left < 0:
                raise _too_large(f"{name}/{item.filename}")
            seen[item.filename] += 1
            member = item.filename if seen[item.filename] == 1 else f"{item.filename} ({seen[item.filename]})"
            with archive.open(item) as opened:
                yield member, _member(opened, f"{name}/{member}", item.filename)


def _member(opened: IO[bytes], shown: str, name: str) -> Iterator[bytes]:
    if name.lower().endswith(ZIP):
        raise SourceError(f"{shown}: an archive inside an archive is not read", "unpack it, and name the inner one")
    yield from unpacked(opened, name)


def _bounded(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > LARGEST_UNPACKED:
            raise _too_large(name)
        yield chunk


def _too_large(name: str) -> SourceError:
    return SourceError(f"{name}: unpacks to more than {LARGEST_UNPACKED >> 20} MiB", "unpack it yourself, and cut it")
