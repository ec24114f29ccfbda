"""Builds the windows and steps of programs that print a line for each, and computes the windows' audio ranges."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.expectations import schedule
from loganalyzer.runs import program_samplers
from loganalyzer.runs.bars import Bars
from loganalyzer.runs.native.windows import INFERRED
from loganalyzer.runs.refreshes import MOST_STEPS
from loganalyzer.runs.stages import assign_stage
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import group_agg, join_nearest, left_join, sort_by, with_schema

PRINTED: Final = "printed"
"""The method of steps whose time the log prints."""
_ROUNDING_S: Final = 5e-7
_FIRST_BAR: Final = 1 << 62
_WINDOW: Final = ("stage", "window")


def with_program_windows(shown: Bars, timeline: Timeline, stages: pl.DataFrame) -> Bars:
    """`shown` with the windows and steps of stages that print a line for each."""
    own = stages.filter(pl.col("kind") == program_samplers.BY_LINES)["stage"]
    if own.is_empty():
        return shown
    started = assign_stage(timeline.records("program-window"), stages).filter(pl.col("stage").is_in(own.implode()))
    started = started.pipe(sort_by, "lane", "place").with_columns((_FIRST_BAR + pl.int_range(pl.len())).alias("bar"))
    steps = _find_steps(timeline, started)
    windows = _find_windows(timeline, started, steps)
    lines = pl.concat([frame.select("stage", "line") for frame in (started, steps)])
    return Bars(
        pl.concat([shown.steps, with_schema(steps, shown.steps.schema)]).pipe(sort_by, "bar", "step"),
        pl.concat([shown.windows, with_schema(windows, shown.windows.schema)]).pipe(sort_by, "stage", "order"),
        pl.concat(
            [shown.lines, with_schema(lines.pipe(group_agg, ["stage"], pl.col("line").max()), shown.lines.schema)]
        ),
    )


def _assign_windows(frame: pl.DataFrame, started: pl.DataFrame) -> pl.DataFrame:
    """`frame` (in order) with stage, window and bar of the last window that began above in the same prompt."""
    own = pl.col("prompt").alias("own_prompt"), pl.col("window").alias("number")
    above = started.select("lane", "place", "stage", "bar", *own)
    return join_nearest(frame, above).filter(pl.col("own_prompt") == pl.col("prompt"))


def _find_steps(timeline: Timeline, started: pl.DataFrame) -> pl.DataFrame:
    """stage, bar, step, total, duration_s, uncertainty_s, method, line, doubtful of each completed step.

    A step completed if its time is printed or a later step begins. Of several printed times, the longest covers the
    complete step. Without a printed time, the duration is the difference between this line's and the next line's stamp.
    """
    possible = pl.col("n").is_between(1, MOST_STEPS) & pl.col("total").is_between(pl.col("n"), MOST_STEPS)
    printed = timeline.records("program-step").filter(possible.fill_null(value=False))
    placed = _assign_windows(printed, started).select(
        "lane", "place", "prompt", "stage", "bar", "n", "total", "line", "time"
    )
    behind = pl.col("bar") == pl.col("bar").shift(-1)
    later = behind & (pl.col("n").shift(-1) > pl.col("n"))
    stamped = (pl.col("time").shift(-1) - pl.col("time")).dt.total_microseconds() / 1e6
    placed = placed.with_columns(
        later.fill_null(value=False).alias("is_followed"),
        pl.when(later & (stamped >= 0)).then(stamped).alias("stamped"),
        pl.int_range(pl.len()).alias("row"),
    )
    above = placed.select("lane", "place", "row", pl.col("prompt").alias("own_prompt"))
    costs = join_nearest(timeline.records("program-step-cost"), above).filter(pl.col("own_prompt") == pl.col("prompt"))
    longest = costs.filter(pl.col("duration_s") >= 0).pipe(group_agg, ["row"], pl.col("duration_s").max())
    known = left_join(placed, longest, ["row"])
    is_printed = pl.col("duration_s").is_not_null()
    by_stamp = ~is_printed & pl.col("stamped").is_not_null()
    done = known.filter(is_printed | pl.col("is_followed")).unique(["bar", "n"], keep="first", maintain_order=True)
    return done.select(
        "stage",
        "bar",
        pl.col("n").alias("step"),
        "total",
        pl.coalesce("duration_s", "stamped").alias("duration_s"),
        pl.when(is_printed).then(_ROUNDING_S).when(by_stamp).then(1.0).alias("uncertainty_s"),
        pl.when(is_printed).then(pl.lit(PRINTED)).when(by_stamp).then(pl.lit("timestamps")).alias("method"),
        "line",
        pl.lit(value=False).alias("doubtful"),
    )


def _find_windows(timeline: Timeline, started: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """One row per started window; columns as from `windows.measure_windows`."""
    step_lines = _assign_windows(timeline.records("program-step"), started)
    totals = step_lines.pipe(group_agg, ["bar"], pl.col("total").max().alias("steps_total"))
    summed = steps.pipe(
        group_agg,
        ["bar"],
        pl.len().cast(pl.Int64).alias("steps_done"),
        pl.col("duration_s").is_not_null().all().alias("is_timed"),
        pl.col("duration_s").sum().alias("sampling_s"),
    )
    costs = _assign_windows(timeline.records("program-window-cost"), started)
    printed_totals = costs.filter((pl.col("window") == pl.col("number")) & (pl.col("duration_s") >= 0)).pipe(
        group_agg, ["bar"], pl.col("duration_s").last().alias("total_s")
    )
    found = started
    for more in (totals, summed, printed_totals):
        found = left_join(found, more, ["bar"])
    full = pl.col("is_timed") & (pl.col("steps_done") == pl.col("steps_total"))
    sampling = pl.when(full).then("sampling_s")
    return found.with_columns(
        pl.col("steps_done").fill_null(0),
        sampling.alias("sampling_s"),
        (sampling / pl.col("steps_done")).alias("s_per_step"),
        pl.when(pl.col("total_s").is_not_null()).then(_ROUNDING_S).alias("total_uncertainty_s"),
        pl.col("window").alias("order"),
        pl.lit(value=False).alias("unsmoothed"),
    )


def with_scheduled_ranges(found: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """`found` with the audio ranges of programs' windows from the schedule; no line prints them.

    This applies only if the program prints window and overlap, or the expected number of windows.
    """
    own = stages.filter(program_samplers.is_program())
    if own.is_empty():
        return found
    fits = pl.col("window_early").is_not_null() | (pl.col("announced_windows") == pl.col("expected_windows"))
    known = own.filter((fits & (pl.col("stride") > 0)).fill_null(value=False)).select(
        "stage", pl.col("stride").alias("its_stride"), pl.col("window_frames").alias("its_window")
    )
    start = schedule.window_start(pl.col("order"), pl.col("its_stride"))
    is_mine = pl.col("audio_start").is_null() & pl.col("its_stride").is_not_null()
    return (
        left_join(found, known, ["stage"])
        .with_columns(
            pl.when(is_mine).then(start).otherwise("audio_start").alias("audio_start"),
            pl.when(is_mine).then(start + pl.col("its_window")).otherwise("audio_end").alias("audio_end"),
            pl.when(is_mine).then(pl.lit(INFERRED)).otherwise("range_source").alias("range_source"),
        )
        .drop("its_stride", "its_window")
    )
