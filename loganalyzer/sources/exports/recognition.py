"""Counts lines of a text that the patterns may recognize, to find the field that contains the messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

import polars as pl

from loganalyzer.grammar.compiled import Grammars, compile_all
from loganalyzer.grammar.load import load_all, load_prefixes
from loganalyzer.grammar.lower import lower

_MIN_TEXT_LENGTH: Final = 6
"""Minimum length of a fixed text that is conclusive without knowledge of the text around it."""
BAR: Final = "%|"
_COLOR: Final = r"\x1b\[[0-9;]*m"
_BOUNDARY: Final = "(?:^|[^0-9A-Za-z_])"
"""The regex of a pattern starts with this; that of a prefix does not."""


@cache
def _grammars() -> Grammars:
    return compile_all(load_all(()))


@cache
def fixed_texts() -> tuple[str, ...]:
    """Fixed texts, one of which is in every message of the shipped patterns, and the mark of a progress bar."""
    return (BAR, *(text for text in _grammars().anchors if len(text) >= _MIN_TEXT_LENGTH))


def recognized_lines(texts: Iterable[str]) -> list[str]:
    """The lines of the texts, split at line ends and carriage returns, that contain such a fixed text."""
    lines = pl.Series("text", list(texts), dtype=pl.String).str.replace_all("\r", "\n", literal=True)
    lines = lines.str.split("\n").explode()
    return lines.filter(lines.str.contains_any(list(fixed_texts())).fill_null(value=False)).to_list()


def are_prefixes(prefixes: Iterable[str]) -> bool:
    """Whether each of these is a sequence of shipped prefixes."""
    rest = pl.Series("prefix", list(prefixes), dtype=pl.String).str.replace_all(_COLOR, "").str.strip_chars() + " "
    for pattern in (*load_prefixes(), *load_prefixes()):
        regex = lower(pattern.nodes).regex.removeprefix(_BOUNDARY)
        rest = rest.str.replace(f"^(?:{regex})", "")
    return bool((rest.str.strip_chars() == "").all())


def count_values(texts: Sequence[str]) -> list[int]:
    """For each text the number of values of the pattern that extracts most values from it; 0 if none matches."""
    best = [0] * len(texts)
    column = pl.Series("text", texts, dtype=pl.String)
    for item in _grammars().compiled if texts else ():
        if not column.str.contains_any(list(item.anchors)).any():
            continue
        fits, values = item.lowered.read(column)
        counts = [1 + sum(value is not None for value in row) for row in values.rows()] or [1] * int(fits.sum())
        for place, count in zip(fits.arg_true().to_list(), counts, strict=True):
            best[place] = max(best[place], count)
    return best
