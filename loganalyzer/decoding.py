"""Bytes of unknown encoding to valid UTF-8, saying what was lost on the way."""

from __future__ import annotations

import codecs
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
        return place + len(end) if place >= 0 else 0

    def decode(self, data: bytes) -> Decoded:
        """`data`, whole characters without a mark, as UTF-8; what is none is replaced and counted."""
        if self.name == "utf-8" and (data.isascii() or (len(data) > HEAD_BYTES and _is_utf8(data))):
            return Decoded(data, self.name, 0)
        try:
            text = data.decode(self.name)
        except UnicodeDecodeError:
            kept = data.decode(self.name, "ignore").encode(self.name, "surrogatepass")
            replaced = data.decode(self.name, "replace").encode("utf-8", "replace")
            return Decoded(replaced, self.name, len(data) - len(kept))
        return Decoded(data if self.name == "utf-8" else text.encode("utf-8", "replace"), self.name, 0)


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
    return Encoding(_utf16_without_mark(head[:HEAD_BYTES]) or "utf-8", 0)


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
