"""Packed inputs unpacked within bounds: single compressed files, and zip archives of logs."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

from loganalyzer.errors import SourceError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LARGEST_UNPACKED = 4 << 30
"""An input that unpacks to more is refused: it is a bomb, or belongs on a larger machine."""
MOST_MEMBERS = 100_000
ZIP = ".zip"

_CHUNK = 1 << 20
_OPENERS: dict[str, Callable[[IO[bytes]], IO[bytes]]] = {
    ".gz": lambda file: cast("IO[bytes]", gzip.GzipFile(fileobj=file)),
    ".bz2": lambda file: cast("IO[bytes]", bz2.BZ2File(file)),
    ".xz": lambda file: cast("IO[bytes]", lzma.LZMAFile(file)),  # noqa: SIM115 -- the file beneath is closed
    ".zst": lambda file: cast("IO[bytes]", zstd.ZstdFile(file)),
}
SUFFIXES = tuple(_OPENERS)
ERRORS = (EOFError, lzma.LZMAError, zstd.ZstdError, zipfile.BadZipFile, RuntimeError, NotImplementedError)
"""What the unpackers raise beside OSError; zip raises the last two for passwords and unknown methods."""


def read_file(path: Path) -> bytes:
    """The bytes of a file, unpacked by its suffix.

    Raises:
        SourceError: it unpacks to more than the bound.
        OSError: it cannot be read; one of `ERRORS` where it is damaged.
    """
    with path.open("rb") as file:
        opener = _OPENERS.get(path.suffix.lower())
        return file.read() if opener is None else _bounded(opener(file), str(path), LARGEST_UNPACKED)


def read_zip(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each wanted member of an archive, in the order of their names.

    Raises:
        SourceError: together they unpack to more than the bound.
        OSError: it cannot be read; one of `ERRORS` where it is damaged.
    """
    left = LARGEST_UNPACKED
    with zipfile.ZipFile(path) as archive:
        names = sorted(item.filename for item in archive.infolist() if not item.is_dir() and wanted(item.filename))
        if len(names) > MOST_MEMBERS:
            raise SourceError(f"{path}: holds {len(names)} logs", f"at most {MOST_MEMBERS} are read from one archive")
        for name in names:
            with archive.open(name) as member:
                data = _bounded(member, f"{path}/{name}", left)
            left -= len(data)
            yield name, data


def _bounded(stream: IO[bytes], name: str, limit: int) -> bytes:
    chunks, size = [], 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if size > limit:
            raise SourceError(
                f"{name}: unpacks to more than {LARGEST_UNPACKED >> 20} MiB", "unpack it yourself, and cut it"
            )
        chunks.append(chunk)
    return b"".join(chunks)
