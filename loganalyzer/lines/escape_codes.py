"""Removes what terminals and web pages leave in a text but do not show: escape codes, NULs, zero-width characters."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.lines.carriage_returns import COLUMN_ONE

INVISIBLE: Final = (
    *("\x1b", "\0", "\x9b", "\xad", "\u200b", "\u2060", "\ufeff"),
    *("\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"),
)
"""Can occur inside a message's fixed text: first characters of escape codes, and characters that are not shown, e.g.
marks of text direction."""
FIXED_BLANKS: Final = ("\xa0", "\u202f")
"""No-break spaces, as web pages and word processors insert them."""
INSIDE_TEXT: Final = (*INVISIBLE, *FIXED_BLANKS)

_CODE = (
    r"(?:\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]"  # colors, cursor moves
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # a window's title, a link
    r"|\x1b[PX^_][^\x1b]*\x1b\\"
    r"|\x1b[#%()*+./-][0-~]"  # character sets
    r"|\x1b[0-Z\\-_c]"
)
_INVISIBLE_CLASS = f"[{''.join(INVISIBLE)}]"
_BLANK_CLASS = f"[{''.join(FIXED_BLANKS)}]"


def has_invisible(text: pl.Expr) -> pl.Expr:
    """Whether each text contains any of these."""
    return text.str.contains_any(list(INSIDE_TEXT))


def strip_codes(text: pl.Expr) -> pl.Expr:
    """The texts as a screen shows them."""
    return (
        text.str.replace_all(COLUMN_ONE, "\r")
        .str.replace_all(_CODE, "")
        .str.replace_all(_INVISIBLE_CLASS, "")
        .str.replace_all(_BLANK_CLASS, " ")
    )
