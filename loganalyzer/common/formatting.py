"""Formats numbers and names for people."""

from __future__ import annotations

import re

_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
_SURROGATE = r"[\ud800-\udfff]"
"""Python considers none of these printable, so most texts need no regex."""


def duration(seconds: float | None) -> str:
    """`8.4 s`, `1 min 52 s`, `2 h 5 min`; a dash for None."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    total = round(seconds)
    if total < 3600:
        return f"{total // 60} min {total % 60} s"
    return f"{total // 3600} h {total % 3600 // 60} min"


def plural(count: int, noun: str) -> str:
    """`1 run`, `3 runs`, `64,409 runs`."""
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s"


def printable(text: str) -> str:
    """`text` with escapes in place of characters that control a terminal or cannot be encoded.

    Logs, file names and exception messages are untrusted text.
    """
    if text.isprintable():
        return text
    return re.sub(_CONTROL, _escape, text).replace("\n", " ").replace("\t", " ")


def one_line(name: str) -> str:
    """A name on one line, as messages quote it; different names stay different."""
    return printable(name.replace("\n", r"\n").replace("\t", r"\t"))


def flowing(text: str) -> str:
    """A text of several lines on one line, e.g. a fix with its commands."""
    return " ".join(text.split())


def encodable(name: str) -> str:
    """A name that can be encoded: bytes that are not UTF-8, which Python keeps as surrogates, become escapes."""
    return name if name.isprintable() else re.sub(_SURROGATE, _escape, name)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
