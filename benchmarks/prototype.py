"""The least that a parser can do with the bars of a log: `python benchmarks/prototype.py LOG FILE.parquet`.

A bare polars query: lines cut at carriage returns, those with the fixed words of the windows' bars kept, the bars'
groups captured, one Parquet file written. No damage is looked for, no run rebuilt, nothing checked. It prints how many
rows it wrote. `speed.py` times it beside the whole command, to tell the work on text from all that is done with it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from loganalyzer.grammar import load
from loganalyzer.grammar.compiled import compile_all

PATTERN = "window-bar-audio"
_NEVER = "\x01"
"""A column separator that no log holds, so that each line is one column."""


def bars(log: Path, written: Path) -> int:
    """Write a row for each refresh, a column for each group that the pattern captures; how many rows there are."""
    (pattern,) = (item for item in compile_all(load.load_shipped()).compiled if item.pattern.id == PATTERN)
    text = pl.col("text")
    (
        pl.scan_csv(log, has_header=False, separator=_NEVER, quote_char=None, new_columns=["text"])
        .select(text.str.split("\r").list.explode(keep_nulls=False, empty_as_null=False))
        .filter(pl.any_horizontal(text.str.contains(anchor, literal=True) for anchor in pattern.anchors))
        .select(text.str.extract_groups(pattern.lowered.regex).struct.unnest())
        .sink_parquet(written)
    )
    rows: int = pl.scan_parquet(written).select(pl.len()).collect().item()
    return rows


if __name__ == "__main__":
    print(bars(Path(sys.argv[1]), Path(sys.argv[2])))
