"""Padding warnings: two lines each, a request and a length, one pair per speaker."""

from __future__ import annotations

import polars as pl

from loganalyzer.rows import extended, in_order, nearest, only, selected
from loganalyzer.runs.stages import assign
from loganalyzer.runs.timeline import Timeline


def paddings(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """One row per request: stage, place, subject, have, need, padding, missing, context, line.

    `missing` = need − have frames are driven by silence or mirrored speech; `context` = padding − missing are the
    frames upstream adds for the neighbourhood of the last one. `padding` is null where the second line is lost.
    """
    requests = assign(timeline.event("padding-request"), stages)
    lengths = timeline.event("padding-length").pipe(
        selected,
        "lane",
        "place",
        "padding",
        pl.col("place").alias("length_place"),
        pl.col("prompt").alias("length_prompt"),
    )
    paired = nearest(in_order(requests, "lane", "place"), lengths, ahead=True)
    again = pl.col("length_place") == pl.col("length_place").shift(-1).over("lane", order_by="place")
    own = ~again.fill_null(value=False) & (pl.col("length_prompt") == pl.col("prompt"))
    missing = pl.col("need") - pl.col("have")
    return (
        paired.pipe(extended, pl.when(own).then("padding").alias("padding"))
        .pipe(extended, missing.alias("missing"), (pl.col("padding") - missing).alias("context"))
        .pipe(only, pl.col("stage").is_not_null())
        .pipe(selected, "stage", "place", "subject", "have", "need", "padding", "missing", "context", "line")
        .pipe(in_order, "stage", "place")
    )
