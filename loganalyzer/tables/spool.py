"""Stores data that does not fit into memory in an anonymous temporary file that ends with the process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from tempfile import TemporaryFile, gettempdir
from threading import Lock
from typing import IO, Final, Self

import polars as pl

from loganalyzer.common.errors import LogAnalyzerError

ROOM: Final = 192 << 20
"""Bytes of tables in memory before the file is created: about 200 MB of a log that has only bars."""
_SMALL: Final = 32 << 20
"""Bytes of small items in memory."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes, in memory or in a spool's file."""

    data: bytes | None
    spool: Spool | None = None
    start: int = 0
    length: int = 0

    def read(self) -> bytes:
        """The bytes.

        Raises:
            LogAnalyzerError: the file cannot be read.
        """
        if self.data is not None or self.spool is None:
            return self.data or b""
        return self.spool.read(self.start, self.length)


class Spool:
    """Stores bytes and tables in memory while there is room, then on disk. The data is deleted on exit."""

    def __init__(self, room: int = ROOM) -> None:
        self.room = room
        self._room_for_small = min(room, _SMALL)
        self._file: IO[bytes] | None = None
        self._end = 0
        self._held = 0
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def keep(self, data: bytes) -> Stored:
        """Stores one of possibly many small items.

        Raises:
            LogAnalyzerError: the disk is full.
        """
        if self._held + len(data) <= self._room_for_small:
            self._held += len(data)
            return Stored(data)
        return self.write(data)

    def write(self, data: bytes) -> Stored:
        """Stores bytes on disk.

        Raises:
            LogAnalyzerError: the disk is full.
        """
        with self._lock:
            start = self._end
            try:
                if self._file is None:
                    self._file = TemporaryFile(prefix="loganalyze-")  # noqa: SIM115 -- open as long as the spool
                self._file.seek(start)
                self._file.write(data)
            except OSError as error:
                raise _disk_full_error(error) from None
            self._end += len(data)
        return Stored(None, self, start, len(data))

    def read(self, start: int, length: int) -> bytes:
        """The bytes that `write` stored there."""
        if self._file is None:
            return b""
        with self._lock:
            try:
                self._file.seek(start)
                return self._file.read(length)
            except OSError as error:
                raise _disk_full_error(error) from None

    def tables(self, frames: Mapping[str, pl.DataFrame]) -> dict[str, Stored]:
        """Writes tables to disk one by one; `load_table` reads one back."""
        return {name: self.write(serialize_table(frame)) for name, frame in frames.items()}


def load_table(stored: Stored) -> pl.DataFrame:
    """Reads a table that was written."""
    return pl.read_ipc(BytesIO(stored.read()))


def serialize_table(frame: pl.DataFrame) -> bytes:
    """Serializes a table; `load_table` reads the bytes."""
    target = BytesIO()
    frame.write_ipc(target, compression="lz4")
    return target.getvalue()


def _disk_full_error(error: OSError) -> LogAnalyzerError:
    return LogAnalyzerError(
        f"{gettempdir()}: cannot store the tables of a long log: {error.strerror or error}",
        "free some space, or set TMPDIR to another folder",
    )
