"""Explains lines that nearly match a message: where parsing stopped, and what was expected there."""

from __future__ import annotations

import polars as pl

from loganalyzer.grammar.compiled import Grammars


def explain_near_misses(near: pl.DataFrame, grammars: Grammars) -> pl.DataFrame:
    """`near` with `column` and `expected`: where parsing stopped and what the grammar expected there."""
    unexplained = near.with_columns(pl.lit(None, pl.Int64).alias("column"), pl.lit(None, pl.String).alias("expected"))
    if near.is_empty():
        return unexplained
    from loganalyzer.grammar.meaning import Stopped, parse_line  # imports pyparsing, which most logs do not need

    patterns = grammars.by_id
    stops = [parse_line(patterns[name], text) for name, text in near.select("pattern", "text").rows()]
    stopped = [stop if isinstance(stop, Stopped) else Stopped(1, "") for stop in stops]
    return unexplained.with_columns(
        pl.Series("column", [stop.column for stop in stopped], dtype=pl.Int64),
        pl.Series("expected", [stop.expected for stop in stopped], dtype=pl.String),
    )
