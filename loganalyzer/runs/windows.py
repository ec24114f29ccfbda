"""Windows of a stage: their audio ranges, their place in the schedule, their times."""

from __future__ import annotations

import polars as pl

from loganalyzer.expectations import schedule
from loganalyzer.rows import in_order, known_in_order, only
from loganalyzer.runs.steps import FLOAT_SLACK

_BARE_END = 0.5
MOST_EXPECTED = 10_000
"""Expected windows that get a row each (eight hours of video); a damaged header must not fill the memory."""


def windows(marked: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """One row per bar; bars have dense numbers, stage after stage.

    Columns: stage, bar, order (from 1), audio_start, audio_end, steps_done, steps_total, sampling_s, total_s,
    total_uncertainty_s, s_per_step, line, place, pattern.

    `sampling_s` is null unless every step is known; `total_s` reaches to the bar's closing refresh, VAE decoding
    included, and is null for a window that was not finished.
    """
    bars = (
        known_in_order(marked, "bar")
        .group_by("bar", maintain_order=True)
        .agg(
            pl.col("stage", "audio_start", "audio_end", "line", "place", "pattern").first(),
            pl.col("n").max().alias("steps_done"),
            pl.col("total").max().alias("steps_total"),
        )
    )
    sums = (
        known_in_order(only(steps, ~pl.col("doubtful")), "bar")
        .group_by("bar", maintain_order=True)
        .agg(
            pl.col("duration_s").sum().alias("sampling_s"),
            pl.col("duration_s").is_not_null().sum().alias("timed"),
        )
    )
    complete = (pl.col("timed") == pl.col("steps_done")) & (pl.col("steps_done") == pl.col("steps_total"))
    for more in (sums, _totals(marked)):
        bars = known_in_order(bars, "bar").join(
            known_in_order(more, "bar"), on="bar", how="left", maintain_order="left"
        )
    found = (
        known_in_order(bars, "stage")
        .with_columns(pl.when(complete).then(pl.col("sampling_s")).alias("sampling_s"))
        .with_columns(
            (pl.col("sampling_s") / pl.col("steps_done")).alias("s_per_step"),
            (pl.col("bar") - pl.col("bar").min().over("stage") + 1).alias("order"),
        )
        .drop("timed")
    )
    return in_order(found, "stage", "order")


def _totals(marked: pl.DataFrame) -> pl.DataFrame:
    """Wall time of each closed window: average times steps; whole seconds where the rate is cut off.

    A single refresh at the end is taken for the closing one, since captures that lose refreshes keep the last; but
    where it may be the last step's, no bound is given.
    """
    average = pl.col("rate") * pl.col("n")
    return marked.filter(pl.col("closing") | pl.col("doubtful")).select(
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
    """W and stride as the ranges show them, per stage: seen_window, seen_stride (null with a single window).

    The most common width, and the most common distance between neighbours.
    """
    ranged = found.filter(pl.col("audio_start").is_not_null()).sort("stage", "audio_start")
    distance = pl.when(pl.col("stage") == pl.col("stage").shift(1)).then(pl.col("audio_start").diff())
    measured = ranged.select("stage", (pl.col("audio_end") - pl.col("audio_start")).alias("width"), distance=distance)
    usual = measured.group_by("stage", maintain_order=True).agg(
        pl.col("width", "distance").min(), pl.col("width", "distance").max().name.suffix("_most")
    )
    one_of_each = (pl.col("width") == pl.col("width_most")) & pl.col("distance").eq_missing(pl.col("distance_most"))
    return pl.concat(
        [
            usual.filter(one_of_each).select("stage", seen_window="width", seen_stride="distance"),
            _most_common(measured.join(usual.filter(~one_of_each), on="stage", how="semi", maintain_order="left")),
        ]
    ).sort("stage")


def _most_common(measured: pl.DataFrame) -> pl.DataFrame:
    """Of stages whose windows differ; slower by far than to see that they are all alike."""
    return measured.group_by("stage", maintain_order=True).agg(
        pl.col("width").mode().min().alias("seen_window"),
        pl.col("distance").drop_nulls().mode().min().alias("seen_stride"),
    )


def numbered(found: pl.DataFrame, plan: pl.DataFrame) -> pl.DataFrame:
    """`found` with `window`: its number in the schedule, or the order of appearance.

    The schedule numbers a stage whose ranges each have a place of their own in it. `plan` has stage and stride.
    """
    by_schedule = pl.col("audio_start") // pl.col("stride") + 1
    fits = (
        (pl.col("audio_start") % pl.col("stride") == 0).fill_null(value=False).all()
        & (pl.col("by_schedule").n_unique() == pl.len())
    ).over("stage")
    return (
        found.join(plan.select("stage", "stride"), on="stage", how="left", maintain_order="left")
        .with_columns(by_schedule.alias("by_schedule"))
        .with_columns(
            pl.when(fits.fill_null(value=False)).then("by_schedule").otherwise("order").cast(pl.Int64).alias("window")
        )
        .drop("by_schedule", "stride")
    )


def against_schedule(found: pl.DataFrame, plan: pl.DataFrame) -> pl.DataFrame:
    """Found and expected windows side by side, also those that were never seen, with `matches`.

    `plan` has stage, window_frames, stride, expected_windows. Where the audio's length is unknown, the schedule is
    held against the windows seen, however many they are.
    """
    last_seen = (
        found.filter(pl.col("audio_start").is_not_null())
        .group_by("stage")
        .agg(pl.col("window").max().alias("last_seen"))
    )
    expected = (
        plan.join(last_seen, on="stage", how="left")
        .with_columns(pl.coalesce("expected_windows", "last_seen").clip(upper_bound=MOST_EXPECTED).alias("count"))
        .filter((pl.col("count") > 0) & (pl.col("stride") > 0))
        .with_columns(pl.int_ranges(1, pl.col("count") + 1).alias("window"))
        .explode("window")
        .with_columns(
            schedule.start(pl.col("window"), pl.col("stride")).alias("expected_start"),
            schedule.end(pl.col("window"), pl.col("window_frames"), pl.col("stride")).alias("expected_end"),
        )
        .select("stage", "window", "expected_start", "expected_end")
    )
    matches = (pl.col("audio_start") == pl.col("expected_start")) & (pl.col("audio_end") == pl.col("expected_end"))
    return (
        found.join(expected, on=["stage", "window"], how="full", coalesce=True)
        .with_columns(
            pl.when(pl.col("audio_start").is_not_null()).then(matches.fill_null(value=False)).alias("matches")
        )
        .sort("stage", "window")
    )
