"""Windows of ComfyUI's own InfiniteTalk: the range comes from a line, the steps from the bar behind it.

P frames are handed to the node, of which it shows the last M again, so that its window reads audio [P - M, P - M + W).
The first window has no line: its range follows from the second one's, or from the configured schedule.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.runs import native_bars, native_samplers
from loganalyzer.runs.stages import assign
from loganalyzer.runs.timeline import Timeline
from loganalyzer.runs.window_lines import LINE
from loganalyzer.tables.frames import group_agg, join_nearest, left_join, sort_by

INFERRED: Final = "inferred"


def bars(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """The refreshes of native stages with stage and `segment`: how many windows were announced above, from 0.

    Of several bars between two lines the first is the sampler's.
    """
    own = stages.filter(native_samplers.is_native())
    rows = native_bars.refreshes(timeline)
    if own.is_empty() or rows.is_empty():
        return rows.clear().with_columns(*_NOTHING)
    begun = group_agg(rows, ["drawn"], pl.col("lane", "place", "prompt", "is_wan").first())
    placed = assign(begun.filter(pl.col("is_wan").fill_null(value=True)), stages).filter(
        pl.col("stage").is_in(own["stage"].implode()),
    )
    lines = ranges(timeline, stages).select("lane", "place", "segment", pl.col("stage").alias("its_stage"))
    found = join_nearest(placed.pipe(sort_by, "lane", "place"), lines).with_columns(
        pl.when(pl.col("its_stage") == pl.col("stage")).then("segment").otherwise(0).alias("segment")
    )
    chosen = group_agg(found, ["stage", "segment"], pl.col("drawn").first())
    return rows.join(chosen, on="drawn", maintain_order="left")


_NOTHING: Final = (pl.lit(None, pl.UInt32).alias("stage"), pl.lit(None, pl.Int64).alias("segment"))


def ranges(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """The lines that announce windows, with stage and segment (from 1 in each stage)."""
    told = timeline.event("native-range").select("lane", "place", "line", "prompt", "audio_start", "audio_end")
    told = told.filter(
        ((pl.col("audio_start") >= 0) & (pl.col("audio_end") > pl.col("audio_start"))).fill_null(value=False)
    )
    own = stages.filter(pl.col("kind") == native_samplers.TALKING)["stage"]
    placed = assign(told, stages).filter(pl.col("stage").is_in(own.implode())).pipe(sort_by, "lane", "place")
    return placed.with_columns((pl.int_range(pl.len()).over("stage") + 1).alias("segment"))


def schedule(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, seen_window, seen_stride, first_end, is_second: as the lines show it.

    Each next window starts a stride later; where all are the same, the second window starts a stride behind the first.
    A first line that begins behind the window's own length (`is_second` is false) tells no stride by itself: the first
    window was longer, or windows before it ran in an earlier prompt.
    """
    start, width = pl.col("audio_start"), pl.col("audio_end") - pl.col("audio_start")
    step = start - pl.when(pl.col("stage") == pl.col("stage").shift(1)).then(start.shift(1))
    told = ranges(timeline, stages).with_columns(width.alias("width"), step.alias("step"))
    found = told.pipe(
        group_agg,
        ["stage"],
        pl.col("width").mode().min().alias("seen_window"),
        pl.col("step").filter(pl.col("step") > 0).mode().min().alias("step"),
        start.first().alias("second"),
    )
    is_second = pl.col("second") <= pl.col("seen_window")
    stride = pl.coalesce("step", pl.when(is_second).then("second"))
    first_end = pl.col("second") + pl.col("seen_window") - stride
    return found.select(
        "stage",
        "seen_window",
        pl.when(stride > 0).then(stride).alias("seen_stride"),
        pl.when((stride > 0) & (first_end > 0)).then(first_end).alias("first_end"),
        is_second.alias("is_second"),
    )


def announced(known: pl.DataFrame, timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """`known` (windows, with `range_source`) with the ranges that native lines announce, also where no bar is there."""
    own = stages.filter(pl.col("kind") == native_samplers.TALKING)
    if own.is_empty():
        return known
    lines = (
        ranges(timeline, stages)
        .filter(pl.col("stage").is_in(own["stage"].implode()))
        .select("stage", "segment", "audio_start", "audio_end", "line", "place")
    )
    rest = known.filter(pl.col("segment").is_null() | ~pl.col("stage").is_in(own["stage"].implode()))
    mine = known.filter(pl.col("segment").is_not_null() & pl.col("stage").is_in(own["stage"].implode()))
    both = pl.concat(
        [
            lines.select("stage", "segment"),
            mine.select("stage", "segment"),
            _first(own, mine, timeline, stages),
        ]
    )
    shown = left_join(
        both.unique().pipe(sort_by, "stage", "segment"),
        lines.rename({"line": "its_line", "place": "its_place"}),
        ["stage", "segment"],
    )
    drawn = mine.drop("audio_start", "audio_end", "range_source")
    filled = left_join(shown, drawn, ["stage", "segment"]).with_columns(
        pl.coalesce("line", "its_line").alias("line"),
        pl.coalesce("place", "its_place").alias("place"),
        pl.coalesce("bar", -1 - pl.int_range(pl.len())).alias("bar"),
        (pl.col("segment") + 1).alias("order"),
        pl.when(pl.col("audio_start").is_not_null()).then(pl.lit(LINE)).alias("range_source"),
    )
    return pl.concat([rest, filled.select(rest.columns)], how="vertical_relaxed").pipe(sort_by, "stage", "order")


def _first(own: pl.DataFrame, mine: pl.DataFrame, timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, segment (0) of first windows of which nothing is in the log but the window behind it.

    Where later windows have bars and the first has none, it was not sampled in this prompt.
    """
    barred = mine["stage"].unique()
    chained = schedule(timeline, stages).filter(pl.col("first_end").is_not_null() & pl.col("is_second"))["stage"]
    silent = own.filter(~pl.col("stage").is_in(barred.implode()) & pl.col("stage").is_in(chained.implode()))
    return silent.select("stage", pl.lit(0, pl.Int64).alias("segment"))


def with_first(found: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """`found` with the range of first windows, which no line tells; `stages` has kind, first_end and window_frames."""
    ends = stages.select(
        "stage",
        pl.when(pl.col("kind") == native_samplers.TALKING)
        .then(pl.coalesce("first_end", "window_frames"))
        .alias("first_end"),
        pl.coalesce("first_end", pl.when(pl.col("seen_window").is_null()).then("window_frames"))
        .is_not_null()
        .alias("is_first"),
    )
    is_mine = (
        (pl.col("segment") == 0)
        & pl.col("audio_start").is_null()
        & pl.col("first_end").is_not_null()
        & pl.col("is_first")
    ).fill_null(value=False)
    return (
        left_join(found, ends, ["stage"])
        .with_columns(
            pl.when(is_mine).then(0).otherwise("audio_start").alias("audio_start"),
            pl.when(is_mine).then("first_end").otherwise("audio_end").alias("audio_end"),
            pl.when(is_mine).then(pl.lit(INFERRED)).otherwise("range_source").alias("range_source"),
        )
        .drop("first_end", "is_first")
    )
