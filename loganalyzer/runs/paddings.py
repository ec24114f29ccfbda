"""Reads padding warnings: two lines each (a request and a length), one pair per speaker."""

from __future__ import annotations

import polars as pl

from loganalyzer.expectations.schedule import CONTEXT_FRAMES
from loganalyzer.runs.stages import assign_next_stage, assign_stage
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import anti_join, join_nearest, sort_by, with_schema
from loganalyzer.tables.schema import PADDINGS

_ROW = pl.Schema(
    {"stage": pl.UInt32, "place": pl.Int64}
    | {name: dtype for name, dtype in PADDINGS.items() if name not in ("run_id", "window")}
)


def find_paddings(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """One row per request: stage, place, subject, have, need, padding, missing, context, line.

    Silence or mirrored speech drives `missing` = need − have frames. `context` = padding − missing are frames that
    upstream adds as context for the last frame. `padding` is null if the second line is lost. If the first line is
    lost, `missing` follows from the length alone, and subject, have and need are null.
    """
    requests = _assign_paddings(timeline.records("padding-request"), stages)
    printed = timeline.records("padding-length")
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
        pl.concat([with_schema(pairs, _ROW), with_schema(_unpaired(timeline, paired.filter("own"), stages), _ROW)])
        .filter(pl.col("stage").is_not_null())
        .pipe(sort_by, "stage", "place")
    )


def _unpaired(timeline: Timeline, own: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """The lengths without a request above. Lengths after a stage's report do not count: sampling is over by then."""
    printed = timeline.records("padding-length")
    if printed.height == own.height:
        return printed.clear()
    known = own.select("lane", pl.col("length_place").alias("place"))
    unpaired = _assign_paddings(anti_join(printed, known, "lane", "place"), stages)
    reports = timeline.records("max-allocated").filter(~pl.col("phase").fill_null("").str.starts_with("WanVAE"))
    ended = assign_stage(reports, stages).select("lane", "place", pl.col("stage").alias("ended"))
    missing = pl.col("padding") - CONTEXT_FRAMES
    return (
        join_nearest(sort_by(unpaired, "lane", "place"), sort_by(ended, "lane", "place"))
        .filter((missing >= 0) & pl.col("ended").ne_missing(pl.col("stage")))
        .with_columns(missing.alias("missing"), pl.lit(CONTEXT_FRAMES).alias("context"))
    )


def _assign_paddings(frame: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """`frame` with the stage of each row: the last stage before it, or the next one if the log begins in a stage."""
    found = assign_stage(frame, stages)
    above = found.filter(pl.col("stage").is_null()).drop("stage")
    if above.is_empty():
        return found
    ahead = assign_next_stage(above, stages.filter(pl.col("kind") == "bars"))
    known = found.filter(pl.col("stage").is_not_null())
    return pl.concat([known, ahead.select(known.columns)]).pipe(sort_by, "lane", "place")
