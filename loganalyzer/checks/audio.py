"""AUD: is every frame of the video driven by audio?"""

from __future__ import annotations

import polars as pl

from loganalyzer.checks.outcomes import findings, number, outcome, skipped, texts
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.checks.schedule import talking
from loganalyzer.expectations import schedule
from loganalyzer.rows import extended, grouped, matching, only


def clock(frames: pl.Expr, fps: float) -> pl.Expr:
    """Frames as a place in the video, `m:ss.cc`."""
    seconds = frames / fps
    rest = seconds - (seconds // 60) * 60
    return pl.concat_str([
        number(seconds // 60, 0), pl.lit(":"), number(rest, 2).str.pad_start(5, "0"),
    ])  # fmt: skip


def ways_out(context: Context, runs: pl.DataFrame) -> pl.Expr:
    """The three ways out, in the house's order, with this run's numbers. `runs` has A as audio_frames."""
    fps = context.settings.fps
    audio, window, step = pl.col("audio_frames"), pl.col("window_frames"), pl.col("stride")
    cut = pl.when(audio >= window).then(window + (audio - window) // step * step)
    more = schedule.end(schedule.windows(audio, window, step), window, step)
    shorten = pl.format(
        "Cut to {} frames ({} s), the largest aligned count the audio fills",
        cut,
        number(cut / fps),
    )
    extend = pl.format(
        "render {} frames and cut the video back to {}; or supply {} s more audio for {} frames.",
        more, audio, number((more - audio) / fps), more,
    )  # fmt: skip
    return pl.concat_str([pl.coalesce(pl.concat_str([shorten, pl.lit("; or ")]), pl.lit("")), extend]).pipe(_capital)


def _capital(text: pl.Expr) -> pl.Expr:
    return pl.concat_str([text.str.head(1).str.to_uppercase(), text.str.slice(1)])


def _short(context: Context) -> pl.DataFrame:
    """Runs with missing frames: at, the line of the worst padding warning, else of the run."""
    runs = only(talking(context), pl.col("missing_frames") > 0)
    if runs.is_empty():
        return runs
    worst = (
        context.found.paddings.sort("missing", descending=True, maintain_order=True)
        .group_by("run_id", maintain_order=True)
        .agg(pl.col("line").first().alias("at"), pl.col("have").first(), pl.col("need").first())
    )
    return runs.join(worst, on="run_id", how="left", maintain_order="left").pipe(
        extended,
        pl.coalesce("at", "line").alias("line"),
        pl.coalesce("have", "audio_frames").alias("have"),
        pl.coalesce("audio_frames", "have").alias("audio_frames"),
        pl.coalesce("need", pl.col("audio_frames") + pl.col("missing_frames")).alias("need"),
    )


def _where(context: Context) -> pl.Expr:
    fps = context.settings.fps
    return pl.format(
        "frames {} to {} of the video ({} to {})",
        pl.col("have"), pl.col("need") - 1, clock(pl.col("have"), fps), clock(pl.col("need"), fps),
    )  # fmt: skip


def _unknown(context: Context) -> pl.DataFrame:
    return only(talking(context), pl.col("missing_frames").is_null())


@rule(
    "AUD001",
    "audio-shortfall",
    "error",
    summary="The last window reaches beyond the audio: its end is driven by padding.",
    why="The wrapper pads `need - have + 3` frames; the 3 are context and harmless, `need - have` frames of the video "
    "have no audio of their own. Every run of more than one window prints the warning, also a perfect one.",
    example="Audio embedding for subject 0 not long enough: 427, need 441, padding...\nPadding length: 17",
    fix="Cut to the largest aligned frame count the audio fills; or render the next aligned count and cut the video "
    "back to the audio's length; or supply more audio.",
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
        .otherwise(pl.lit("padding"))
    )
    said = (
        pl.when(pl.col("at").is_null()).then(pl.lit(" The log prints no padding warning for it.")).otherwise(pl.lit(""))
    )
    rows = findings(
        short,
        lambda: texts(
            message=pl.format(
                "{} frames ({} s) are missing: {} are driven by {}, not by the audio.{}",
                missing, number(missing / context.settings.fps), _where(context), filled, said,
            ),
            observed=pl.format("{} frames missing (have {}, need {})", missing, "have", "need"),
            expected=pl.lit("0 frames missing"),
            fix=ways_out(context, short),
        ),
    )  # fmt: skip
    return outcome(rows, skipped(_unknown(context), _why_unknown()))


def _why_unknown() -> pl.Expr:
    return (
        pl.when(pl.col("status") != "completed")
        .then(pl.format("the run is {}: it never came to its last window", "status"))
        .otherwise(pl.lit("neither padding warnings nor audio ranges are in the log"))
    )


@rule(
    "AUD002",
    "context-padding",
    "info",
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
    return outcome(rows)


def _harmless(context: Context) -> pl.DataFrame:
    """Talking runs with padding warnings and no frame missing: at the first warning."""
    runs, paddings = talking(context), context.found.paddings
    if runs.is_empty() or paddings.is_empty():
        return runs.clear()
    figures = (pl.col("missing").max(), pl.col("line").first().alias("at"), pl.col("padding").max())
    harmless = only(grouped(paddings, ["run_id"], *figures), pl.col("missing") == 0)
    return matching(runs, harmless, ["run_id"]).pipe(extended, pl.col("at").alias("line"))


@rule(
    "AUD003",
    "audio-shorter-than-requested",
    "warning",
    summary="The audio is shorter than the frames asked for, so fewer were used.",
    why="The video comes out shorter than planned. A difference of one frame is upstream's float arithmetic, not the "
    "audio: it is not reported.",
    example="[MultiTalk] Audio duration (427 frames) is shorter than requested (500 frames). Using 427 frames.",
    fix="Ask for an aligned count that the audio fills, or supply more audio.",
)
def audio_shorter(context: Context) -> Outcome:
    """Requested against used frames."""
    short = only(talking(context), pl.col("requested_frames") - pl.col("audio_frames") > 1)
    rows = findings(
        short,
        lambda: texts(
            message=pl.format("{} frames were asked for, the audio has {}.", "requested_frames", "audio_frames"),
            observed=pl.format("{} frames", "audio_frames"),
            expected=pl.format("{} frames", "requested_frames"),
            fix=ways_out(context, short),
        ),
    )
    return outcome(rows)


@rule(
    "AUD004",
    "mirrored-padding",
    "error",
    summary="No silence file was found: the missing end is mirrored speech.",
    why="Without the encoded silence the wrapper appends the end of the speech backwards. The mouth keeps talking "
    "where the sound has ended. Harmless while no frame is missing.",
    example="No encoded silence file found, padding with end of audio embedding instead.",
    fix="Put the encoded silence file where the wrapper looks for it, or cut to an aligned frame count.",
)
def mirrored_padding(context: Context) -> Outcome:
    """Only where frames are missing does it show."""
    short = only(context.once(_short), pl.col("mirrored"))
    rows = findings(
        short,
        lambda: texts(
            message=pl.format(
                "{} show mirrored speech: the mouth keeps talking after the audio has ended.", _where(context)
            ).pipe(_capital),
            observed=pl.lit("no encoded silence file"),
            expected=pl.lit("padding with encoded silence, or none"),
            fix=pl.concat_str([pl.lit("Install the wrapper's encoded silence file. "), ways_out(context, short)]),
        ),
    )
    return outcome(rows)


@rule(
    "AUD005",
    "clamped-audio",
    "warning",
    summary="The audio is shorter than one window: its last embedding is repeated without any warning.",
    why="With A < W one window runs, nothing is printed, and the last W - A frames repeat one mouth shape.",
    example="Sampling 60 frames in 1 windows, at 1280x720 with 4 steps",
    fix="Supply audio for a whole window, or cut the video to the audio's length.",
)
def clamped_audio(context: Context) -> Outcome:
    """Short audio in one window."""
    fps = context.settings.fps
    short = only(
        talking(context), (pl.col("audio_frames") < pl.col("window_frames")) & (pl.col("expected_windows") == 1)
    )
    gap = pl.col("window_frames") - pl.col("audio_frames")
    rows = findings(
        short,
        lambda: texts(
            message=pl.format(
                "The audio fills {} of the window's {} frames; the last embedding is reused for {} frames ({} s), "
                "from {} on.",
                "audio_frames", "window_frames", gap, number(gap / fps), clock(pl.col("audio_frames"), fps),
            ),
            observed=pl.format("{} frames", "audio_frames"),
            expected=pl.format("{} frames or more", "window_frames"),
            fix=pl.format(
                "Cut the video to {} frames, or supply {} s more audio.", "audio_frames", number(gap / fps)
            ),
        ),
    )  # fmt: skip
    return outcome(rows)


@rule(
    "AUD006",
    "frame-rate",
    "warning",
    summary="Audio seconds and frames give another frame rate than the configured one.",
    why="Lips drift against the sound when the embedding and the video are made at different rates.",
    example="seconds=17.084s beside Sampling 392 frames: 23 fps where 25 is configured",
    fix="Give the audio node and the video node the same rate, or configure the rate you mean.",
)
def frame_rate(context: Context) -> Outcome:
    """Upstream takes int(seconds × fps) frames, so the rate lies in [A / s, (A + 1) / s)."""
    runs = talking(context)
    told = only(runs, pl.col("audio_s") > 0)
    low = pl.col("audio_frames") / (pl.col("audio_s") + 0.0005)
    high = (pl.col("audio_frames") + 2) / (pl.col("audio_s") - 0.0005)
    fps = context.settings.fps
    wrong = only(told, ~((low <= fps) & (pl.lit(fps) < high)))
    rate = pl.col("audio_frames") / pl.col("audio_s")
    rows = findings(
        wrong,
        lambda: texts(
            message=pl.format(
                "{} frames over {} s of audio are {} frames per second, not {}.",
                "audio_frames", number("audio_s", 3), number(rate), number(pl.lit(fps)),
            ),
            observed=pl.format("{} fps", number(rate)),
            expected=pl.format("{} fps", number(pl.lit(fps))),
            fix=pl.lit(f"Set both nodes to {fps:g} fps, or configure the rate you mean (--fps)."),
        ),
    )  # fmt: skip
    silent = only(runs, pl.col("audio_s").is_null())
    return outcome(rows, skipped(silent, "the log does not tell the audio's duration (the embedding was cached)"))
