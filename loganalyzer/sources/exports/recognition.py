"""How many lines of a text the patterns may know: by that the field which carries the messages is found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

import polars as pl

from loganalyzer.grammar.compiled import Grammars, compile_all
from loganalyzer.grammar.load import load_all, wrappers
from loganalyzer.grammar.lower import lower

_SHORTEST: Final = 6
"""Characters of a fixed text that tells something where nothing else is known of the text around it."""
BAR: Final = "%|"
_COLOR: Final = r"\x1b\[[0-9;]*m"
_BOUNDARY: Final = "(?:^|[^0-9A-Za-z_])"
"""What the expression of a pattern begins with, and that of a prefix does not."""


@cache
def _grammars() -> Grammars:
    return compile_all(load_all(()))


@cache
def fixed_texts() -> tuple[str, ...]:
    """The texts of which one stands in every message of the shipped patterns, and the mark of a progress bar."""
    return (BAR, *(text for text in _grammars().anchors if len(text) >= _SHORTEST))


def recognized(texts: Iterable[str]) -> list[str]:
    """The lines of the texts, ended by line ends or carriage returns, in which such a text stands."""
    lines = pl.Series("text", list(texts), dtype=pl.String).str.replace_all("\r", "\n", literal=True)
    lines = lines.str.split("\n").explode()
    return lines.filter(lines.str.contains_any(list(fixed_texts())).fill_null(value=False)).to_list()


def are_wrapped(prefixes: Iterable[str]) -> bool:
    """Whether all of these stand in front of lines as the shipped wrappers do, one behind the other."""
    rest = pl.Series("prefix", list(prefixes), dtype=pl.String).str.replace_all(_COLOR, "").str.strip_chars() + " "
    for pattern in (*wrappers(), *wrappers()):
        regex = lower(pattern.nodes).regex.removeprefix(_BOUNDARY)
        rest = rest.str.replace(f"^(?:{regex})", "")
    return bool((rest.str.strip_chars() == "").all())


def values_told(texts: Sequence[str]) -> list[int]:
    """How many values the pattern that reads most of a text takes from it; 0 where none reads it."""
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
