"""Buffers the part of a growing log that is still needed: the current prompt, and the server banner above it."""

from __future__ import annotations

from typing import Final

MOST_BYTES: Final = 32 << 20
"""Maximum size. The oldest lines of a longer prompt are discarded."""
_BANNER: Final = b"Total VRAM "
_BANNER_BYTES: Final = 8 << 10
_PROMPT_START: Final = b"got prompt"
"""The banner ends before the first prompt, so that no part of an earlier run is analyzed with the current one."""


class LogBuffer:
    """The buffered lines, with their line numbers in the watched file."""

    def __init__(self) -> None:
        self._banner = b""
        self._banner_line = 1
        self._text = b""
        self._gone = 0

    def add(self, data: bytes) -> None:
        """Appends the next bytes."""
        self._text += data
        if len(self._text) > MOST_BYTES:
            self._discard(self._text.find(b"\n", len(self._text) - MOST_BYTES // 2) + 1)

    @property
    def text(self) -> bytes:
        """The bytes to analyze: banner and current prompts."""
        return self._banner + self._text

    @property
    def ends_inside_a_line(self) -> bool:
        """Whether the last line is still being written."""
        return not self._text.endswith(b"\n")

    @property
    def lines(self) -> int:
        """The number of lines of `text`, including an unfinished last line."""
        return self.text.count(b"\n") + self.ends_inside_a_line

    def file_line(self, number: int) -> int:
        """The line number in the watched file of a line of `text`."""
        banner = self._banner.count(b"\n")
        return number - banner + self._gone if number > banner else number - 1 + self._banner_line

    def discard_before(self, number: int) -> None:
        """Discards the lines of `text` before this one, except the last server banner among them."""
        above = number - 1 - self._banner.count(b"\n")
        place = 0
        for _ in range(above):
            place = self._text.find(b"\n", place) + 1
        if above > 0 and place:
            self._discard(place)

    def _discard(self, place: int) -> None:
        start = self._text.rfind(_BANNER, 0, place)
        if start >= 0:
            start = self._text.rfind(b"\n", 0, start) + 1
            arrival = self._text.find(_PROMPT_START, start, place)
            end = self._text.rfind(b"\n", start, min(place if arrival < 0 else arrival, start + _BANNER_BYTES)) + 1
            self._banner, self._banner_line = self._text[start:end], self._gone + self._text.count(b"\n", 0, start) + 1
        self._gone += self._text.count(b"\n", 0, place)
        self._text = self._text[place:]
