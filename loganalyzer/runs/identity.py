"""Makes IDs of runs and prompts from a log's content and line, so that every machine gives the same IDs."""

from __future__ import annotations

import polars as pl

from loganalyzer.tables.frames import left_join, sort_by

DIGEST = 10
"""Number of characters of an input's digest at the start of its IDs."""


def with_ids(frame: pl.DataFrame, lanes: pl.DataFrame, sources: pl.DataFrame, *, letter: str) -> pl.DataFrame:
    """`frame` (lane, line, place) with source (name), stream and `id`: digest, letter and line, e.g. `3f2a…-R4`.

    `sources` has number, source, digest. Further rows of the same line get a suffix: `.2`, `.3` and so on.
    """
    inputs = sources.select(pl.col("number").alias("source"), pl.col("source").alias("name"), "digest")
    named = left_join(lanes, inputs, ["source"]).select("lane", pl.col("name").alias("source"), "stream", "digest")
    name = pl.concat_str([pl.col("digest").str.head(DIGEST), pl.lit(f"-{letter}"), pl.col("line").cast(pl.String)])
    if frame["line"].is_duplicated().any():
        again = pl.int_range(pl.len()).over("digest", "line")
        extra = pl.concat_str([pl.lit("."), (again + 1).cast(pl.String)])
        name = pl.concat_str([name, pl.when(again > 0).then(extra).otherwise(pl.lit(""))])
    return left_join(sort_by(frame, "lane", "place"), named, ["lane"]).with_columns(name.alias("id")).drop("digest")
