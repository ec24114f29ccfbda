"""Bytes of unknown encoding to valid UTF-8, saying what was lost on the way."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

_HEAD = 1 << 16
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Valid UTF-8, the encoding it was read from, and how many bytes had to be replaced."""

    data: bytes
    encoding: str
    undecodable: int


def decode(data: bytes) -> Decoded:
    """Byte order mark first, then UTF-16 by its NUL pattern, strict UTF-8, UTF-8 with replacement.

    No code page is guessed: one stray byte in a UTF-8 log makes every detector tried choose a wrong one.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], encoding)
    return _decoded(data, _utf16_without_mark(data) or "utf-8")


def _utf16_without_mark(data: bytes) -> str | None:
    """UTF-16 shows as NULs in every second byte, since what the logs print is ASCII but for the bars."""
    head = data[:_HEAD]
    if b"\0" not in head:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) / 2
    if odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.1 * half:
        return "utf-16-be"
    return None


def _decoded(data: bytes, encoding: str) -> Decoded:
    if encoding == "utf-8" and data.isascii():
        return Decoded(data, encoding, 0)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        kept = data.decode(encoding, "ignore").encode(encoding, "surrogatepass")
        replaced = data.decode(encoding, "replace").encode("utf-8", "replace")
        return Decoded(replaced, encoding, len(data) - len(kept))
    return Decoded(data if encoding == "utf-8" else text.encode("utf-8", "replace"), encoding, 0)
