"""Follows standard input: reads it in the background, so that a silent stream does not stop the watch."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Final

from loganalyzer.common.errors import SourceError
from loganalyzer.watch.growth import MOST_READ_BYTES, Growth, Utf8Decoder

_PIECE_BYTES: Final = 1 << 16


class StreamLog:
    """A stream, read by a thread. If the watch is slower than the stream, the writer waits."""

    def __init__(self, read_piece: Callable[[], bytes], name: str) -> None:
        """`read_piece` returns the next bytes, and none at the end."""
        self._read_piece, self._name = read_piece, name
        self._pieces = bytearray()
        self._changed = threading.Condition()
        self._is_finished = self._is_closed = False
        self._error: OSError | ValueError | None = None
        self._decoder = Utf8Decoder()
        threading.Thread(target=self._collect, daemon=True, name="watched stream").start()

    def look(self) -> Growth:
        """The bytes since the last call.

        Raises:
            SourceError: the stream cannot be read.
        """
        with self._changed:
            data, has_ended = bytes(self._pieces), self._is_finished
            self._pieces.clear()
            self._changed.notify_all()
        if self._error and not data:
            raise SourceError(f"{self._name}: cannot be read: {getattr(self._error, 'strerror', '') or self._error}")
        return Growth(self._decoder.convert(data), has_ended=has_ended and not self._error)

    def close(self) -> None:
        """Stops the thread after its current read."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _collect(self) -> None:
        while True:
            try:
                piece = self._read_piece()
            except (OSError, ValueError) as error:
                self._error, piece = error, b""
            with self._changed:
                self._pieces += piece
                self._is_finished = not piece
                self._changed.wait_for(lambda: self._is_closed or len(self._pieces) < MOST_READ_BYTES)
                if self._is_finished or self._is_closed:
                    return


def follow_standard_input() -> StreamLog:
    """Follows standard input.

    Raises:
        SourceError: it is closed.
    """
    if sys.stdin is None:
        raise SourceError("-: cannot be read: standard input is closed", "pipe a log to it: docker logs -f NAME 2>&1 |")
    return StreamLog(_reader_of(sys.stdin.buffer), "-")


def _reader_of(stream: IO[bytes]) -> Callable[[], bytes]:
    """Reads what there is. It avoids the stream's own lock, which a silent stream would hold when the process ends."""
    with suppress(OSError, io.UnsupportedOperation):
        descriptor = stream.fileno()
        return lambda: os.read(descriptor, _PIECE_BYTES)
    read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    return lambda: read(_PIECE_BYTES)
