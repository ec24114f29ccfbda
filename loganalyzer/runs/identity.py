"""Names for runs and prompts that follow from a log's content and place, whatever machine reads it."""

from __future__ import annotations

import polars as pl

from loganalyzer.tables.frames import left_join, sort_by

DIGEST = 10
"""Characters of an input's digest that its ids begin with."""


def with_ids(frame: pl.DataFrame, lanes: pl.DataFrame, sources: pl.DataFrame, *, letter: str) -> pl.DataFrame:
    """`frame` (lane, line, place) with source (name), stream and `id`: digest, letter and line, e.g. `3f2a…-R4`.

    `sources` has number, source, digest. A second one on the same line gets a further number.
    """
    inputs = sources.select(pl.col("number").alias("source"), pl.col("source").alias("name"), "digest")
    named = left_join(lanes, inputs, ["source"]).select("lane", pl.col("name").alias("source"), "stream", "digest")
    name = pl.concat_str([pl.col("digest").str.head(DIGEST), pl.lit(f"-{letter}"), pl.col("line").cast(pl.String)])
    if frame["line"].is_duplicated().any():
        again = pl.int_range(pl.len()).over("digest", "line")
        extra = pl.concat_str([pl.lit("."), (again + 1).cast(pl.String)])
        name = pl.concat_str([name, pl.when(again > 0).then(extra).otherwise(pl.lit(""))])
    return left_join(sort_by(frame, "lane", "place"), named, ["lane"]).with_columns(name.alias("id")).drop("digest")
