"""Carriage returns that a capture spelled out or replaced, put back, so that each refresh of a bar is read."""

from __future__ import annotations

from typing import Final

import polars as pl

MARKS: Final = ("\\r", "#015", "^M", "\\x0d", "\\u000d", "<0x0D>", "␍")
"""How a carriage return is spelled by programs that show control characters: syslog, `cat -v`, editors."""
COLUMN_ONE: Final = r"\x1b\[[01]?G"
"""What some terminals write instead of it: the cursor goes to the first column."""
_BAR: Final = "%|"
_JOINED: Final = r"(\[[0-9:?]+<[^\]\r]*\])[ \t]+([^\[\]|\r]{1,200}%\|)"
"""Two refreshes with nothing but blanks between them: the carriage return became a blank."""


def is_spelled(texts: pl.Series) -> pl.Series:
    """Which of the texts hold refreshes whose carriage returns are not there as such."""
    bars, returns = (texts.str.count_matches(mark, literal=True) for mark in (_BAR, "\r"))
    is_marked = texts.str.contains_any(list(MARKS)) & (bars > 0)
    is_joined = bars > returns + 1  # before the slower expression, which few texts need
    if is_joined.any():
        is_joined = is_joined.scatter(is_joined.arg_true(), texts.filter(is_joined).str.contains(_JOINED))
    return is_marked | is_joined


def restored(texts: pl.Series) -> pl.Series:
    """The texts with a carriage return in front of each refresh."""
    spelled = texts.str.replace_many(list(MARKS), ["\r"] * len(MARKS))
    return spelled.str.replace_all(_JOINED, "${1}\r${2}")
