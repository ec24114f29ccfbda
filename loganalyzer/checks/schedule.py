"""SCH: checks the windows of runs: their ranges, their count, and the schedule."""

from __future__ import annotations

import polars as pl

from loganalyzer.checks import longcat, native
from loganalyzer.checks.findings import (
    Need,
    Texts,
    describe_mode,
    format_or_unknown,
    has_near_miss,
    make_findings,
    make_outcome,
    skip,
    split_by_needs,
)
from loganalyzer.checks.prompt_endings import add_stop
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.checks.rotation import split_prompts
from loganalyzer.expectations import schedule
from loganalyzer.runs.planned import is_talking, is_unknown_mode
from loganalyzer.tables.frames import inner_join

LENGTH = Need(pl.col("audio_frames").is_not_null(), "the audio's length is not in the log")
COUNT = Need(pl.col("expected_windows").is_not_null(), "the windows in the log do not fit any schedule")
_BARS = Need(pl.col("observed_windows").is_not_null(), "the log has no progress bars (container logs often drop them)")
_WINDOW_BARS = ("window-bar-audio", "window-bar-audio-counter", "window-bar-frames", "window-bar-frames-counter")
_HEADER = Need(pl.col("announced_windows").is_not_null(), "the log has no header with a window count")


def windowed_runs(context: Context) -> pl.DataFrame:
    """Returns runs that process audio in windows."""
    return context.once(_windowed_runs)


def multitalk_runs(context: Context) -> pl.DataFrame:
    """Returns windowed runs of the MultiTalk loop, to which the audio rules apply."""
    return context.once(_multitalk_runs)


def _windowed_runs(context: Context) -> pl.DataFrame:
    return context.found.runs.filter(pl.col("window_frames").is_not_null())


def _multitalk_runs(context: Context) -> pl.DataFrame:
    return windowed_runs(context).filter(is_talking())


def skip_other_loops(context: Context) -> pl.DataFrame:
    """Returns rows of `not_checked` for windowed runs of other loops than MultiTalk's."""
    return context.once(_skip_other_loops)


def _skip_other_loops(context: Context) -> pl.DataFrame:
    others = windowed_runs(context).filter(~is_talking())
    if others.is_empty():
        return skip(others, "")
    reason = format_or_unknown("the rule covers only the MultiTalk loop; this run has {}", describe_mode())
    return skip(others, reason, "not-applicable")


@rule(
    "SCH001",
    "window-sequence",
    "error",
    cause="audio range off schedule: {observed}",
    summary="A window's audio range differs from the schedule.",
    why="Window k reads audio frames [S·(k-1), S·(k-1) + W). Any other range means that mouth and sound are out of "
    "sync, or that upstream changed the loop. In a chain of ComfyUI's own nodes, a repeated range means that a node "
    "got only the last segment as previous_frames: pass all frames rendered so far.",
    example="Sampling audio indices 72-153: 100%|##########| 4/4 [00:22<00:00,  5.50s/it]\n"
    "Sampling audio indices 140-221: 100%|##########| 4/4 [00:22<00:00,  5.50s/it]",
    fix="Compare the wrapper's version with the last good run, and report both ranges upstream.",
)
def window_sequence(context: Context) -> Outcome:
    """Compares each range with the schedule; ignores LongCat's doubled first end (upstream's slip)."""
    doubled = (pl.col("window") == 1) & (pl.col("audio_end") == 2 * pl.col("expected_end"))
    is_known = pl.col("expected_start").is_not_null() | pl.col("audio_start").is_not_null()
    wrong = context.found.windows.filter(pl.col("matches").not_() & ~doubled & is_known)
    if not wrong.is_empty():
        wrong = inner_join(wrong, windowed_runs(context)[["run_id", "source", "producer"]], ["run_id"])
        chained = wrong.filter(native.is_native())
        wrong = wrong.filter(~native.is_native())
    else:
        chained = wrong
    expected = pl.coalesce(pl.format("{}-{}", "expected_start", "expected_end"), pl.lit("no further window"))
    rows = make_findings(
        wrong,
        lambda: Texts(
            message=pl.format(
                "Window {} reads audio {}-{}. Expected: {}.",
                "window",
                "audio_start",
                "audio_end",
                expected,
            ),
            observed=pl.format("{}-{}", "audio_start", "audio_end"),
            expected=expected,
        ),
    )
    ranged = context.found.windows.filter(pl.col("audio_start").is_not_null())["run_id"].unique()
    range_seen = Need(pl.col("run_id").is_in(ranged.implode()), "the windows' audio ranges are not in the log")
    needs = (Need(native.is_chained() | need.met, need.reason) for need in (LENGTH, COUNT, _BARS))
    _, unchecked = split_by_needs(windowed_runs(context), native.has_ranges(context.found.windows), *needs, range_seen)
    segments = longcat.find_wrong_segments(context)
    return make_outcome(
        pl.concat([rows, native.find_wrong_ranges(chained, context.found.windows), segments]), unchecked
    )


@rule(
    "SCH002",
    "announced-windows",
    "warning",
    cause="wrong window count in the header",
    summary="The header's window count is neither upstream's estimate nor the real count.",
    why="The header announces an estimate, which is one too high for every aligned length. The estimate and the real "
    "count are both fine. Any other count means that upstream's arithmetic changed.",
    example="Sampling 250 frames in 7 windows, at 1280x720 with 4 steps",
    fix="Check which wrapper version ran. If it is new, update this tool: its schedule may not match that version.",
)
def announced_windows(context: Context) -> Outcome:
    """Compares the count with upstream's estimate, which uses W - M - D, and with the real count.

    With a HuMo reference, which logs do not show, no rule predicts the estimate.
    """
    estimate = schedule.count_announced_windows(pl.col("audio_frames"), pl.col("window_frames"), pl.col("stride"))
    announced = pl.col("announced_windows")
    usual = (announced == pl.col("estimate")) | (announced == pl.col("expected_windows"))
    checked, unchecked = split_by_needs(
        multitalk_runs(context).with_columns(estimate.alias("estimate")),
        native.announces_count(),
        _HEADER,
        LENGTH,
        COUNT,
        Need(usual | pl.col("schedule_observed"), "the log does not show window and overlap"),
    )
    wrong = checked.filter(~usual)
    rows = make_findings(
        wrong,
        lambda: Texts(
            message=pl.format(
                "The header announces {} windows for {} frames. Upstream's estimate is {}, the real count {}.",
                "announced_windows", "audio_frames", "estimate", "expected_windows",
            ),
            observed=pl.col("announced_windows"),
            expected=pl.format("{} or {}", "estimate", "expected_windows"),
        ),
    )  # fmt: skip
    return make_outcome(rows, unchecked, skip_other_loops(context))


@rule(
    "SCH003",
    "missing-windows",
    "error",
    cause="windows missing: {observed} of {expected}",
    under=("RUN001", "RUN002", "RUN003", "RUN004"),
    summary="The run ended before its last window.",
    why="The video ends before the audio, or the run produced no video.",
    example="Sampling 250 frames in 4 windows, at 1280x720 with 4 steps\n"
    "Sampling audio indices 0-81: 100%|##########| 4/4 [00:22<00:00,  5.50s/it]\n"
    "Sampling audio indices 72-153: 100%|##########| 4/4 [00:22<00:00,  5.50s/it]\n"
    "Prompt executed in 48.00 seconds",
    fix="Fix the cause (see the run's other findings), then render again.",
)
def missing_windows(context: Context) -> Outcome:
    """Compares the windows in the log with those that the loop runs; a window without a bar may have run."""
    runs = windowed_runs(context).filter(~native.is_chained())
    chained, uncounted = split_by_needs(
        windowed_runs(context).filter(native.is_chained()),
        Need(LENGTH.met, native.announces_count().reason, "not-applicable"),
    )
    all_seen = pl.col("observed_windows") >= pl.col("expected_windows")
    runs = runs if runs.is_empty() else _add_range_ends(context, runs)
    lines = context.found.windows.filter(pl.col("range_source") == "line")["run_id"].unique()
    by_line = pl.col("run_id").is_in(lines.implode())
    is_split = pl.col("prompt_id").is_in(split_prompts(context)["prompt_id"].implode()).fill_null(value=False)
    runs, unchecked = split_by_needs(
        runs,
        LENGTH,
        COUNT,
        _BARS,
        Need(all_seen | ~is_split, "the log was rotated during this run: its other windows are in the next file"),
        Need(all_seen | ~has_near_miss(context, *_WINDOW_BARS), "the windows' progress bars do not parse (LOG001)"),
        Need(
            all_seen | ~((pl.col("finish_observed") | by_line) & (pl.col("reached") >= pl.col("audio_frames"))),
            "the log lacks bars or lines of windows, but its end shows that all windows ran",
        ),
    )
    rows = make_findings(
        add_stop(runs.filter(~all_seen), context.found.windows),
        lambda: Texts(
            message=pl.format(
                "The run stopped {}, at audio frame {} of {}.", "stop", "seen_end", "audio_frames"
            ),
            observed=pl.col("observed_windows"),
            expected=pl.col("expected_windows"),
        ),
    )  # fmt: skip
    return make_outcome(pl.concat([rows, native.find_too_few_windows(chained)]), unchecked, uncounted)


def _add_range_ends(context: Context, runs: pl.DataFrame) -> pl.DataFrame:
    """Returns `runs` with the last audio frame of the bars (`seen_end`), and of bars and paddings (`reached`)."""
    seen = context.found.windows.group_by("run_id").agg(pl.col("audio_end").max().alias("seen_end"))
    requested = context.found.paddings.group_by("run_id").agg(pl.col("need").max())
    known = runs.join(seen, on="run_id", how="left", maintain_order="left")
    known = known.join(requested, on="run_id", how="left", maintain_order="left")
    return known.with_columns(pl.col("seen_end").fill_null(0), pl.max_horizontal("seen_end", "need").alias("reached"))


@rule(
    "SCH004",
    "nonstandard-schedule",
    "warning",
    cause="other schedule: {observed}, not {expected}",
    summary="Window or overlap differ from the configured ones.",
    why="Baselines and frame counts apply to the configured schedule (81/9 by default) only. The node's own default "
    "overlap is 25, so this often means that a setting was left at its default.",
    example="Sampling audio indices 0-81: 100%|##########| 4/4 [00:22<00:00,  5.50s/it]\n"
    "Sampling audio indices 56-137: 100%|##########| 4/4 [00:22<00:00,  5.50s/it]",
    fix="Set frame_window_size and motion_frame to the configured values. If another schedule is meant, "
    "set `window_frames` and `motion_frames` in the configuration.",
)
def nonstandard_schedule(context: Context) -> Outcome:
    """Compares the ranges' schedule with the configured one. SkyReels V3 has its own; unknown modes may too."""
    settings = context.settings
    candidates = multitalk_runs(context).filter(pl.col("mode").ne_missing("skyreelsv3"))
    window_differs = pl.col("window_frames") != settings.window_frames
    runs, unchecked = split_by_needs(
        candidates,
        Need(
            ~is_unknown_mode(),
            lambda: format_or_unknown("the normal schedule of {} is unknown", describe_mode()),
            "not-applicable",
        ),
        Need(window_differs | pl.col("schedule_observed"), "the overlap shows only in runs of two or more windows"),
    )
    shown = ("window_frames", "motion_frames")
    other = runs.filter(window_differs | (pl.col("motion_frames") != settings.motion_frames))
    wanted = f"{settings.window_frames}/{settings.motion_frames}"
    rows = make_findings(
        other,
        lambda: Texts(
            message=pl.when("schedule_observed")
            .then(pl.format("The run used windows of {} frames with an overlap of {}, not {}.", *shown, pl.lit(wanted)))
            .otherwise(
                pl.format("The run used a window of {} frames, not {}.", "window_frames", settings.window_frames)
            ),
            observed=pl.when("schedule_observed").then(pl.format("{}/{}", *shown)).otherwise("window_frames"),
            expected=pl.lit(wanted),
            fix=_schedule_fix(context),
        ),
    )
    return make_outcome(rows, unchecked, skip_other_loops(context))


def _schedule_fix(context: Context) -> pl.Expr:
    """Returns the fix: the configured schedule, but no larger window if memory ran out with a smaller one."""
    settings = context.settings
    usual = pl.format(
        "Set {} to {} and {} to {}. If this schedule is meant, set `window_frames` and `motion_frames` in the "
        "configuration.",
        pl.when(native.is_native()).then(pl.lit("length")).otherwise(pl.lit("frame_window_size")),
        pl.lit(settings.window_frames),
        pl.when(native.is_native()).then(pl.lit("motion_frame_count")).otherwise(pl.lit("motion_frame")),
        pl.lit(settings.motion_frames),
    )
    failed = context.found.prompts.filter(pl.col("status") == "failed")["prompt_id"]
    is_larger = (pl.col("window_frames") < settings.window_frames) & pl.col("prompt_id").is_in(failed.implode())
    return (
        pl.when(is_larger)
        .then(
            pl.lit(
                "Fix the failure first: a larger window needs more memory. If this schedule is meant, set "
                "`window_frames` and `motion_frames` in the configuration."
            )
        )
        .otherwise(usual)
    )
