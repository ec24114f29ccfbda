"""Figures as people write them."""

from __future__ import annotations

import re

_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
_SURROGATE = r"[\ud800-\udfff]"
"""Nothing of either is printable to Python, which tells so of most texts without an expression to be compiled."""


def duration(seconds: float | None) -> str:
    """`8.4 s`, `1 min 52 s`, `2 h 5 min`; a dash for None."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def plural(count: int, noun: str) -> str:
    """`1 run`, `3 runs`, `64,409 runs`."""
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s"


def printable(text: str) -> str:
    """`text` without anything that steers a terminal or cannot be encoded: such characters are shown as escapes.

    Logs, file names and exception messages are foreign text.
    """
    if text.isprintable():
        return text
    return re.sub(_CONTROL, _escape, text).replace("\n", " ").replace("\t", " ")


def one_line(name: str) -> str:
    """A name as a message quotes it: on one line, and told from every other name."""
    return printable(name.replace("\n", r"\n").replace("\t", r"\t"))


def flowing(text: str) -> str:
    """A text of several lines on one line, e.g. a fix with its commands."""
    return " ".join(text.split())


def encodable(name: str) -> str:
    """A name as tables hold it: bytes that are no valid UTF-8, which Python keeps as surrogates, become escapes."""
    return name if name.isprintable() else re.sub(_SURROGATE, _escape, name)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
