"""What does not fit into memory waits in a file that nobody else sees, and that goes with the process."""

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
"""Bytes of tables that are held in memory before the file is begun: those of some 200 MB of nothing but bars."""
_SMALL: Final = 32 << 20
"""Bytes of small things that are held."""


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
    """Keeps bytes and tables, in memory while there is room, then on disk; what it holds goes as it is left."""

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
        """Small things, of which there may be many.

        Raises:
            LogAnalyzerError: the disk is full.
        """
        if self._held + len(data) <= self._room_for_small:
            self._held += len(data)
            return Stored(data)
        return self.write(data)

    def write(self, data: bytes) -> Stored:
        """To disk in any case.

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
                raise _no_room(error) from None
            self._end += len(data)
        return Stored(None, self, start, len(data))

    def read(self, start: int, length: int) -> bytes:
        """What `write` put there."""
        if self._file is None:
            return b""
        with self._lock:
            try:
                self._file.seek(start)
                return self._file.read(length)
            except OSError as error:
                raise _no_room(error) from None

    def tables(self, frames: Mapping[str, pl.DataFrame]) -> dict[str, Stored]:
        """Tables to disk, each for itself; `table` brings one back."""
        return {name: self.write(packed(frame)) for name, frame in frames.items()}


def table(stored: Stored) -> pl.DataFrame:
    """A table that was written."""
    return pl.read_ipc(BytesIO(stored.read()))


def packed(frame: pl.DataFrame) -> bytes:
    """A table as bytes; `table` reads them."""
    target = BytesIO()
    frame.write_ipc(target, compression="lz4")
    return target.getvalue()


def _no_room(error: OSError) -> LogAnalyzerError:
    return LogAnalyzerError(
        f"{gettempdir()}: the tables of a long log cannot be kept there: {error.strerror or error}",
        "make room, or name another folder in TMPDIR",
    )
