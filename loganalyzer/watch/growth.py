"""States what every growing log offers: a file, standard input, or a running server."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final, Protocol

from loganalyzer.sources.encoding import HEAD_BYTES, detect_encoding

MOST_READ_BYTES: Final = 8 << 20
"""Maximum number of bytes read per call."""


@dataclass(frozen=True, slots=True)
class Growth:
    """The new bytes of a log.

    Attributes:
        data: appended bytes; UTF-16 as UTF-8.
        is_new: whether the log was restarted, e.g. by rotation, so that earlier bytes belong to another log.
        skipped: number of bytes of a large file that were skipped at the start.
        notice: what the user should know about the reading, e.g. that the server does not answer.
        has_ended: whether nothing can follow.
    """

    data: bytes = b""
    is_new: bool = False
    skipped: int = 0
    notice: str = ""
    has_ended: bool = False


class GrowingLog(Protocol):
    """A log that is read as it grows, and never changed."""

    def look(self) -> Growth:
        """The bytes since the last call.

        Raises:
            SourceError: the log can no longer be read.
        """

    def close(self) -> None:
        """Stops reading."""


class Utf8Decoder:
    """Converts the pieces of a stream to UTF-8; its encoding is detected from the first piece."""

    def __init__(self) -> None:
        self._is_detected = False
        self._decoder: codecs.IncrementalDecoder | None = None

    @property
    def width(self) -> int:
        """The number of bytes of one unit of the encoding."""
        return 1 if self._decoder is None else 2

    def detect(self, head: bytes) -> None:
        """Detects the encoding from the first bytes, if there are any."""
        if head and not self._is_detected:
            self._is_detected = True
            encoding = detect_encoding(head[:HEAD_BYTES])
            if encoding.name != "utf-8":
                self._decoder = codecs.getincrementaldecoder(encoding.name)("replace")

    def convert(self, data: bytes) -> bytes:
        """The next bytes as UTF-8."""
        self.detect(data)
        return self._decoder.decode(data).encode("utf-8", "replace") if self._decoder else data
