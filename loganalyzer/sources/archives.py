"""Decompresses inputs within size limits: single compressed files, and archives of logs."""

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
TAR_SUFFIXES = {
    ".tar": "", ".tar.gz": ".gz", ".tar.bz2": ".bz2", ".tar.xz": ".xz", ".tar.zst": ".zst",
    ".tgz": ".gz", ".tbz": ".bz2", ".tbz2": ".bz2", ".txz": ".xz", ".tzst": ".zst",
}  # fmt: skip
"""Suffixes of tar archives, and the suffix of each one's compression."""

BLOCK_BYTES = 4 << 20


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

Content = Iterator[bytes] | SourceError | None
"""A member's bytes; a note about members that are skipped; None for a member that is not wanted."""


def is_archive(name: str) -> bool:
    """Whether a file with this name is an archive, which may contain several logs."""
    return name.lower().endswith((ZIP, *TAR_SUFFIXES))


def decompression_errors() -> tuple[type[Exception], ...]:
    """Exceptions of the decompressors besides OSError; zip raises the last two for passwords and unknown methods."""
    import tarfile

    damaged = zlib.error, lzma.LZMAError, _zstd().ZstdError, zipfile.BadZipFile, tarfile.TarError
    return EOFError, *damaged, RuntimeError, NotImplementedError


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
    yield from decompress_as(PurePosixPath(name).suffix.lower(), file, name)


def decompress_as(suffix: str, file: IO[bytes], name: str) -> Iterator[bytes]:
    """The bytes of an open file in order, decompressed as files with this suffix are; raises like `read_file`."""
    opener = _OPENERS.get(suffix)
    if opener is None:
        yield from read_blocks(file)
    else:
        yield from _limit_size(read_blocks(opener(file)), name)


def read_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """The bytes of an open file in order; of a damaged file, the bytes before the damage."""
    read = getattr(file, "read1", file.read)
    while chunk := read(BLOCK_BYTES):
        yield chunk


def zip_members(file: Path | IO[bytes], name: str, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Content]]:
    """Name and bytes of each wanted member of an archive, sorted by name; for other members the bytes are None.

    Members may be compressed themselves. If several have one name, all but the first get a number as suffix.

    Raises:
        SourceError: together they decompress to more than the limit.
        OSError: it cannot be read; one of `errors()` if it is damaged.
    """
    budget = MemberBudget(name)
    with zipfile.ZipFile(file) as archive:
        members = sorted((item for item in archive.infolist() if not item.is_dir()), key=lambda item: item.filename)
        check_count(name, sum(wanted(item.filename) for item in members))
        for item in members:
            if not wanted(item.filename):
                yield item.filename, None
                continue
            member = budget.take(item.filename, item.file_size)
            with archive.open(item) as opened:
                yield member, read_member(opened, f"{name}/{member}", item.filename)


class MemberBudget:
    """Limits what the members of one archive unpack to, and gives each a name of its own."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._left = MAX_UNPACKED_BYTES
        self._seen: Counter[str] = Counter()

    def take(self, member: str, size: int) -> str:
        """The member's name in reports. If several members have one name, all but the first get a number.

        Raises:
            SourceError: the members together unpack to more than the limit.
        """
        self._left -= size
        if self._left < 0:
            raise _too_large_error(f"{self._name}/{member}")
        self._seen[member] += 1
        return member if self._seen[member] == 1 else f"{member} ({self._seen[member]})"


def check_count(name: str, logs: int) -> None:
    """Raises SourceError if an archive contains more logs than the limit."""
    if logs > MAX_MEMBERS:
        raise SourceError(f"{name}: contains more than {MAX_MEMBERS:,} logs", "unpack it and pass its folders")


def read_member(opened: IO[bytes], shown: str, name: str) -> Iterator[bytes]:
    """The bytes of a member in order, decompressed according to its own name's suffix.

    Raises:
        SourceError: it is an archive itself, or decompresses to more than the limit.
    """
    if is_archive(name):
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
