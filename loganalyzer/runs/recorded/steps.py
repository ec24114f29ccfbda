"""Takes the times of steps from the recorder's lines, and finds windows that only these lines show."""

from __future__ import annotations

from typing import Final, NamedTuple

import polars as pl

from loganalyzer.expectations import schedule
from loganalyzer.runs import native_samplers
from loganalyzer.runs.native.windows import INFERRED
from loganalyzer.runs.refreshes import MOST_STEPS
from loganalyzer.runs.stages import assign_stage
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import anti_join, group_agg, left_join, semi_join, sort_by, unique_by, with_schema

RECORDED: Final = "recorded"
"""The method of steps, and the `range_source` of windows, that the recorder prints."""
_ROUNDING_S: Final = 5e-4
_FIRST_BAR: Final = 1 << 61
_RANGE: Final = ("stage", "audio_start", "audio_end")


class Sampling(NamedTuple):
    """The windows of all stages, their steps and their lines (stage, line), as from `bars.read_bars`."""

    windows: pl.DataFrame
    steps: pl.DataFrame
    lines: pl.DataFrame


def with_recorded_steps(shown: Sampling, timeline: Timeline, stages: pl.DataFrame) -> Sampling:
    """`shown` with the recorder's times of steps, and with the windows that only the recorder shows.

    A recorded window is the one with the same audio range, else the one with the same number in its stage. Its ranges
    and its total time stay as they are: with and without recorder, a log has the same windows.
    """
    recorded = find_steps(timeline, stages)
    if recorded.is_empty():
        return shown
    known = _match_windows(recorded, shown.windows)
    new = known.filter(pl.col("bar").is_null())
    numbered = new.select("stage", "order").unique(maintain_order=True).with_row_index("number")
    added = left_join(new.drop("bar"), numbered, ["stage", "order"]).with_columns(
        (_FIRST_BAR + pl.col("number").cast(pl.Int64)).alias("bar")
    )
    placed = pl.concat([known.filter(pl.col("bar").is_not_null()), added.drop("number")], how="diagonal_relaxed")
    windows = _with_sums(_add_windows(shown.windows, added, stages), placed)
    lines = pl.concat([shown.lines, with_schema(placed, shown.lines.schema)])
    return Sampling(windows, _replace_steps(shown.steps, placed), lines)


def find_steps(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """The recorded steps in order: stage, order (of the window, from 1), place, line, range, n, total, duration_s.

    A new window begins where the node or the window's number changes, or where the count of steps restarts.
    """
    printed = timeline.records("recorder-step")
    if printed.is_empty():
        return printed
    is_possible = pl.col("n").is_between(1, MOST_STEPS) & (pl.col("duration_s").fill_null(0) >= 0)
    assigned = assign_stage(printed.filter(is_possible), stages).filter(pl.col("stage").is_not_null())
    rows = sort_by(assigned, "stage", "place")
    restarts = (
        (pl.col("n") <= pl.col("n").shift(1))
        | pl.col("node_id").ne_missing(pl.col("node_id").shift(1))
        | pl.col("window").ne_missing(pl.col("window").shift(1))
    ).fill_null(value=True)
    begins = restarts.cast(pl.Int64).cum_sum().over("stage")
    first = pl.col("stage").ne_missing(pl.col("stage").shift(1))
    counted = rows.with_columns(begins.alias("begun"), first.alias("first"))
    offset = pl.when("first").then("begun").forward_fill()
    return counted.with_columns(pl.coalesce("window", pl.col("begun") - offset + 1).alias("order")).drop(
        "begun", "first"
    )


def _match_windows(recorded: pl.DataFrame, windows: pl.DataFrame) -> pl.DataFrame:
    """`recorded` with `bar`: the window that each step belongs to, null if the log does not show that window."""
    ranged = windows.filter(pl.col("audio_start").is_not_null())
    by_range = unique_by(ranged.select(*_RANGE, pl.col("bar").alias("range_bar")), *_RANGE)
    by_order = unique_by(windows.select("stage", "order", pl.col("bar").alias("order_bar")), "stage", "order")
    known = recorded.join(by_range, on=_RANGE, how="left", maintain_order="left")
    has_range = pl.col("audio_start").is_not_null() & pl.col("stage").is_in(ranged["stage"].unique().implode())
    joined = left_join(known, by_order, ["stage", "order"])
    return joined.with_columns(pl.when(has_range).then("range_bar").otherwise("order_bar").alias("bar")).drop(
        "range_bar", "order_bar"
    )


def _add_windows(windows: pl.DataFrame, added: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """`windows` with one row for each window of which only steps are known, numbered anew in the order of the log."""
    if added.is_empty():
        return windows
    native = stages.filter(native_samplers.is_native())["stage"]
    opened = added.pipe(
        group_agg,
        ["bar"],
        *(pl.col(name).first() for name in ("stage", "order", "audio_start", "audio_end", "line", "place", "pattern")),
    ).with_columns(
        pl.lit(value=False).alias("unsmoothed"),
        pl.when(pl.col("stage").is_in(native.implode())).then(pl.col("order") - 1).alias("segment"),
        pl.when(pl.col("audio_start").is_not_null()).then(pl.lit(RECORDED)).alias("range_source"),
    )
    both = pl.concat([windows, with_schema(opened, windows.schema)]).pipe(sort_by, "stage", "place")
    return both.with_columns((pl.int_range(pl.len()).over("stage") + 1).alias("order"))


def _with_sums(windows: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """`windows` with the recorder's count of steps, and with the sum of their times if every step has one."""
    summed = steps.pipe(
        group_agg,
        ["bar"],
        pl.col("n").max().alias("its_done"),
        pl.col("total").max().alias("its_total"),
        (pl.col("duration_s").is_not_null().sum() == pl.col("n").max()).alias("is_timed"),
        pl.col("duration_s").sum().alias("its_s"),
    )
    known = left_join(windows, summed, ["bar"]).with_columns(
        pl.max_horizontal("steps_done", "its_done").alias("steps_done"),
        pl.coalesce("steps_total", "its_total").alias("steps_total"),
    )
    is_full = (pl.col("is_timed") & (pl.col("its_done") == pl.col("steps_total"))).fill_null(value=False)
    return known.with_columns(
        pl.when(is_full).then("its_s").otherwise("sampling_s").alias("sampling_s"),
        pl.when(is_full).then(pl.col("its_s") / pl.col("its_done")).otherwise("s_per_step").alias("s_per_step"),
    ).drop("its_done", "its_total", "is_timed", "its_s")


def _replace_steps(shown: pl.DataFrame, recorded: pl.DataFrame) -> pl.DataFrame:
    """`shown` with the recorder's rows in place of those of the same step."""
    timed = unique_by(recorded.filter(pl.col("duration_s").is_not_null()), "bar", "n")
    rows = timed.select(
        "stage",
        "bar",
        pl.col("n").alias("step"),
        "duration_s",
        pl.lit(_ROUNDING_S).alias("uncertainty_s"),
        pl.lit(RECORDED).alias("method"),
        "line",
        pl.lit(value=False).alias("doubtful"),
    )
    others = anti_join(shown, rows, "bar", "step")
    return pl.concat([others, with_schema(rows, shown.schema)]).pipe(sort_by, "bar", "step")


def with_scheduled_ranges(found: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """`found` with the ranges, by the schedule, of windows of which the recorder knows only the number.

    This applies only to a stage without any observed range, if the graph states window and overlap.
    """
    is_bare = (pl.col("pattern") == "recorder-step") & pl.col("audio_start").is_null()
    bare = found.filter(is_bare.fill_null(value=False))
    if bare.is_empty():
        return found
    ranged = found.filter(pl.col("audio_start").is_not_null())
    stated = pl.col("windowed") & pl.col("window_early").is_not_null() & (pl.col("stride") > 0)
    own = anti_join(semi_join(stages.filter(stated.fill_null(value=False)), bare, ["stage"]), ranged, "stage").select(
        "stage", pl.col("stride").alias("its_stride"), pl.col("window_frames").alias("its_window")
    )
    start = schedule.window_start(pl.col("order"), pl.col("its_stride"))
    is_mine = pl.col("its_stride").is_not_null()
    return (
        left_join(found, own, ["stage"])
        .with_columns(
            pl.when(is_mine).then(start).otherwise("audio_start").alias("audio_start"),
            pl.when(is_mine).then(start + pl.col("its_window")).otherwise("audio_end").alias("audio_end"),
            pl.when(is_mine).then(pl.lit(INFERRED)).otherwise("range_source").alias("range_source"),
        )
        .drop("its_stride", "its_window")
    )
