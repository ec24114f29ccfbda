"""SCH: did the run take the windows it should have taken?"""

from __future__ import annotations

import polars as pl

from loganalyzer.checks import longcat, native
from loganalyzer.checks.findings import Need, findings, is_near, judged, mode, outcome, skipped, texts, worded
from loganalyzer.checks.prompt_endings import with_stop
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.checks.rotation import split_prompts
from loganalyzer.expectations import schedule
from loganalyzer.runs.planned import is_talking, is_unknown_mode
from loganalyzer.tables.frames import inner_join

LENGTH = Need(pl.col("audio_frames").is_not_null(), "the log does not tell the audio's length")
COUNT = Need(pl.col("expected_windows").is_not_null(), "the windows seen make no schedule to count by")
_BARS = Need(
    pl.col("observed_windows").is_not_null(), "the log holds no progress bars (container logs often drop them)"
)
_WINDOW_BARS = ("window-bar-audio", "window-bar-audio-counter", "window-bar-frames", "window-bar-frames-counter")
_HEADER = Need(pl.col("announced_windows").is_not_null(), "the log holds no header that announces a window count")


def windowed(context: Context) -> pl.DataFrame:
    """Runs that go through audio in windows."""
    return context.once(_windowed)


def talking(context: Context) -> pl.DataFrame:
    """Windowed runs of the MultiTalk loop, to which the house's audio rules apply."""
    return context.once(_talking)


def _windowed(context: Context) -> pl.DataFrame:
    return context.found.runs.filter(pl.col("window_frames").is_not_null())


def _talking(context: Context) -> pl.DataFrame:
    return windowed(context).filter(is_talking())


def other_loops(context: Context) -> pl.DataFrame:
    """Windowed runs of the other loops, which the rules on the MultiTalk loop say nothing of, with the reason."""
    return context.once(_other_loops)


def _other_loops(context: Context) -> pl.DataFrame:
    others = windowed(context).filter(~is_talking())
    if others.is_empty():
        return skipped(others, "")
    reason = worded("the rule knows the MultiTalk loop only, and the run is of {}", mode())
    return skipped(others, reason, "not-applicable")


@rule(
    "SCH001",
    "window-sequence",
    "error",
    cause="audio range off schedule: {observed}",
    summary="A window's audio range differs from the schedule.",
    why="Window k reads audio frames [S·(k-1), S·(k-1) + W). A range elsewhere means that mouth and sound part, "
    "or that the loop was changed. Where ComfyUI's own nodes are chained, the same range once more means that only the "
    "last segment was handed on to previous_frames, not all frames so far.",
    example="Sampling audio indices 72-153 followed by Sampling audio indices 140-221",
    fix="Compare the wrapper's version with the last good run; report the two ranges upstream. In a chain of ComfyUI's "
    "own nodes, hand all frames so far on to each node.",
)
def window_sequence(context: Context) -> Outcome:
    """Each seen range against its place; upstream's slip for LongCat (first end doubled) is no fault."""
    doubled = (pl.col("window") == 1) & (pl.col("audio_end") == 2 * pl.col("expected_end"))
    told = pl.col("expected_start").is_not_null() | pl.col("audio_start").is_not_null()
    wrong = context.found.windows.filter(pl.col("matches").not_() & ~doubled & told)
    if not wrong.is_empty():
        wrong = inner_join(wrong, windowed(context)[["run_id", "source", "producer"]], ["run_id"])
        chained = wrong.filter(native.is_native())
        wrong = wrong.filter(~native.is_native())
    else:
        chained = wrong
    expected = pl.coalesce(pl.format("{}-{}", "expected_start", "expected_end"), pl.lit("no further window"))
    rows = findings(
        wrong,
        lambda: texts(
            message=pl.format(
                "Window {} reads audio {}-{}, the schedule says {}.",
                "window",
                "audio_start",
                "audio_end",
                expected,
            ),
            observed=pl.format("{}-{}", "audio_start", "audio_end"),
            expected=expected,
            fix=pl.lit("Compare the wrapper's version with the last good run, and report both ranges upstream."),
        ),
    )
    ranged = context.found.windows.filter(pl.col("audio_start").is_not_null())["run_id"].unique()
    range_seen = Need(pl.col("run_id").is_in(ranged.implode()), "no window's audio range is in the log")
    needs = (Need(native.is_chained() | need.met, need.reason) for need in (LENGTH, COUNT, _BARS))
    _, barred = judged(windowed(context), native.has_ranges(context.found.windows), *needs, range_seen)
    segments = longcat.wrong_ranges(context)
    return outcome(pl.concat([rows, native.wrong_ranges(chained, context.found.windows), segments]), barred)


@rule(
    "SCH002",
    "announced-windows",
    "warning",
    cause="wrong window count in the header",
    summary="The header's window count is neither upstream's estimate nor the real count.",
    why="The header announces an estimate, one too many for every aligned length; both that and the real count are "
    "fine. Anything else says that upstream's arithmetic changed.",
    example="Sampling 250 frames in 7 windows, at 1280x720 with 4 steps",
    fix="Check which wrapper version ran; this tool's schedule may need an update for it.",
)
def announced_windows(context: Context) -> Outcome:
    """The estimate uses W - M - D; with a HuMo reference (unknown to the log) it is one that no rule predicts."""
    estimate = schedule.count_announced_windows(pl.col("audio_frames"), pl.col("window_frames"), pl.col("stride"))
    announced = pl.col("announced_windows")
    usual = (announced == pl.col("estimate")) | (announced == pl.col("expected_windows"))
    told, barred = judged(
        talking(context).with_columns(estimate.alias("estimate")),
        native.announces_count(),
        _HEADER,
        LENGTH,
        COUNT,
        Need(usual | pl.col("schedule_observed"), "window and overlap cannot be observed in this log"),
    )
    wrong = told.filter(~usual)
    rows = findings(
        wrong,
        lambda: texts(
            message=pl.format(
                "The header announces {} windows for {} frames; upstream's estimate is {} and the real count {}.",
                "announced_windows", "audio_frames", "estimate", "expected_windows",
            ),
            observed=pl.col("announced_windows"),
            expected=pl.format("{} or {}", "estimate", "expected_windows"),
            fix=pl.lit("Check which wrapper version ran: its arithmetic may have changed."),
        ),
    )  # fmt: skip
    return outcome(rows, barred, other_loops(context))


@rule(
    "SCH003",
    "missing-windows",
    "error",
    cause="windows missing: {observed} of {expected}",
    under=("RUN001", "RUN002", "RUN003", "RUN004"),
    summary="The run ended before its last window.",
    why="The video stops before the audio does, or the run was lost.",
    example="Sampling 250 frames in 4 windows, … and only two bars behind it",
    fix="Look for the failure, interruption or cut in the log behind the last window, and render again.",
)
def missing_windows(context: Context) -> Outcome:
    """Windows seen against windows that the loop really runs; one whose bar is lost may have run."""
    runs = windowed(context).filter(~native.is_chained())
    chained, uncounted = judged(
        windowed(context).filter(native.is_chained()),
        Need(LENGTH.met, native.announces_count().reason, "not-applicable"),
    )
    all_seen = pl.col("observed_windows") >= pl.col("expected_windows")
    runs = runs if runs.is_empty() else _with_reach(context, runs)
    lines = context.found.windows.filter(pl.col("range_source") == "line")["run_id"].unique()
    by_line = pl.col("run_id").is_in(lines.implode())
    is_split = pl.col("prompt_id").is_in(split_prompts(context)["prompt_id"].implode()).fill_null(value=False)
    runs, barred = judged(
        runs,
        LENGTH,
        COUNT,
        _BARS,
        Need(all_seen | ~is_split, "the log was rotated in this run: the rest of its windows is in the next file"),
        Need(all_seen | ~is_near(context, *_WINDOW_BARS), "bars of windows cannot be read (LOG001)"),
        Need(
            all_seen | ~((pl.col("finish_observed") | by_line) & (pl.col("reached") >= pl.col("audio_frames"))),
            "not every window's bar or line is in the log, but its end shows that all windows ran",
        ),
    )
    rows = findings(
        with_stop(runs.filter(~all_seen), context.found.windows),
        lambda: texts(
            message=pl.format(
                "The run stopped {}, at audio frame {} of {}.", "stop", "seen_end", "audio_frames"
            ),
            observed=pl.col("observed_windows"),
            expected=pl.col("expected_windows"),
            fix=pl.lit("Fix the cause (see the run's other findings), then render again."),
        ),
    )  # fmt: skip
    return outcome(pl.concat([rows, native.too_few(chained)]), barred, uncounted)


def _with_reach(context: Context, runs: pl.DataFrame) -> pl.DataFrame:
    """`runs` with `seen_end` and `reached`: the last audio frame of the bars, and of bars and padding requests."""
    seen = context.found.windows.group_by("run_id").agg(pl.col("audio_end").max().alias("seen_end"))
    asked = context.found.paddings.group_by("run_id").agg(pl.col("need").max())
    known = runs.join(seen, on="run_id", how="left", maintain_order="left")
    known = known.join(asked, on="run_id", how="left", maintain_order="left")
    return known.with_columns(pl.col("seen_end").fill_null(0), pl.max_horizontal("seen_end", "need").alias("reached"))


@rule(
    "SCH004",
    "nonstandard-schedule",
    "warning",
    cause="other schedule: {observed}, not {expected}",
    summary="Window or overlap differ from the configured ones.",
    why="The house's baselines and frame counts hold for 81/9 only. The node's own default overlap is 25, so this "
    "often means that a setting was left as it came.",
    example="Sampling audio indices 0-81 followed by Sampling audio indices 56-137",
    fix="Set frame_window_size and motion_frame to the configured values. If another schedule is meant, "
    "set `window_frames` and `motion_frames` in the configuration.",
)
def nonstandard_schedule(context: Context) -> Outcome:
    """Only what the ranges show is judged. SkyReels V3 has a schedule of its own; so may a mode that is not known."""
    settings = context.settings
    house = talking(context).filter(pl.col("mode").ne_missing("skyreelsv3"))
    window_differs = pl.col("window_frames") != settings.window_frames
    runs, barred = judged(
        house,
        Need(~is_unknown_mode(), lambda: worded("no usual schedule is known for {}", mode()), "not-applicable"),
        Need(window_differs | pl.col("schedule_observed"), "the overlap shows only with two windows or more"),
    )
    shown = ("window_frames", "motion_frames")
    other = runs.filter(window_differs | (pl.col("motion_frames") != settings.motion_frames))
    wanted = f"{settings.window_frames}/{settings.motion_frames}"
    rows = findings(
        other,
        lambda: texts(
            message=pl.when("schedule_observed")
            .then(pl.format("The run used windows of {} frames with an overlap of {}, not {}.", *shown, pl.lit(wanted)))
            .otherwise(
                pl.format("The run used a window of {} frames, not {}.", "window_frames", settings.window_frames)
            ),
            observed=pl.when("schedule_observed").then(pl.format("{}/{}", *shown)).otherwise("window_frames"),
            expected=pl.lit(wanted),
            fix=_to_the_usual(context),
        ),
    )
    return outcome(rows, barred, other_loops(context))


def _to_the_usual(context: Context) -> pl.Expr:
    """The way back to the configured schedule; no larger window is advised where memory ran out with a smaller one."""
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
