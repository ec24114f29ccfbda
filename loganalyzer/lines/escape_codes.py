"""What terminals and web pages leave in a text and nobody sees there: codes, NULs, characters without a width."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.lines.carriage_returns import COLUMN_ONE

INVISIBLE: Final = (
    *("\x1b", "\0", "\x9b", "\xad", "\u200b", "\u2060", "\ufeff"),
    *("\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"),
)
"""They can stand inside a message's fixed text: what begins a terminal's code, and what shows as nothing, such as marks
of a text's direction."""
FIXED_BLANKS: Final = ("\xa0", "\u202f")
"""Blanks that do not break, as web pages and word processors have them."""
INSIDE_TEXT: Final = (*INVISIBLE, *FIXED_BLANKS)

_CODE = (
    r"(?:\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]"  # colours, cursor moves
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # a window's title, a link
    r"|\x1b[PX^_][^\x1b]*\x1b\\"
    r"|\x1b[#%()*+./-][0-~]"  # character sets
    r"|\x1b[0-Z\\-_c]"
)
_LEFT = f"[{''.join(INVISIBLE)}]"
_BLANK = f"[{''.join(FIXED_BLANKS)}]"


def is_odd(text: pl.Expr) -> pl.Expr:
    """Which texts hold any of it."""
    return text.str.contains_any(list(INSIDE_TEXT))


def cleaned(text: pl.Expr) -> pl.Expr:
    """The texts as they are read on a screen."""
    return (
        text.str.replace_all(COLUMN_ONE, "\r")
        .str.replace_all(_CODE, "")
        .str.replace_all(_LEFT, "")
        .str.replace_all(_BLANK, " ")
    )
