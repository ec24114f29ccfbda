"""Restores carriage returns that a capture spelled out or replaced, so that each refresh of a bar can be parsed."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

MARKS: Final = ("\\r", "#015", "^M", "\\x0d", "\\u000d", "<0x0D>", "␍")
"""Spellings of a carriage return by programs that show control characters: syslog, `cat -v`, editors."""
COLUMN_ONE: Final = r"\x1b\[[01]?G"
"""Written by some terminals in its place: the cursor moves to the first column."""
_ANY_MARK: Final = "|".join(map(re.escape, MARKS))
"""For texts with many bars, an alternation is 15 times as fast as a search for several texts."""
_BAR: Final = "%|"
_BLANK_BETWEEN_BARS: Final = r"(\[[0-9:?]+<[^\]\r]*\])[ \t]+([^\[\]|\r]{1,200}%\|)"
"""Two refreshes separated only by blanks: the carriage return became a blank."""


def has_spelled_returns(texts: pl.Series) -> pl.Series:
    """Whether each text contains refreshes whose carriage returns are spelled out or missing."""
    bars, returns = (texts.str.count_matches(mark, literal=True) for mark in (_BAR, "\r"))
    is_marked = texts.str.contains(_ANY_MARK) & (bars > 0)
    is_joined = bars > returns + 1  # before the slower expression, which few texts need
    if is_joined.any():
        is_joined = is_joined.scatter(is_joined.arg_true(), texts.filter(is_joined).str.contains(_BLANK_BETWEEN_BARS))
    return is_marked | is_joined


def restore_returns(texts: pl.Series) -> pl.Series:
    """The texts with a carriage return before each refresh."""
    spelled = texts.str.replace_many(list(MARKS), ["\r"] * len(MARKS))
    return spelled.str.replace_all(_BLANK_BETWEEN_BARS, "${1}\r${2}")
