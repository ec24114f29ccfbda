"""The end of a growing log that may still matter: the current prompt, and the server's banner above it."""

from __future__ import annotations

from typing import Final

MOST_BYTES: Final = 32 << 20
"""A prompt with more than that has lost its way; its oldest lines are let go."""
_BANNER: Final = b"Total VRAM "
_BANNER_BYTES: Final = 8 << 10
_ARRIVAL: Final = b"got prompt"
"""The banner ends before the first prompt: half a run of an earlier one must not be read with the current one."""


class Held:
    """Lines that are still worked on. Line numbers are those of the watched file."""

    def __init__(self) -> None:
        self._banner = b""
        self._banner_line = 1
        self._text = b""
        self._gone = 0

    def add(self, data: bytes) -> None:
        """The next bytes."""
        self._text += data
        if len(self._text) > MOST_BYTES:
            self._cut(self._text.find(b"\n", len(self._text) - MOST_BYTES // 2) + 1)

    @property
    def text(self) -> bytes:
        """What is to be analyzed."""
        return self._banner + self._text

    @property
    def ends_inside_a_line(self) -> bool:
        """Whether the last line is still being written."""
        return not self._text.endswith(b"\n")

    @property
    def lines(self) -> int:
        """Lines of `text`, the last one perhaps unfinished."""
        return self.text.count(b"\n") + self.ends_inside_a_line

    def line(self, number: int) -> int:
        """The line in the watched file of a line of `text`."""
        banner = self._banner.count(b"\n")
        return number - banner + self._gone if number > banner else number - 1 + self._banner_line

    def settle(self, number: int) -> None:
        """Let go of the lines of `text` above this one; the last server's banner among them stays."""
        above = number - 1 - self._banner.count(b"\n")
        place = 0
        for _ in range(above):
            place = self._text.find(b"\n", place) + 1
        if above > 0 and place:
            self._cut(place)

    def _cut(self, place: int) -> None:
        start = self._text.rfind(_BANNER, 0, place)
        if start >= 0:
            start = self._text.rfind(b"\n", 0, start) + 1
            arrival = self._text.find(_ARRIVAL, start, place)
            end = self._text.rfind(b"\n", start, min(place if arrival < 0 else arrival, start + _BANNER_BYTES)) + 1
            self._banner, self._banner_line = self._text[start:end], self._gone + self._text.count(b"\n", 0, start) + 1
        self._gone += self._text.count(b"\n", 0, place)
        self._text = self._text[place:]
