"""Determines which schedule each stage followed, and how many windows it should have run."""

from __future__ import annotations

import polars as pl

from loganalyzer.expectations import schedule
from loganalyzer.expectations.schedules import Schedule
from loganalyzer.runs.eras import ONE_WINDOW_CASE
from loganalyzer.tables.frames import left_join

TALKING = ("infinitetalk", "multitalk", "skyreelsv3")
"""The known modes of the MultiTalk loop."""
OTHER_LOOPS = ("plain", "s2v", "wananimate", "longcat")
"""The modes of other loops. Only the MultiTalk loop prints its mode, so every other name is one of its modes."""


def is_talking() -> pl.Expr:
    """Whether a windowed run used the MultiTalk loop, whose arithmetic is the same for all of its modes."""
    return ~pl.col("mode").is_in(OTHER_LOOPS).fill_null(value=False)


def is_unknown_mode() -> pl.Expr:
    """Whether the log names an unknown mode, without a usual window, overlap or baselines."""
    return (is_talking() & ~pl.col("mode").is_in(TALKING)).fill_null(value=False)


def configured_schedules(schedules: tuple[Schedule, ...], window: int, motion: int) -> pl.DataFrame:
    """mode, want_window, want_motion, drop_frames. The user's window and motion apply to InfiniteTalk and MultiTalk."""
    own = {"infinitetalk", "multitalk"}
    rows = [
        (s.mode, *((window, motion) if s.mode in own else (s.window_frames, s.motion_frames)), s.drop_frames)
        for s in schedules
    ]
    return pl.DataFrame(
        [*rows, (None, window, motion, 0)],
        schema={"mode": pl.String, "want_window": pl.Int64, "want_motion": pl.Int64, "drop_frames": pl.Int64},
        orient="row",
    )


def with_schedule(stages: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """`stages` with the schedule that each stage followed.

    Added: want_window, want_motion, drop_frames, window_frames, motion_frames, stride, schedule_observed,
    expected_windows, aligned.

    `stages` has mode, windowed, audio_frames, announced_windows, observed (ranges seen), seen_window, seen_stride,
    window_early, motion_early, vae_window, until. The observed ranges take precedence, then the frames of the first
    encoded image, then the configured values (also for an unknown mode). A single window too short for the configured
    overlap has no overlap. All added columns are null for runs without windows.
    """
    usual = pl.when(pl.col("mode").is_in([*TALKING, *OTHER_LOOPS])).then("mode").alias("usual")
    known = left_join(stages.with_columns(usual), wanted.rename({"mode": "usual"}), ["usual"], nulls_equal=True)
    wanted_stride = schedule.stride(pl.col("want_window"), pl.col("want_motion"), pl.col("drop_frames"))
    shown = pl.when(is_talking()).then("vae_window")
    window = pl.coalesce("window_early", "seen_window", shown, "want_window")
    early = schedule.stride(pl.col("window_early"), pl.col("motion_early"), pl.col("drop_frames"))
    gap = (
        (pl.col("seen_window") == pl.col("want_window"))
        & (pl.col("seen_stride") > wanted_stride)
        & (pl.col("seen_stride") % wanted_stride == 0)
    )
    seen = pl.when(gap).then(wanted_stride).otherwise(pl.col("seen_stride"))
    assumed = schedule.stride(window, pl.col("want_motion"), pl.col("drop_frames"))
    step = pl.coalesce(early, seen, pl.when(assumed > 0).then(assumed).otherwise(window))
    known = known.with_columns(
        window.alias("window_frames"),
        step.alias("stride"),
        pl.coalesce(early, seen).is_not_null().alias("schedule_observed"),
    )
    overlap = pl.col("window_frames") - pl.col("stride")
    dropped = pl.when(overlap >= pl.col("drop_frames")).then(pl.col("drop_frames")).otherwise(0)
    known = (
        known.with_columns(dropped.alias("drop_frames"))
        .with_columns((overlap - pl.col("drop_frames")).alias("motion_frames"))
        .with_columns(_expected_windows().alias("expected_windows"), _is_aligned().alias("aligned"))
    )
    windowed = [
        "want_window", "want_motion", "drop_frames", "window_frames", "motion_frames", "stride",
        "schedule_observed", "expected_windows", "aligned",
    ]  # fmt: skip
    return known.with_columns([pl.when("windowed").then(pl.col(name)).alias(name) for name in windowed])


def _is_usable() -> pl.Expr:
    return (pl.col("stride") > 0) & (pl.col("window_frames") > 0) & (pl.col("audio_frames") > 0)


def _expected_windows() -> pl.Expr:
    audio, window, step = pl.col("audio_frames"), pl.col("window_frames"), pl.col("stride")
    before = (pl.col("until") <= ONE_WINDOW_CASE) | ((audio <= window) & (pl.col("observed") > 1))
    talking = (
        pl.when(before.fill_null(value=False))
        .then(schedule.count_windows_before_september_2025(audio, window, step))
        .otherwise(schedule.count_windows(audio, window, step))
    )
    return (
        pl.when(~_is_usable())
        .then(None)
        .when(is_talking())
        .then(talking)
        .when(pl.col("mode") == "s2v")
        .then(pl.col("announced_windows"))
        .when((pl.col("mode") == "wananimate") & (window > 1))
        .then(schedule.count_animate_windows(audio, window))
    )


def _is_aligned() -> pl.Expr:
    audio, window, step = pl.col("audio_frames"), pl.col("window_frames"), pl.col("stride")
    return pl.when(_is_usable() & is_talking()).then(schedule.is_aligned(audio, window, step))
