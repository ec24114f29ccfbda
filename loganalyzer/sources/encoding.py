"""Bytes of unknown encoding to valid UTF-8, saying what was lost on the way."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

HEAD_BYTES = 1 << 16
"""An input's first bytes, by which its encoding is told."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINE_ENDS = {"utf-8": b"\n", "utf-16-le": b"\n\0", "utf-16-be": b"\0\n"}
_BEGINNING = 128
"""Bytes that look like UTF-16 where a whole file is; UTF-16 may have been appended to something else."""
_WITHOUT_NULS = rb"(?:\A|(?<=\n)|(?<=\n\0))(?:(?:[^\0\n]*\n%b)+(?:[^\0\n]+\Z)?|[^\0\n]+\Z)"
_NO_LITTLE_END = rb"(?!\0)"
"""Whole lines, compiled by the first input that may be mixed; `\\n\\0` ends one of UTF-16 unless all is big-endian."""
_FEWEST_BYTES = 64
"""Too few bytes tell nothing: in UTF-16 of some scripts, each byte of a word can be a letter's."""
_LONGEST_LINE = 8 << 20
"""So long without a line end of its own, a file that began in UTF-16 goes on in something else."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Valid UTF-8, the encoding it was read from, and how many bytes had to be replaced."""

    data: bytes
    encoding: str
    undecodable: int


@dataclass(frozen=True, slots=True)
class Encoding:
    """How an input is encoded, and how many bytes of a mark stand in front of its text."""

    name: str
    mark: int

    def line_end(self, data: bytes) -> int:
        """The place behind the last line end in `data`, which begins with a whole character; 0 where there is none."""
        end = _LINE_ENDS[self.name]
        place = data.rfind(end)
        while place >= 0 and place % len(end):
            place = data.rfind(end, 0, place + len(end) - 1)
        if place < 0 and len(data) > _LONGEST_LINE:
            return data.rfind(b"\n") + 1
        return place + len(end) if place >= 0 else 0

    def decode(self, data: bytes) -> Decoded:
        """`data`, whole characters without a mark, as UTF-8; what is none is replaced and counted.

        Where two programs append to one file, as PowerShell's `>>` to what another shell began, it holds both UTF-8
        and UTF-16: lines without NULs, and such with NULs in every second byte, are read as what they are.
        """
        if not self._may_be_mixed(data):
            return _decoded(data, self.name)
        parts = [_decoded(part, name) for name, part in self._parts(data)]
        return Decoded(b"".join(part.data for part in parts), self.name, sum(part.undecodable for part in parts))

    def _may_be_mixed(self, data: bytes) -> bool:
        """Whether UTF-8 holds NULs around a blank, or UTF-16 line ends that are not its own."""
        if self.name == "utf-8":
            return b"\0" in data and b"\0 \0" in data
        return data.count(b"\n") != data.count(_LINE_ENDS[self.name])

    def _parts(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """The parts of `data`, each with its encoding."""
        done = 0
        end = b"" if self.name == "utf-16-be" else _NO_LITTLE_END
        for lines in re.compile(_WITHOUT_NULS % end).finditer(data):
            if len(lines[0]) >= _FEWEST_BYTES and _is_mostly_utf8(lines[0]):
                yield self._with_nuls(data[done : lines.start()])
                yield "utf-8", lines[0]
                done = lines.end()
        yield self._with_nuls(data[done:])

    def _with_nuls(self, part: bytes) -> tuple[str, bytes]:
        """A part that holds NULs, without its mark: UTF-16 as they tell, else what the whole input is."""
        for mark, name in _BOMS[1:]:
            if part.startswith(mark):
                return name, part[len(mark) :]
        return (len(part) >= _FEWEST_BYTES and _utf16_without_mark(part)) or self.name, part


def _decoded(data: bytes, name: str) -> Decoded:
    if name == "utf-8" and (data.isascii() or (len(data) > HEAD_BYTES and _is_utf8(data))):
        return Decoded(data, name, 0)
    try:
        text = data.decode(name)
    except UnicodeDecodeError:
        kept = data.decode(name, "ignore").encode(name, "surrogatepass")
        replaced = data.decode(name, "replace").encode("utf-8", "replace")
        return Decoded(replaced, name, len(data) - len(kept))
    return Decoded(data if name == "utf-8" else text.encode("utf-8", "replace"), name, 0)


def _is_mostly_utf8(data: bytes) -> bool:
    return len(data.decode("utf-8", "ignore").encode()) > 0.9 * len(data)


def _is_utf8(data: bytes) -> bool:
    """Ten times as fast as decoding, which makes a text that nobody reads."""
    try:
        pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return True


def told_by(head: bytes) -> Encoding:
    """Byte order mark first, then UTF-16 by its NUL pattern, else UTF-8, by an input's first bytes.

    No code page is guessed: one stray byte in a UTF-8 log makes every detector tried choose a wrong one.
    """
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return Encoding(encoding, len(mark))
    told = _utf16_without_mark(head[:HEAD_BYTES])
    return Encoding(told if told and told == _utf16_without_mark(head[:_BEGINNING]) else "utf-8", 0)


def decode(data: bytes) -> Decoded:
    """A whole input at once."""
    encoding = told_by(data)
    return encoding.decode(data[encoding.mark :])


def _utf16_without_mark(head: bytes) -> str | None:
    """UTF-16 shows as NULs in every second byte, since what the logs print is ASCII but for the bars."""
    if b"\0" not in head:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) / 2
    if odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.1 * half:
        return "utf-16-be"
    return None
