"""Reads what was appended to a file since the last call, across rotation and truncation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Self

from loganalyzer.common.errors import SourceError
from loganalyzer.sources.encoding import HEAD_BYTES
from loganalyzer.watch import shared_file
from loganalyzer.watch.growth import MOST_READ_BYTES, Growth, Utf8Decoder

_HEAD_BYTES: Final = 256


class Follower:
    """Reads a file as it grows, and never writes to it.

    A replaced file is read to its end before the new one. While the file is missing, there are no new bytes.
    """

    def __init__(self, path: Path, most_before: int = MOST_READ_BYTES) -> None:
        """`most_before` limits how much existing content is read at the start, in bytes.

        Raises:
            SourceError: the file does not exist or cannot be read.
        """
        if not path.is_file():
            raise SourceError(
                f"{path}: file not found",
                "watch follows the server's log file, a server (http://127.0.0.1:8188), or - for standard input",
            )
        self._path = path
        self._opened: _OpenFile | None = self._open()
        self._skipped = self._opened.skip_to_the_last(most_before)

    def look(self) -> Growth:
        """The new bytes.

        Raises:
            SourceError: the file can no longer be read.
        """
        try:
            return self._look()
        except OSError as error:
            raise SourceError(f"{self._path}: cannot be read: {error.strerror or error}") from None

    def __enter__(self) -> Self:
        """Follows the file until the block ends."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Closes the file."""
        self.close()

    def close(self) -> None:
        """Closes the file."""
        if self._opened:
            self._opened.close()
            self._opened = None

    def _look(self) -> Growth:
        if self._opened is None:
            if not self._path.is_file():
                return Growth()
            self._opened = self._open()
            return Growth(self._opened.read(), is_new=True)
        if self._opened.is_restarted():
            self.close()
            return self._look()
        data = self._opened.read()
        if data:
            skipped, self._skipped = self._skipped, 0
            return Growth(data, skipped=skipped)
        if self._path.is_file() and not self._opened.is_at(self._path):
            self.close()
            return self._look()
        return Growth()

    def _open(self) -> _OpenFile:
        try:
            return _OpenFile(self._path)
        except OSError as error:
            raise SourceError(f"{self._path}: cannot be read: {error.strerror or error}") from None


class _OpenFile:
    """One open file, even if it has been renamed."""

    def __init__(self, path: Path) -> None:
        self._file = shared_file.open_shared(path)
        self._identity = shared_file.identify(path, self._file)
        self._head = b""
        self._decoder = Utf8Decoder()

    def close(self) -> None:
        self._file.close()

    def skip_to_the_last(self, most: int) -> int:
        """Skips all except the last `most` bytes; returns the number of skipped bytes."""
        size = os.fstat(self._file.fileno()).st_size
        if size <= most:
            return 0
        head = self._file.read(HEAD_BYTES)
        self._head = head[:_HEAD_BYTES]
        self._decoder.detect(head)
        width = self._decoder.width
        return self._file.seek((size - most) // width * width)

    def read(self) -> bytes:
        """The next bytes; UTF-16 as UTF-8."""
        data = self._file.read(MOST_READ_BYTES)
        self._head = self._head or data[:_HEAD_BYTES]
        return self._decoder.convert(data)

    def is_at(self, path: Path) -> bool:
        """Whether the path still refers to this file."""
        return os.path.samestat(path.stat(), self._identity)

    def is_restarted(self) -> bool:
        """Whether the file was truncated, and possibly written to again."""
        place = self._file.tell()
        self._file.seek(0)
        head = self._file.read(len(self._head))
        self._file.seek(place)
        return os.fstat(self._file.fileno()).st_size < place or head != self._head
