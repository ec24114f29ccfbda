"""Decompresses inputs within size limits: single compressed files, and zip archives of logs."""

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

MAX_UNPACKED_BYTES = 4 << 30
"""Larger inputs are rejected: they are decompression bombs, or need a larger machine."""
MAX_MEMBERS = 100_000
ZIP = ".zip"

_BLOCK_BYTES = 4 << 20


def _gzip(file: IO[bytes]) -> IO[bytes]:
    import gzip  # most inputs are plain; polars imports the other decompressors anyway

    return cast("IO[bytes]", gzip.GzipFile(fileobj=file))


def _zstd() -> ModuleType:
    """The zstd module, imported for the first input that needs it."""
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


def decompression_errors() -> tuple[type[Exception], ...]:
    """Exceptions of the decompressors besides OSError; zip raises the last two for passwords and unknown methods."""
    zstd_error = _zstd().ZstdError
    return EOFError, zlib.error, lzma.LZMAError, zstd_error, zipfile.BadZipFile, RuntimeError, NotImplementedError


def read_file(path: Path) -> Iterator[bytes]:
    """The bytes of a file in order, decompressed according to its suffix.

    Raises:
        SourceError: it decompresses to more than the limit.
        OSError: it cannot be read; one of `errors()` if it is damaged.
    """
    with path.open("rb") as file:
        yield from decompress(file, str(path))


def decompress(file: IO[bytes], name: str) -> Iterator[bytes]:
    """The bytes of an open file in order, decompressed according to its name's suffix; raises like `read_file`."""
    opener = _OPENERS.get(PurePosixPath(name).suffix.lower())
    if opener is None:
        yield from read_blocks(file)
    else:
        yield from _limit_size(read_blocks(opener(file)), name)


def read_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """The bytes of an open file in order; of a damaged file, the bytes before the damage."""
    read = getattr(file, "read1", file.read)
    while chunk := read(_BLOCK_BYTES):
        yield chunk


def zip_members(
    file: Path | IO[bytes], name: str, wanted: Callable[[str], bool]
) -> Iterator[tuple[str, Iterator[bytes] | None]]:
    """Name and bytes of each wanted member of an archive, sorted by name; for other members the bytes are None.

    Members may be compressed themselves. If several have one name, all but the first get a number as suffix.

    Raises:
        SourceError: together they decompress to more than the limit.
        OSError: it cannot be read; one of `errors()` if it is damaged.
    """
    left = MAX_UNPACKED_BYTES
    seen: Counter[str] = Counter()
    with zipfile.ZipFile(file) as archive:
        members = sorted((item for item in archive.infolist() if not item.is_dir()), key=lambda item: item.filename)
        if sum(wanted(item.filename) for item in members) > MAX_MEMBERS:
            raise SourceError(f"{name}: contains more than {MAX_MEMBERS:,} logs", "unpack it and pass its folders")
        for item in members:
            if not wanted(item.filename):
                yield item.filename, None
                continue
            left -= item.file_size
            if left < 0:
                raise _too_large_error(f"{name}/{item.filename}")
            seen[item.filename] += 1
            member = item.filename if seen[item.filename] == 1 else f"{item.filename} ({seen[item.filename]})"
            with archive.open(item) as opened:
                yield member, _read_member(opened, f"{name}/{member}", item.filename)


def _read_member(opened: IO[bytes], shown: str, name: str) -> Iterator[bytes]:
    if name.lower().endswith(ZIP):
        raise SourceError(f"{shown}: archives inside archives are not read", "unpack the outer one, pass the inner one")
    yield from decompress(opened, name)


def _limit_size(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_UNPACKED_BYTES:
            raise _too_large_error(name)
        yield chunk


def _too_large_error(name: str) -> SourceError:
    return SourceError(f"{name}: unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB", "unpack and split it first")
