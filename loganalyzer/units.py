"""Figures as people write them."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


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
    """`1 run`, `3 runs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def printable(text: str) -> str:
    """`text` without anything that steers a terminal: control characters are shown as escapes.

    Logs, file names and exception messages are foreign text.
    """
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text).replace("\n", " ").replace("\t", " ")
