"""Builds the windows of ComfyUI's own InfiniteTalk: the range is on a line, the steps are in the bar that follows.

The node gets P previous frames and repeats the last M of them, so its window reads audio [P - M, P - M + W). The first
window has no line: its range follows from the second window's, or from the configured schedule.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.runs import native_bars, native_samplers
from loganalyzer.runs.stages import assign_stage
from loganalyzer.runs.timeline import Timeline
from loganalyzer.runs.window_lines import LINE
from loganalyzer.tables.frames import group_agg, join_nearest, left_join, sort_by

INFERRED: Final = "inferred"


def find_bars(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """The refreshes of native stages with stage and `segment`: the number of windows announced above, from 0.

    Of several bars between two lines, the first is the sampler's.
    """
    own = stages.filter(native_samplers.is_native())
    rows = native_bars.find_refreshes(timeline)
    if own.is_empty() or rows.is_empty():
        return rows.clear().with_columns(*_NOTHING)
    firsts = group_agg(rows, ["drawn"], pl.col("lane", "place", "prompt", "is_wan").first())
    placed = assign_stage(firsts.filter(pl.col("is_wan").fill_null(value=True)), stages).filter(
        pl.col("stage").is_in(own["stage"].implode()),
    )
    lines = find_ranges(timeline, stages).select("lane", "place", "segment", pl.col("stage").alias("its_stage"))
    found = join_nearest(placed.pipe(sort_by, "lane", "place"), lines).with_columns(
        pl.when(pl.col("its_stage") == pl.col("stage")).then("segment").otherwise(0).alias("segment")
    )
    chosen = group_agg(found, ["stage", "segment"], pl.col("drawn").first())
    return rows.join(chosen, on="drawn", maintain_order="left")


_NOTHING: Final = (pl.lit(None, pl.UInt32).alias("stage"), pl.lit(None, pl.Int64).alias("segment"))


def find_ranges(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """The lines that announce windows, with stage and segment (from 1 in each stage)."""
    printed = timeline.records("native-range").select("lane", "place", "line", "prompt", "audio_start", "audio_end")
    printed = printed.filter(
        ((pl.col("audio_start") >= 0) & (pl.col("audio_end") > pl.col("audio_start"))).fill_null(value=False)
    )
    own = stages.filter(pl.col("kind") == native_samplers.TALKING)["stage"]
    placed = assign_stage(printed, stages).filter(pl.col("stage").is_in(own.implode())).pipe(sort_by, "lane", "place")
    return placed.with_columns((pl.int_range(pl.len()).over("stage") + 1).alias("segment"))


def observed_schedule(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, seen_window, seen_stride, first_end, is_second: the schedule that the lines show.

    Each window starts one stride after the previous one. If all windows have the same length, the second window's start
    is the stride. If the first line starts beyond one window length (`is_second` is false), it does not determine the
    stride: the first window was longer, or earlier windows ran in an earlier prompt.
    """
    start, width = pl.col("audio_start"), pl.col("audio_end") - pl.col("audio_start")
    step = start - pl.when(pl.col("stage") == pl.col("stage").shift(1)).then(start.shift(1))
    measured = find_ranges(timeline, stages).with_columns(width.alias("width"), step.alias("step"))
    found = measured.pipe(
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


def with_announced_ranges(known: pl.DataFrame, timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """`known` (windows with `range_source`) with the ranges that native lines announce, even without a bar."""
    own = stages.filter(pl.col("kind") == native_samplers.TALKING)
    if own.is_empty():
        return known
    lines = (
        find_ranges(timeline, stages)
        .filter(pl.col("stage").is_in(own["stage"].implode()))
        .select("stage", "segment", "audio_start", "audio_end", "line", "place")
    )
    rest = known.filter(pl.col("segment").is_null() | ~pl.col("stage").is_in(own["stage"].implode()))
    own_windows = known.filter(pl.col("segment").is_not_null() & pl.col("stage").is_in(own["stage"].implode()))
    both = pl.concat(
        [
            lines.select("stage", "segment"),
            own_windows.select("stage", "segment"),
            _unseen_first_windows(own, own_windows, timeline, stages),
        ]
    )
    shown = left_join(
        both.unique().pipe(sort_by, "stage", "segment"),
        lines.rename({"line": "its_line", "place": "its_place"}),
        ["stage", "segment"],
    )
    drawn = own_windows.drop("audio_start", "audio_end", "range_source")
    filled = left_join(shown, drawn, ["stage", "segment"]).with_columns(
        pl.coalesce("line", "its_line").alias("line"),
        pl.coalesce("place", "its_place").alias("place"),
        pl.coalesce("bar", -1 - pl.int_range(pl.len())).alias("bar"),
        (pl.col("segment") + 1).alias("order"),
        pl.when(pl.col("audio_start").is_not_null()).then(pl.lit(LINE)).alias("range_source"),
    )
    return pl.concat([rest, filled.select(rest.columns)], how="vertical_relaxed").pipe(sort_by, "stage", "order")


def _unseen_first_windows(
    own: pl.DataFrame, own_windows: pl.DataFrame, timeline: Timeline, stages: pl.DataFrame
) -> pl.DataFrame:
    """stage, segment (0): first windows that only the second window's line reveals.

    If later windows have bars and the first has none, the first was not sampled in this prompt.
    """
    barred = own_windows["stage"].unique()
    chained = observed_schedule(timeline, stages).filter(pl.col("first_end").is_not_null() & pl.col("is_second"))[
        "stage"
    ]
    silent = own.filter(~pl.col("stage").is_in(barred.implode()) & pl.col("stage").is_in(chained.implode()))
    return silent.select("stage", pl.lit(0, pl.Int64).alias("segment"))


def with_first_ranges(found: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """`found` with the ranges of first windows, which no line prints; `stages` has kind, first_end, window_frames."""
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
