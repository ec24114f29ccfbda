"""Detects encodings and converts bytes to valid UTF-8, counting the bytes that cannot be decoded."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

HEAD_BYTES = 1 << 16
"""The number of first bytes from which an input's encoding is detected."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINE_ENDS = {"utf-8": b"\n", "utf-16-le": b"\n\0", "utf-16-be": b"\0\n"}
_START_BYTES = 128
"""If a complete file is UTF-16, so are its first bytes; otherwise UTF-16 was appended to something else."""
_WITHOUT_NULS = rb"(?:\A|(?<=\n)|(?<=\n\0))(?:(?:[^\0\n]*\n%b)+(?:[^\0\n]+\Z)?|[^\0\n]+\Z)"
_NO_LITTLE_END = rb"(?!\0)"
"""Complete lines, compiled for the first mixed input; `\\n\\0` ends a UTF-16 line unless the input is big-endian."""
_MIN_BYTES = 64
"""Fewer bytes are not conclusive: in UTF-16 of some scripts, each byte of a word can be a letter's."""
_MAX_LINE_BYTES = 8 << 20
"""After this many bytes without a line end of its own, a file that started in UTF-16 continues in another encoding."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Valid UTF-8, the original encoding, and the number of bytes that were replaced."""

    data: bytes
    encoding: str
    undecodable: int


@dataclass(frozen=True, slots=True)
class Encoding:
    """An input's encoding, and the length of the byte order mark before its text."""

    name: str
    mark: int

    def line_end(self, data: bytes) -> int:
        """The index after the last line end in `data`, which starts with a complete character; 0 if there is none."""
        end = _LINE_ENDS[self.name]
        place = data.rfind(end)
        while place >= 0 and place % len(end):
            place = data.rfind(end, 0, place + len(end) - 1)
        if place < 0 and len(data) > _MAX_LINE_BYTES:
            return data.rfind(b"\n") + 1
        return place + len(end) if place >= 0 else 0

    def decode(self, data: bytes) -> Decoded:
        """`data`, complete characters without a mark, as UTF-8; undecodable bytes are replaced and counted.

        If two programs append to one file, as PowerShell's `>>` does to another shell's output, it contains both UTF-8
        and UTF-16. So lines without NULs, and lines with NULs in every second byte, are decoded separately.
        """
        if not self._may_be_mixed(data):
            return _decode_as(data, self.name)
        parts = [_decode_as(part, name) for name, part in self._split_by_encoding(data)]
        return Decoded(b"".join(part.data for part in parts), self.name, sum(part.undecodable for part in parts))

    def _may_be_mixed(self, data: bytes) -> bool:
        """Whether UTF-8 contains NULs around a blank, or UTF-16 contains line ends of another encoding."""
        if self.name == "utf-8":
            return b"\0" in data and b"\0 \0" in data
        return data.count(b"\n") != data.count(_LINE_ENDS[self.name])

    def _split_by_encoding(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """The parts of `data`, each with its encoding."""
        done = 0
        end = b"" if self.name == "utf-16-be" else _NO_LITTLE_END
        for lines in re.compile(_WITHOUT_NULS % end).finditer(data):
            if len(lines[0]) >= _MIN_BYTES and _is_mostly_utf8(lines[0]):
                yield self._with_nuls(data[done : lines.start()])
                yield "utf-8", lines[0]
                done = lines.end()
        yield self._with_nuls(data[done:])

    def _with_nuls(self, part: bytes) -> tuple[str, bytes]:
        """A part that contains NULs, without its mark: UTF-16 if they suggest it, else the input's encoding."""
        for mark, name in _BOMS[1:]:
            if part.startswith(mark):
                return name, part[len(mark) :]
        return (len(part) >= _MIN_BYTES and _detect_utf16(part)) or self.name, part


def _decode_as(data: bytes, name: str) -> Decoded:
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
    """Whether bytes are UTF-8. Ten times as fast as decoding, which would build an unused string."""
    try:
        pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return True


def detect_encoding(head: bytes) -> Encoding:
    """Detects an encoding from an input's first bytes: byte order mark, then UTF-16 by its NULs, else UTF-8.

    Code pages are not guessed: one stray byte in a UTF-8 log makes every detector that was tried choose a wrong one.
    """
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return Encoding(encoding, len(mark))
    detected = _detect_utf16(head[:HEAD_BYTES])
    return Encoding(detected if detected and detected == _detect_utf16(head[:_START_BYTES]) else "utf-8", 0)


def decode(data: bytes) -> Decoded:
    """Decodes a complete input."""
    encoding = detect_encoding(data)
    return encoding.decode(data[encoding.mark :])


def _detect_utf16(head: bytes) -> str | None:
    """The UTF-16 variant, or None. It has NULs in every second byte, since all log text except the bars is ASCII."""
    if b"\0" not in head:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) / 2
    if odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.1 * half:
        return "utf-16-be"
    return None
