"""What was appended to a file since the last look, whatever happened to the file in between."""

from __future__ import annotations

import codecs
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from loganalyzer.common.errors import SourceError
from loganalyzer.sources.encoding import HEAD_BYTES, detect_encoding

PORTION: Final = 8 << 20
"""Bytes read in one look; what goes beyond waits for the next."""
_FINGERPRINT: Final = 256


@dataclass(frozen=True, slots=True)
class Growth:
    """What a look found.

    Attributes:
        data: appended bytes; UTF-16 as UTF-8.
        is_new: the file was begun anew, by rotation or truncation: what was read before belongs to another one.
        skipped: bytes of a large file that were passed over at the first look.
    """

    data: bytes = b""
    is_new: bool = False
    skipped: int = 0


class Follower:
    """Reads a file as it grows. It only ever reads.

    A file that was replaced is read to its end before the new one is begun; while it is missing, nothing is read.
    """

    def __init__(self, path: Path, most_before: int = PORTION) -> None:
        """`most_before` bounds what is read of that which stood in the file before the first look.

        Raises:
            SourceError: there is no such file, or it cannot be read.
        """
        if not path.is_file():
            raise SourceError(f"{path}: there is no such file", "watch follows one file that exists: the server's log")
        self._path = path
        self._opened: _Opened | None = self._open()
        self._skipped = self._opened.skip_to_the_last(most_before)

    def look(self) -> Growth:
        """What is new.

        Raises:
            SourceError: the file cannot be read any more.
        """
        try:
            return self._look()
        except OSError as error:
            raise SourceError(f"{self._path}: cannot be read: {error.strerror or error}") from None

    def __enter__(self) -> Self:
        """Follow until the block ends."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Let go of the file."""
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._opened:
            self._opened.close()
            self._opened = None

    def _look(self) -> Growth:
        if self._opened is None:
            if not self._path.is_file():
                return Growth()
            self._opened = self._open()
            return Growth(self._opened.read(), is_new=True)
        if self._opened.is_begun_anew():
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

    def _open(self) -> _Opened:
        try:
            return _Opened(self._path)
        except OSError as error:
            raise SourceError(f"{self._path}: cannot be read: {error.strerror or error}") from None


class _Opened:
    """One file, from its first byte on, under whatever name it has by now."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._head = b""
        self._decoder: codecs.IncrementalDecoder | None = None

    def close(self) -> None:
        self._file.close()

    def skip_to_the_last(self, most: int) -> int:
        """Pass over all but the last bytes; returns how many were passed over."""
        size = os.fstat(self._file.fileno()).st_size
        if size <= most:
            return 0
        self._begin(self._file.read(HEAD_BYTES))
        width = 1 if self._decoder is None else 2
        return self._file.seek((size - most) // width * width)

    def read(self) -> bytes:
        """The next bytes, as UTF-8 where they are UTF-16."""
        data = self._file.read(PORTION)
        if data and not self._head:
            self._begin(data)
        return self._decoder.decode(data).encode("utf-8", "replace") if self._decoder else data

    def _begin(self, data: bytes) -> None:
        self._head = data[:_FINGERPRINT]
        encoding = detect_encoding(data[:HEAD_BYTES])
        if encoding.name != "utf-8":
            self._decoder = codecs.getincrementaldecoder(encoding.name)("replace")

    def is_at(self, path: Path) -> bool:
        """Whether the name still belongs to this file."""
        return os.path.samestat(path.stat(), os.fstat(self._file.fileno()))

    def is_begun_anew(self) -> bool:
        """Whether the file was emptied, and perhaps written to again."""
        place = self._file.tell()
        self._file.seek(0)
        head = self._file.read(len(self._head))
        self._file.seek(place)
        return os.fstat(self._file.fileno()).st_size < place or head != self._head
