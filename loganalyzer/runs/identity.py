"""Names for runs and prompts that follow from a log's content and place, whatever machine reads it."""

from __future__ import annotations

import polars as pl

DIGEST = 10
"""Characters of an input's digest that its ids begin with."""


def with_ids(frame: pl.DataFrame, lanes: pl.DataFrame, sources: pl.DataFrame, *, letter: str) -> pl.DataFrame:
    """`frame` (lane, line, place) with source (name), stream and `id`: digest, letter and line, e.g. `3f2a…-R4`.

    `sources` has number, source, digest. A second one on the same line gets a further number.
    """
    named = lanes.join(sources, left_on="source", right_on="number", how="left").select(
        "lane", pl.col("source_right").alias("source"), "stream", "digest"
    )
    again = pl.int_range(pl.len()).over("digest", "line")
    base = pl.concat_str([pl.col("digest").str.head(DIGEST), pl.lit(f"-{letter}"), pl.col("line").cast(pl.String)])
    extra = pl.concat_str([pl.lit("."), (again + 1).cast(pl.String)])
    return (
        frame.sort("lane", "place")
        .join(named, on="lane", how="left", maintain_order="left")
        .with_columns(pl.concat_str([base, pl.when(again > 0).then(extra).otherwise(pl.lit(""))]).alias("id"))
        .drop("digest")
    )
