"""Which schedule each stage followed, and so how many windows it should have run."""

from __future__ import annotations

import polars as pl

from loganalyzer.expectations import schedule
from loganalyzer.expectations.schedules import Schedule
from loganalyzer.runs.eras import ONE_WINDOW_CASE
from loganalyzer.tables.frames import left_join

TALKING = ("infinitetalk", "multitalk", "skyreelsv3")
"""The modes of the MultiTalk loop that are known."""
OTHER_LOOPS = ("plain", "s2v", "wananimate", "longcat")
"""What other loops are called. Only the MultiTalk loop names its mode, so that every other name is one of its own."""


def is_talking() -> pl.Expr:
    """Whether a windowed run is of the MultiTalk loop: its arithmetic is the same whatever the mode is called."""
    return ~pl.col("mode").is_in(OTHER_LOOPS).fill_null(value=False)


def is_unknown_mode() -> pl.Expr:
    """Whether the log names a mode that nothing is known of: its usual window and overlap, its baselines."""
    return (is_talking() & ~pl.col("mode").is_in(TALKING)).fill_null(value=False)


def configured(schedules: tuple[Schedule, ...], window: int, motion: int) -> pl.DataFrame:
    """mode, want_window, want_motion, drop_frames; the user's window and motion are for the house's own modes."""
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


def planned(stages: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """`stages` with the schedule each followed.

    Added: want_window, want_motion, drop_frames, window_frames, motion_frames, stride, schedule_observed,
    expected_windows, aligned.

    `stages` has mode, windowed, audio_frames, announced_windows, observed (ranges seen), seen_window, seen_stride,
    window_early, motion_early, vae_window, until. What the ranges show counts, then the frames of the first image
    encoded; the configured figures stand in while nothing shows, also for a mode that is not known; a single window too
    short for the configured overlap has none. All are null for runs without windows.
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
        .with_columns(_expected().alias("expected_windows"), _aligned().alias("aligned"))
    )
    windowed = [
        "want_window", "want_motion", "drop_frames", "window_frames", "motion_frames", "stride",
        "schedule_observed", "expected_windows", "aligned",
    ]  # fmt: skip
    return known.with_columns([pl.when("windowed").then(pl.col(name)).alias(name) for name in windowed])


def _usable() -> pl.Expr:
    return (pl.col("stride") > 0) & (pl.col("window_frames") > 0) & (pl.col("audio_frames") > 0)


def _expected() -> pl.Expr:
    audio, window, step = pl.col("audio_frames"), pl.col("window_frames"), pl.col("stride")
    before = (pl.col("until") <= ONE_WINDOW_CASE) | ((audio <= window) & (pl.col("observed") > 1))
    talking = (
        pl.when(before.fill_null(value=False))
        .then(schedule.count_windows_before_september_2025(audio, window, step))
        .otherwise(schedule.count_windows(audio, window, step))
    )
    return (
        pl.when(~_usable())
        .then(None)
        .when(is_talking())
        .then(talking)
        .when(pl.col("mode") == "s2v")
        .then(pl.col("announced_windows"))
        .when((pl.col("mode") == "wananimate") & (window > 1))
        .then(schedule.count_animate_windows(audio, window))
    )


def _aligned() -> pl.Expr:
    audio, window, step = pl.col("audio_frames"), pl.col("window_frames"), pl.col("stride")
    return pl.when(_usable() & is_talking()).then(schedule.is_aligned(audio, window, step))
