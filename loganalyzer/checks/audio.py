"""AUD: is every frame of the video driven by audio?"""

from __future__ import annotations

import polars as pl

from loganalyzer.checks import longcat, native
from loganalyzer.checks.findings import Need, findings, is_near, judged, number, outcome, texts, worded
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.checks.schedule import COUNT, LENGTH, other_loops, talking
from loganalyzer.checks.ways_out import trimming, ways_out
from loganalyzer.expectations import schedule
from loganalyzer.planner import advice
from loganalyzer.tables.frames import anti_join, group_agg, inner_join

_SILENCE_FILE = "For later runs, install the wrapper's encoded silence file."


def clock(frames: pl.Expr, fps: float) -> pl.Expr:
    """Frames as a place in the video, `m:ss.cc`."""
    seconds = frames / fps
    rest = seconds - (seconds // 60) * 60
    return pl.concat_str([
        number(seconds // 60, 0), pl.lit(":"), number(rest, 2).str.pad_start(5, "0"),
    ])  # fmt: skip


def _capital(text: pl.Expr) -> pl.Expr:
    return pl.concat_str([text.str.head(1).str.to_uppercase(), text.str.slice(1)])


def _short(context: Context) -> pl.DataFrame:
    """Runs with missing frames: `have` and `need` of the worst padding, and audio_frames of the audio that is padded.

    `at` is the line of its warning, null where the log prints none; line is that, else the run's.
    """
    runs = talking(context).filter((pl.col("missing_frames") > 0) & ~native.is_looped())
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
        .with_columns(pl.when(pl.col("mirrored") | ~is_near(context, "silence-missing")).then("mirrored"))
    )


def _where(context: Context) -> pl.Expr:
    fps = context.settings.fps
    return pl.format(
        "frames {}–{} ({}–{})",
        pl.col("have"), pl.col("need") - 1, clock(pl.col("have"), fps), clock(pl.col("need"), fps),
    )  # fmt: skip


def _why_unknown() -> pl.Expr:
    return (
        pl.when(native.is_chained() & pl.col("audio_frames").is_null())
        .then(pl.lit(native.NO_LENGTH))
        .when(pl.col("status") != "completed")
        .then(worded("the run is {}: it never came to its last window", "status"))
        .when(pl.col("audio_frames").is_null())
        .then(pl.lit("neither padding warnings nor the audio's length are in the log"))
        .when(pl.col("observed_windows").fill_null(0) < pl.col("expected_windows"))
        .then(pl.lit("neither padding warnings nor the last window are in the log"))
        .otherwise(pl.lit("neither padding warnings nor every speaker's length are in the log"))
    )


def _measured(context: Context) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Talking runs of which it is known how many frames are missing, and the others with the reason."""
    return judged(talking(context), Need(pl.col("missing_frames").is_not_null(), _why_unknown))


@rule(
    "AUD001",
    "audio-shortfall",
    "error",
    cause="audio too short: {observed}",
    summary="The last window reaches beyond the audio: its end is driven by padding.",
    why="The wrapper pads `need - have + 3` frames; the 3 are context and harmless, `need - have` frames of the video "
    "have no audio of their own. Every run of more than one window prints the warning, also a perfect one.",
    example="Audio embedding for subject 0 not long enough: 427, need 441, padding...\nPadding length: 17",
    fix="Trim the video to the frames that have audio; or extend the audio and render again; or render the largest "
    "aligned frame count that the audio fills. The finding has the commands and figures.",
)
def audio_shortfall(context: Context) -> Outcome:
    """Frames, seconds, where in the video, and the three ways out."""
    short = context.once(_short)
    missing = pl.col("missing_frames")
    filled = (
        pl.when("mirrored")
        .then(pl.lit("mirrored speech"))
        .when(pl.col("mirrored").not_())
        .then(pl.lit("encoded silence"))
        .when(native.is_chained())
        .then(pl.lit("the first embedding again (most likely silence)"))
        .otherwise(pl.lit("padding"))
    )
    said = (
        pl.when(native.is_chained())
        .then(pl.lit(" ComfyUI's own nodes print no warning."))
        .when(~native.is_wrapper())
        .then(pl.format(" {} prints no warning.", "producer"))
        .when(pl.col("at").is_null())
        .then(pl.lit(" The log has no padding warning."))
        .otherwise(pl.lit(""))
    )
    rows = findings(
        short,
        lambda: texts(
            message=pl.format(
                "{} ({} s) {} missing: {} follow {}, not the audio.{}{}",
                pl.when(missing == 1).then(pl.lit("1 frame")).otherwise(pl.format("{} frames", missing)),
                number(missing / context.settings.fps),
                pl.when(missing == 1).then(pl.lit("is")).otherwise(pl.lit("are")),
                _where(context), filled, said, _small(context, missing),
            ),
            observed=pl.format("{} frames missing (have {}, need {})", missing, "have", "need"),
            expected=pl.lit("0 frames missing"),
            fix=_ways(context),
        ),
    )  # fmt: skip
    assumed = _assumed(context)
    _, barred = context.once(_measured)
    segments, unknown = longcat.beyond_audio(context)
    found = pl.concat([rows, _assumed_findings(context, assumed), segments])
    return outcome(found, anti_join(barred, assumed, "run_id"), unknown, other_loops(context))


def _assumed(context: Context) -> pl.DataFrame:
    """Completed runs whose header alone shows a shortfall, with `need` and `missing`.

    No range and no padding warning is in the log, so the configured schedule is taken, provided that it gives the
    window count that the header announces.
    """
    runs = talking(context).filter(
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
    return findings(
        runs,
        lambda: texts(
            message=pl.format(
                "{} frames ({} s) at the end have no audio, if the run used the configured schedule of {}/{}, which "
                "fits the {} announced windows: {} frames of audio, {} of video. Neither window ranges nor a padding "
                "warning are in the log.",
                "missing", number(pl.col("missing") / context.settings.fps), "window_frames", "motion_frames",
                "announced_windows", "audio_frames", "need",
            ),
            observed=pl.format("{} frames of audio for {} frames of video", "audio_frames", "need"),
            expected=pl.lit("0 frames missing"),
            fix=_ways(context),
        ),
    )  # fmt: skip


def _ways(context: Context) -> pl.Expr:
    return ways_out(context, have=pl.col("audio_frames"), need=pl.col("need"))


def _small(context: Context, missing: pl.Expr) -> pl.Expr:
    """Says that a shortfall is small, where it is."""
    is_small = missing < advice.SMALL_S * context.settings.fps
    return pl.when(is_small).then(pl.lit(" A small shortfall.")).otherwise(pl.lit(""))


@rule(
    "AUD002",
    "context-padding",
    "info",
    cause="harmless padding",
    summary="Padding is only the 3 context frames: the aligned, perfect case.",
    why="Upstream prints its warning in every run of more than one window. `Padding length: 3` says that the audio "
    "ends exactly where the last window ends.",
    example="Audio embedding for subject 0 not long enough: 153, need 153, padding...\nPadding length: 3",
    fix="Nothing to change.",
)
def context_padding(context: Context) -> Outcome:
    """Runs whose warnings all are harmless."""
    rows = findings(
        _harmless(context),
        lambda: texts(
            message=pl.lit("The padding warning is harmless: no frame is missing, only context is padded."),
            observed=pl.format("{} frames padded, 0 missing", pl.col("padding").fill_null(schedule.CONTEXT_FRAMES)),
            expected=pl.lit("0 frames missing"),
            fix=pl.lit("Nothing to change."),
        ),
    )
    warned = pl.col("run_id").is_in(context.found.paddings["run_id"].drop_nulls().unique().implode())
    measured, barred = context.once(_measured)
    _, unwarned = judged(
        measured,
        native.warns_of_padding(),
        Need(warned | (pl.col("expected_windows") == 1), "no padding warning is in the log"),
    )
    return outcome(rows, barred, unwarned)


def _harmless(context: Context) -> pl.DataFrame:
    """Talking runs with padding warnings and no frame missing: at the first warning."""
    runs, paddings = talking(context), context.found.paddings
    if runs.is_empty() or paddings.is_empty():
        return runs.clear()
    figures = (pl.col("missing").max(), pl.col("line").first().alias("at"), pl.col("padding").max())
    harmless = group_agg(paddings, ["run_id"], *figures).filter(pl.col("missing") == 0)
    return inner_join(runs, harmless, ["run_id"]).with_columns(pl.col("at").alias("line"))


@rule(
    "AUD004",
    "mirrored-padding",
    "error",
    cause="mirrored speech at the end",
    under=("AUD001",),
    summary="No silence file was found: the missing end is mirrored speech.",
    why="Without the encoded silence the wrapper appends the end of the speech backwards. The mouth keeps talking "
    "where the sound has ended. Harmless while no frame is missing.",
    example="No encoded silence file found, padding with end of audio embedding instead.",
    fix="Trim the video to the frames that have audio. For later runs, install the wrapper's encoded silence file.",
)
def mirrored_padding(context: Context) -> Outcome:
    """Only where frames are missing does it show."""
    short, unfilled = judged(
        context.once(_short),
        native.warns_of_padding(),
        Need(pl.col("mirrored").is_not_null(), "the log does not tell what the missing end is padded with"),
    )
    _, barred = context.once(_measured)
    short = short.filter(pl.col("mirrored"))
    rows = findings(
        short,
        lambda: texts(
            message=pl.format(
                "{} show mirrored speech: the mouth keeps talking after the audio ends.", _where(context)
            ).pipe(_capital),
            observed=pl.lit("no encoded silence file"),
            expected=pl.lit("padding with encoded silence, or none"),
            fix=pl.concat_str([trimming(context, pl.col("audio_frames")), pl.lit(f"\n{_SILENCE_FILE}")]),
        ),
    )
    return outcome(rows, unfilled, barred, other_loops(context))


@rule(
    "AUD005",
    "clamped-audio",
    "warning",
    cause="audio shorter than one window: {observed}",
    summary="The audio is shorter than one window: its last embedding is repeated without any warning.",
    why="With A < W one window runs, nothing is printed, and the last W - A frames repeat one mouth shape.",
    example="Sampling 60 frames in 1 windows, at 1280x720 with 4 steps",
    fix="Supply audio for a whole window, or cut the video to the audio's length.",
)
def clamped_audio(context: Context) -> Outcome:
    """Short audio in one window, of whichever speaker has the least."""
    fps = context.settings.fps
    audio, window = pl.min_horizontal("audio_frames", "shortest_frames"), pl.col("window_frames")
    single = pl.col("expected_windows") == 1
    runs, barred = judged(
        talking(context),
        native.warns_of_padding(),
        LENGTH,
        COUNT,
        Need(
            ~single | (audio < window) | pl.col("shortest_frames").is_not_null(),
            "the log does not tell every speaker's length",
        ),
    )
    short = runs.filter(single & (audio < window))
    gap = window - audio
    ranged = context.found.windows.filter(pl.col("audio_start").is_not_null())["run_id"].unique()
    is_seen = pl.col("run_id").is_in(ranged.implode())
    differs = pl.col("window_frames") != context.settings.window_frames  # which only the log can have said
    seen = pl.when(is_seen | differs).then(pl.lit("the window")).otherwise(pl.lit("a window as configured"))
    whose = pl.when(audio < pl.col("audio_frames")).then(pl.lit("shortest speaker's audio")).otherwise(pl.lit("audio"))
    rows = findings(
        short,
        lambda: texts(
            message=pl.format(
                "The {} fills {} of the {} frames of {}; the last embedding is reused for {} frames ({} s), "
                "from {} on.",
                whose, audio, "window_frames", seen, gap, number(gap / fps), clock(audio, fps),
            ),
            observed=pl.format("{} frames", audio),
            expected=pl.format("{} frames or more", "window_frames"),
            fix=pl.format("Cut the video to {} frames, or supply {} s more audio.", audio, number(gap / fps)),
        ),
    )  # fmt: skip
    return outcome(rows, barred, other_loops(context))
