"""AUD: checks that audio drives every frame of the video."""

from __future__ import annotations

import polars as pl

from loganalyzer.checks import longcat, native
from loganalyzer.checks.findings import (
    Need,
    Texts,
    format_number,
    format_or_unknown,
    has_near_miss,
    make_findings,
    make_outcome,
    split_by_needs,
)
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.checks.schedule import COUNT, LENGTH, multitalk_runs, skip_other_loops
from loganalyzer.checks.ways_out import format_trim, format_ways_out
from loganalyzer.expectations import schedule
from loganalyzer.planner import advice
from loganalyzer.tables.frames import anti_join, group_agg, inner_join

_SILENCE_FILE = "For later runs, install the wrapper's encoded silence file."


def format_clock(frames: pl.Expr, fps: float) -> pl.Expr:
    """Returns the time of a frame in the video as `m:ss.cc`."""
    seconds = frames / fps
    remainder = seconds - (seconds // 60) * 60
    return pl.concat_str([
        format_number(seconds // 60, 0), pl.lit(":"), format_number(remainder, 2).str.pad_start(5, "0"),
    ])  # fmt: skip


def _capitalize(text: pl.Expr) -> pl.Expr:
    return pl.concat_str([text.str.head(1).str.to_uppercase(), text.str.slice(1)])


def _find_shortfalls(context: Context) -> pl.DataFrame:
    """Returns runs with missing frames, with `have`, `need` and `audio_frames` of the worst padding.

    `at` is the line of its warning (null if the log has none); `line` is `at`, else the run's line.
    """
    runs = multitalk_runs(context).filter((pl.col("missing_frames") > 0) & ~native.is_looped())
    if runs.is_empty():
        return runs
    worst = (
        context.found.paddings.sort("missing", descending=True, nulls_last=True, maintain_order=True)
        .group_by("run_id", maintain_order=True)
        .agg(pl.col("line", "have", "need", "missing").first())
        .rename({"line": "at"})
    )
    reached = context.found.windows.group_by("run_id").agg(pl.col("audio_end").max().alias("reached"))
    own = pl.col("missing") == pl.col("missing_frames")
    return (
        runs.join(worst, on="run_id", how="left", maintain_order="left")
        .join(reached, on="run_id", how="left", maintain_order="left")
        .with_columns(pl.when(own).then("at").alias("at"), pl.coalesce("need", "reached").alias("need"))
        .with_columns(pl.coalesce("at", "line").alias("line"), have=pl.col("need") - pl.col("missing_frames"))
        .with_columns(pl.min_horizontal("audio_frames", "have").alias("audio_frames"))
        .with_columns(pl.when(pl.col("mirrored") | ~has_near_miss(context, "silence-missing")).then("mirrored"))
    )


def _missing_range(context: Context) -> pl.Expr:
    start, end = (format_clock(pl.col(name), context.settings.fps) for name in ("have", "need"))
    return pl.format("frames {}–{} ({}–{})", "have", pl.col("need") - 1, start, end)


def _unknown_reason() -> pl.Expr:
    return (
        pl.when(native.is_chained() & pl.col("audio_frames").is_null())
        .then(pl.lit(native.NO_LENGTH))
        .when(pl.col("status") != "completed")
        .then(format_or_unknown("the run did not reach its last window ({})", "status"))
        .when(pl.col("audio_frames").is_null())
        .then(pl.lit("the log has neither padding warnings nor the audio's length"))
        .when(pl.col("observed_windows").fill_null(0) < pl.col("expected_windows"))
        .then(pl.lit("the log has neither padding warnings nor the last window"))
        .otherwise(pl.lit("the log has neither padding warnings nor the length of every speaker's audio"))
    )


def _split_measured(context: Context) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Returns MultiTalk runs with a known number of missing frames, and the others with the reason."""
    return split_by_needs(multitalk_runs(context), Need(pl.col("missing_frames").is_not_null(), _unknown_reason))


@rule(
    "AUD001",
    "audio-shortfall",
    "error",
    cause="audio too short: {observed}",
    summary="The audio is too short: padding drives the end of the last window.",
    why="The wrapper pads `need - have + 3` frames. The 3 are context and harmless; `need - have` frames of the video "
    "have no audio. Every run of more than one window prints the warning, even a perfect one.",
    example="Audio embedding for subject 0 not long enough: 427, need 441, padding...\nPadding length: 17",
    fix="Trim the video to the frames that have audio. Or extend the audio and render again. Or render the largest "
    "aligned frame count that the audio fills. The finding has the commands and numbers.",
)
def audio_shortfall(context: Context) -> Outcome:
    """Reports frames, seconds, the position in the video, and three fixes."""
    short = context.once(_find_shortfalls)
    missing = pl.col("missing_frames")
    filled = (
        pl.when("mirrored")
        .then(pl.lit("mirrored speech"))
        .when(pl.col("mirrored").not_())
        .then(pl.lit("encoded silence"))
        .when(native.is_chained())
        .then(pl.lit("the first embedding (most likely silence)"))
        .otherwise(pl.lit("padding"))
    )
    warning = (
        pl.when(native.is_chained())
        .then(pl.lit(" ComfyUI's own nodes print no warning."))
        .when(~native.is_wrapper())
        .then(pl.format(" {} prints no warning.", "producer"))
        .when(pl.col("at").is_null())
        .then(pl.lit(" The log has no padding warning."))
        .otherwise(pl.lit(""))
    )
    rows = make_findings(
        short,
        lambda: Texts(
            message=pl.format(
                "{} ({} s) {} no audio: {} follow {}.{}{}",
                pl.when(missing == 1).then(pl.lit("1 frame")).otherwise(pl.format("{} frames", missing)),
                format_number(missing / context.settings.fps),
                pl.when(missing == 1).then(pl.lit("has")).otherwise(pl.lit("have")),
                _missing_range(context), filled, warning, _small_note(context, missing),
            ),
            observed=pl.format("{} frames missing (have {}, need {})", missing, "have", "need"),
            expected=pl.lit("0 frames missing"),
            fix=_shortfall_fix(context),
        ),
    )  # fmt: skip
    assumed = _find_assumed_shortfalls(context)
    _, unchecked = context.once(_split_measured)
    segments, unknown = longcat.find_beyond_audio(context)
    found = pl.concat([rows, _assumed_findings(context, assumed), segments])
    return make_outcome(found, anti_join(unchecked, assumed, "run_id"), unknown, skip_other_loops(context))


def _find_assumed_shortfalls(context: Context) -> pl.DataFrame:
    """Returns completed runs whose header alone shows a shortfall, with `need` and `missing`.

    Without ranges and warnings, the configured schedule is assumed if it yields the announced window count.
    """
    runs = multitalk_runs(context).filter(
        pl.col("missing_frames").is_null()
        & ~pl.col("schedule_observed")
        & (pl.col("status") == "completed")
        & (pl.col("expected_windows") > 1),
    )
    if runs.is_empty():
        return runs
    audio, window, step = pl.col("audio_frames"), pl.col("window_frames"), pl.col("stride")
    need = schedule.window_end(pl.col("expected_windows"), window, step)
    announced = pl.col("announced_windows")
    fits = (announced == schedule.count_announced_windows(audio, window, step)) | (
        announced == pl.col("expected_windows")
    )
    return runs.with_columns(need.alias("need"), (need - audio).alias("missing")).filter(fits & (pl.col("missing") > 0))


def _assumed_findings(context: Context, runs: pl.DataFrame) -> pl.DataFrame:
    return make_findings(
        runs,
        lambda: Texts(
            message=pl.format(
                "The last {} frames ({} s) have no audio if the run used the configured schedule {}/{}, which "
                "matches the {} announced windows: {} frames of audio, {} of video. The log has neither window ranges "
                "nor a padding warning.",
                "missing", format_number(pl.col("missing") / context.settings.fps), "window_frames", "motion_frames",
                "announced_windows", "audio_frames", "need",
            ),
            observed=pl.format("{} frames of audio for {} frames of video", "audio_frames", "need"),
            expected=pl.lit("0 frames missing"),
            fix=_shortfall_fix(context),
        ),
    )  # fmt: skip


def _shortfall_fix(context: Context) -> pl.Expr:
    return format_ways_out(context, have=pl.col("audio_frames"), need=pl.col("need"))


def _small_note(context: Context, missing: pl.Expr) -> pl.Expr:
    """Returns a note on small shortfalls, else an empty text."""
    is_small = missing < advice.SMALL_S * context.settings.fps
    return pl.when(is_small).then(pl.lit(" The shortfall is small.")).otherwise(pl.lit(""))


@rule(
    "AUD002",
    "context-padding",
    "info",
    cause="harmless padding",
    summary="Only the 3 context frames are padded: the audio is aligned, nothing is missing.",
    why="Upstream prints its warning in every run of more than one window. `Padding length: 3` means that the audio "
    "ends exactly where the last window ends.",
    example="Audio embedding for subject 0 not long enough: 153, need 153, padding...\nPadding length: 3",
    fix="Nothing to change.",
)
def context_padding(context: Context) -> Outcome:
    """Finds runs whose padding warnings are all harmless."""
    rows = make_findings(
        _find_harmless_padding(context),
        lambda: Texts(
            message=pl.lit("The padding warning is harmless: no frame is missing, only context frames are padded."),
            observed=pl.format("{} frames padded, 0 missing", pl.col("padding").fill_null(schedule.CONTEXT_FRAMES)),
            expected=pl.lit("0 frames missing"),
        ),
    )
    warned = pl.col("run_id").is_in(context.found.paddings["run_id"].drop_nulls().unique().implode())
    measured, unchecked = context.once(_split_measured)
    _, unwarned = split_by_needs(
        measured,
        native.warns_of_padding(),
        Need(warned | (pl.col("expected_windows") == 1), "the log has no padding warning"),
    )
    return make_outcome(rows, unchecked, unwarned)


def _find_harmless_padding(context: Context) -> pl.DataFrame:
    """Returns MultiTalk runs with padding warnings but no missing frame; `line` is that of the first warning."""
    runs, paddings = multitalk_runs(context), context.found.paddings
    if runs.is_empty() or paddings.is_empty():
        return runs.clear()
    values = (pl.col("missing").max(), pl.col("line").first().alias("at"), pl.col("padding").max())
    harmless = group_agg(paddings, ["run_id"], *values).filter(pl.col("missing") == 0)
    return inner_join(runs, harmless, ["run_id"]).with_columns(pl.col("at").alias("line"))


@rule(
    "AUD004",
    "mirrored-padding",
    "error",
    cause="mirrored speech at the end",
    under=("AUD001",),
    summary="The wrapper found no silence file: mirrored speech fills the missing end.",
    why="Without the encoded silence file, the wrapper appends the end of the speech backwards. The mouth keeps "
    "talking after the sound ends. This is harmless if no frame is missing.",
    example="No encoded silence file found, padding with end of audio embedding instead.",
    fix="Trim the video to the frames that have audio. For later runs, install the wrapper's encoded silence file.",
)
def mirrored_padding(context: Context) -> Outcome:
    """Finds only runs with missing frames: padding that is not rendered does no harm."""
    short, unfilled = split_by_needs(
        context.once(_find_shortfalls),
        native.warns_of_padding(),
        Need(pl.col("mirrored").is_not_null(), "the log does not state what fills the missing end"),
    )
    _, unchecked = context.once(_split_measured)
    short = short.filter(pl.col("mirrored"))
    rows = make_findings(
        short,
        lambda: Texts(
            message=pl.format(
                "{} show mirrored speech: the mouth keeps talking after the audio ends.", _missing_range(context)
            ).pipe(_capitalize),
            observed=pl.lit("no encoded silence file"),
            expected=pl.lit("padding with encoded silence, or no padding"),
            fix=pl.concat_str([format_trim(context, pl.col("audio_frames")), pl.lit(f"\n{_SILENCE_FILE}")]),
        ),
    )
    return make_outcome(rows, unfilled, unchecked, skip_other_loops(context))


@rule(
    "AUD005",
    "clamped-audio",
    "warning",
    cause="audio shorter than one window: {observed}",
    summary="The audio is shorter than one window: its last embedding repeats, and the log has no warning.",
    why="One window runs without a warning, and its last frames, which have no audio, repeat one mouth shape.",
    example="Sampling 60 frames in 1 windows, at 1280x720 with 4 steps",
    fix="Supply audio for a full window, or trim the video to the audio's length.",
)
def clamped_audio(context: Context) -> Outcome:
    """Compares the shortest speaker's audio with the window in runs of one window."""
    fps = context.settings.fps
    audio, window = pl.min_horizontal("audio_frames", "shortest_frames"), pl.col("window_frames")
    single = pl.col("expected_windows") == 1
    runs, unchecked = split_by_needs(
        multitalk_runs(context),
        native.warns_of_padding(),
        LENGTH,
        COUNT,
        Need(
            ~single | (audio < window) | pl.col("shortest_frames").is_not_null(),
            "the log does not state the length of every speaker's audio",
        ),
    )
    short = runs.filter(single & (audio < window))
    gap = window - audio
    ranged = context.found.windows.filter(pl.col("audio_start").is_not_null())["run_id"].unique()
    is_seen = pl.col("run_id").is_in(ranged.implode())
    differs = pl.col("window_frames") != context.settings.window_frames  # only a log can state another length
    seen = pl.when(is_seen | differs).then(pl.lit("the window")).otherwise(pl.lit("a configured window"))
    whose = pl.when(audio < pl.col("audio_frames")).then(pl.lit("shortest speaker's audio")).otherwise(pl.lit("audio"))
    rows = make_findings(
        short,
        lambda: Texts(
            message=pl.format(
                "The {} fills {} of the {} frames of {}. The last embedding repeats for {} frames ({} s) "
                "from {}.",
                whose, audio, "window_frames", seen, gap, format_number(gap / fps), format_clock(audio, fps),
            ),
            observed=pl.format("{} frames", audio),
            expected=pl.format("{} frames or more", "window_frames"),
            fix=pl.format("Trim the video to {} frames, or supply {} s more audio.", audio, format_number(gap / fps)),
        ),
    )  # fmt: skip
    return make_outcome(rows, unchecked, skip_other_loops(context))
