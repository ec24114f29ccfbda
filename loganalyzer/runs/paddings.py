"""Padding warnings: two lines each, a request and a length, one pair per speaker."""

from __future__ import annotations

import polars as pl

from loganalyzer.expectations.schedule import CONTEXT_FRAMES
from loganalyzer.runs.stages import assign, assign_ahead
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import anti_join, join_nearest, sort_by, with_schema
from loganalyzer.tables.schema import PADDINGS

_ROW = pl.Schema(
    {"stage": pl.UInt32, "place": pl.Int64}
    | {name: dtype for name, dtype in PADDINGS.items() if name not in ("run_id", "window")}
)


def paddings(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """One row per request: stage, place, subject, have, need, padding, missing, context, line.

    `missing` = need − have frames are driven by silence or mirrored speech; `context` = padding − missing are the
    frames upstream adds for the neighbourhood of the last one. `padding` is null where the second line is lost. Where
    the first one is, the length alone tells what is missing, and subject, have and need are null.
    """
    requests = _assigned(timeline.event("padding-request"), stages)
    printed = timeline.event("padding-length")
    lengths = printed.select(
        "lane",
        "place",
        "padding",
        pl.col("place").alias("length_place"),
        pl.col("prompt").alias("length_prompt"),
    )
    paired = join_nearest(sort_by(requests, "lane", "place"), lengths, ahead=True)
    again = pl.col("length_place") == pl.col("length_place").shift(-1).over("lane", order_by="place")
    own = ~again.fill_null(value=False) & (pl.col("length_prompt") == pl.col("prompt"))
    paired = paired.with_columns(own.alias("own"))
    missing = pl.col("need") - pl.col("have")
    pairs = paired.with_columns(pl.when("own").then("padding").alias("padding")).with_columns(
        missing.alias("missing"), (pl.col("padding") - missing).alias("context")
    )
    return (
        pl.concat([with_schema(pairs, _ROW), with_schema(_lone(timeline, paired.filter("own"), stages), _ROW)])
        .filter(pl.col("stage").is_not_null())
        .pipe(sort_by, "stage", "place")
    )


def _lone(timeline: Timeline, own: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """The lengths that no request stands above; not those behind a stage's report, when its sampling is over."""
    printed = timeline.event("padding-length")
    if printed.height == own.height:
        return printed.clear()
    known = own.select("lane", pl.col("length_place").alias("place"))
    lone = _assigned(anti_join(printed, known, "lane", "place"), stages)
    reports = timeline.event("max-allocated").filter(~pl.col("phase").fill_null("").str.starts_with("WanVAE"))
    ended = assign(reports, stages).select("lane", "place", pl.col("stage").alias("ended"))
    missing = pl.col("padding") - CONTEXT_FRAMES
    return (
        join_nearest(sort_by(lone, "lane", "place"), sort_by(ended, "lane", "place"))
        .filter((missing >= 0) & pl.col("ended").ne_missing(pl.col("stage")))
        .with_columns(missing.alias("missing"), pl.lit(CONTEXT_FRAMES).alias("context"))
    )


def _assigned(frame: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """`frame` with the stage of each row: the last one opened; where a log begins behind a header, the one to come."""
    found = assign(frame, stages)
    above = found.filter(pl.col("stage").is_null()).drop("stage")
    if above.is_empty():
        return found
    ahead = assign_ahead(above, stages.filter(pl.col("kind") == "bars"))
    known = found.filter(pl.col("stage").is_not_null())
    return pl.concat([known, ahead.select(known.columns)]).pipe(sort_by, "lane", "place")
