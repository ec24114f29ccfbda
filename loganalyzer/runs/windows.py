"""Builds the windows of each stage: audio ranges, numbers in the schedule, and times."""

from __future__ import annotations

import polars as pl

from loganalyzer.expectations import schedule
from loganalyzer.runs import unsmoothed
from loganalyzer.runs.steps import FLOAT_SLACK
from loganalyzer.tables.frames import (
    first_of_equal_neighbors,
    group_agg,
    left_join,
    max_by,
    min_max_by,
    set_sorted,
    sort_by,
    unique_by,
)

_BARE_END = 0.5
MOST_EXPECTED = 10_000
"""Maximum rows for expected windows (eight hours of video). A damaged header must not exhaust the memory."""


def measure_windows(marked: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """One row per bar; bar numbers are dense and ordered by stage.

    Columns: stage, segment, bar, order (from 1), unsmoothed, audio_start, audio_end, steps_done, steps_total,
    sampling_s, total_s, total_uncertainty_s, s_per_step, line, place, pattern.

    `sampling_s` is null unless every step is known, or the bar covers only steps (ComfyUI's own sampler). `total_s`
    ends at the bar's closing refresh and includes VAE decoding; it is null for an unfinished window.
    """
    first = (
        "bar", "stage", "segment", "audio_start", "audio_end", "line", "place", "pattern", "unsmoothed",
    )  # fmt: skip
    bars = unique_by(first_of_equal_neighbors(marked[first], "bar"), "bar")
    done = max_by(marked, "bar", "n", "total").rename({"n": "steps_done", "total": "steps_total"})
    complete = (pl.col("timed") == pl.col("steps_done")) & (pl.col("steps_done") == pl.col("steps_total"))
    for more in (done, _sum_steps(steps), _closed_times(marked)):
        bars = left_join(set_sorted(bars, "bar"), set_sorted(more, "bar"), ["bar"])
    other_stage = pl.col("stage").ne_missing(pl.col("stage").shift(1))
    drawn = pl.col("segment").is_not_null() & ~pl.col("unsmoothed")
    steps_only = pl.when(drawn).then("total_s")
    found = (
        bars.with_columns(
            pl.when(complete).then("sampling_s").otherwise(steps_only).alias("sampling_s"),
        )
        .pipe(unsmoothed.with_totals)
        .with_columns(
            (pl.col("sampling_s") / pl.col("steps_done")).alias("s_per_step"),
            (pl.col("bar") - pl.when(other_stage).then("bar").forward_fill() + 1).alias("order"),
        )
        .drop("timed", "steps_uncertainty_s")
    )
    return sort_by(found, "stage", "order")


def _sum_steps(steps: pl.DataFrame) -> pl.DataFrame:
    """bar, sampling_s, steps_uncertainty_s, timed: the total time of each window's steps, and how many are timed."""
    duration = pl.col("duration_s")
    return (
        set_sorted(steps.filter(~pl.col("doubtful")), "bar")
        .group_by("bar", maintain_order=True)
        .agg(
            duration.alias("sampling_s"),
            duration.is_not_null().sum().alias("timed"),
            pl.col("uncertainty_s").alias("steps_uncertainty_s"),
        )
        .with_columns(pl.col("sampling_s", "steps_uncertainty_s").list.sum())
    )


def _closed_times(marked: pl.DataFrame) -> pl.DataFrame:
    """bar, total_s, total_uncertainty_s: each closed window's wall time, average × steps, else in whole seconds.

    A single refresh at the end counts as the closing one, because captures that lose refreshes keep the last. If it may
    be the last step's, there is no bound.
    """
    average = pl.col("rate") * pl.col("n")
    closed = marked.select("bar", "n", "elapsed_s", "rate", "rate_error", "closing", "doubtful")
    return closed.filter(pl.col("closing") | pl.col("doubtful")).select(
        "bar",
        pl.coalesce(average, pl.col("elapsed_s") + _BARE_END).alias("total_s"),
        pl.when("doubtful")
        .then(None)
        .when(average.is_not_null())
        .then(pl.col("rate_error") * pl.col("n") + FLOAT_SLACK)
        .otherwise(_BARE_END)
        .alias("total_uncertainty_s"),
    )


def observed_schedule(found: pl.DataFrame) -> pl.DataFrame:
    """stage, seen_window, seen_stride: window length and stride in the ranges; the stride of one window is null.

    Both are the most common values: of the widths, and of the distances between neighbors.
    """
    ranged = found.filter(pl.col("audio_start").is_not_null()).pipe(sort_by, "stage", "audio_start")
    distance = pl.when(pl.col("stage") == pl.col("stage").shift(1)).then(pl.col("audio_start").diff())
    measured = ranged.select("stage", (pl.col("audio_end") - pl.col("audio_start")).alias("width"), distance=distance)
    usual = min_max_by(set_sorted(measured, "stage"), "stage", "width", "distance")
    alike_in = (pl.col(f"{name}_least").eq_missing(pl.col(f"{name}_most")) for name in ("width", "distance"))
    one_of_each = pl.all_horizontal(alike_in)
    alike = usual.filter(one_of_each).select("stage", seen_window="width_most", seen_stride="distance_most")
    others = usual.filter(~one_of_each)
    if others.is_empty():
        return alike
    differing = measured.join(others, on="stage", how="semi", maintain_order="left")
    return pl.concat([alike, _most_common_schedule(differing)]).pipe(sort_by, "stage")


def _most_common_schedule(measured: pl.DataFrame) -> pl.DataFrame:
    """As `observed_schedule`, for stages whose windows differ. This is much slower than for equal windows."""
    return measured.pipe(
        group_agg,
        ["stage"],
        pl.col("width").mode().min().alias("seen_window"),
        pl.col("distance").drop_nulls().mode().min().alias("seen_stride"),
    )


def number_windows(found: pl.DataFrame, plan: pl.DataFrame) -> pl.DataFrame:
    """`found` with `window`: the number in the schedule, or else the order of appearance.

    The schedule's numbers are used for a stage if each of its ranges has a distinct place in the schedule. `plan` has
    stage, stride, window_frames and first_end.
    """
    steps = plan.select("stage", "stride", first_window_excess())
    placed = left_join(set_sorted(found, "stage"), set_sorted(steps, "stage"), ["stage"])
    by_schedule = _shifted_start() // pl.col("stride") + 1
    known = placed.with_columns(by_schedule.alias("by_schedule"))
    if known.select(_is_next_on_schedule().all()).item():
        window = pl.col("by_schedule")
    else:
        fits = (_is_on_schedule().all() & (pl.col("by_schedule").n_unique() == pl.len())).over("stage")
        window = pl.when(fits.fill_null(value=False)).then("by_schedule").otherwise("order")
    return known.with_columns(window.cast(pl.Int64).alias("window")).drop("by_schedule", "stride", "longer")


def first_window_excess() -> pl.Expr:
    """Frames by which a stage's first window is longer than the others; nonzero only for ComfyUI's own chains."""
    return (pl.col("first_end") - pl.col("window_frames")).fill_null(0).alias("longer")


def _shifted_start() -> pl.Expr:
    """The start of a window if the first window were as long as the others."""
    return pl.col("audio_start") - pl.when(pl.col("audio_start") > 0).then("longer").otherwise(0)


def _is_on_schedule() -> pl.Expr:
    return (_shifted_start() % pl.col("stride") == 0).fill_null(value=False)


def _is_next_on_schedule() -> pl.Expr:
    """Whether a window fits the schedule after the previous one of its stage. Then each has a distinct place."""
    behind = pl.col("by_schedule") > pl.col("by_schedule").shift(1)
    return _is_on_schedule() & (pl.col("stage").ne_missing(pl.col("stage").shift(1)) | behind).fill_null(value=False)


def compare_with_schedule(found: pl.DataFrame, plan: pl.DataFrame) -> pl.DataFrame:
    """The observed and the expected windows, including windows that were never seen, with `matches`.

    `plan` has stage, window_frames, stride, expected_windows, first_end. If the audio's length is unknown, the schedule
    is compared with the observed windows only.
    """
    last_seen = found.filter(pl.col("audio_start").is_not_null()).pipe(
        group_agg, ["stage"], pl.col("window").max().alias("last_seen")
    )
    expected = (
        left_join(plan, last_seen, ["stage"])
        .with_columns(pl.coalesce("expected_windows", "last_seen").clip(upper_bound=MOST_EXPECTED).alias("count"))
        .filter((pl.col("count") > 0) & (pl.col("stride") > 0))
        .with_columns(pl.int_ranges(1, pl.col("count") + 1).alias("window"))
        .explode("window")
        .with_columns(
            first_window_excess(),
            schedule.window_start(pl.col("window"), pl.col("stride")).alias("expected_start"),
            schedule.window_end(pl.col("window"), pl.col("window_frames"), pl.col("stride")).alias("expected_end"),
        )
        .with_columns(
            (pl.col("expected_start") + pl.when(pl.col("window") > 1).then("longer").otherwise(0)).alias(
                "expected_start"
            ),
            (pl.col("expected_end") + pl.col("longer")).alias("expected_end"),
        )
        .select("stage", "window", "expected_start", "expected_end")
    )
    matches = (pl.col("audio_start") == pl.col("expected_start")) & (pl.col("audio_end") == pl.col("expected_end"))
    return (
        _join_expected(found, expected)
        .with_columns(
            pl.when(pl.col("audio_start").is_not_null()).then(matches.fill_null(value=False)).alias("matches")
        )
        .pipe(sort_by, "stage", "window")
    )


def _join_expected(found: pl.DataFrame, expected: pl.DataFrame) -> pl.DataFrame:
    """A full join of both by stage and window. A shortcut handles the common case of equal windows."""
    keys = ["stage", "window"]
    if found[:, keys].equals(expected[:, keys]):
        return found.hstack(expected.drop(*keys))
    return found.join(expected, on=keys, how="full", coalesce=True)
