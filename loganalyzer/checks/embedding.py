"""AUD003 and AUD006: do the frames agree with what the embedding node says of the audio?"""

from __future__ import annotations

import polars as pl

from loganalyzer.checks import native
from loganalyzer.checks.findings import Need, findings, is_near, judged, number, outcome, texts
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.checks.schedule import LENGTH, other_loops, talking
from loganalyzer.runs import eras

_EMBEDDED = Need(pl.col("audio_s") > 0, "the log does not tell the audio's duration (the embedding was cached)")


@rule(
    "AUD003",
    "audio-shorter-than-requested",
    "warning",
    cause="audio shorter than requested: {observed}",
    under=("AUD001",),
    summary="The audio is shorter than the requested frames, so fewer were used.",
    why="The video comes out shorter than planned. A difference of one frame is upstream's float arithmetic, not the "
    "audio: it is not reported.",
    example="[MultiTalk] Audio duration (427 frames) is shorter than requested (500 frames). Using 427 frames.",
    fix="Ask for an aligned count that the audio fills, or supply more audio.",
)
def audio_shorter(context: Context) -> Outcome:
    """Requested against used frames. Only where the audio is shorter does the node say so, among its other lines."""
    said = pl.col("requested_frames").is_not_null()
    runs, barred = judged(
        talking(context),
        LENGTH,
        Need(said | _EMBEDDED.met, _EMBEDDED.reason),
        Need(said | ~eras.is_until(eras.SHORTER_SAID), "this wrapper version does not say what was asked for"),
        Need(said | ~is_near(context, "audio-shorter"), "the line that tells it cannot be read (LOG001)"),
    )
    short = runs.filter(pl.col("requested_frames") - pl.col("audio_frames") > 1)
    rows = findings(
        short,
        lambda: texts(
            message=pl.format("{} frames were requested, but the audio has {}.", "requested_frames", "audio_frames"),
            observed=pl.format("{} frames", "audio_frames"),
            expected=pl.format("{} frames", "requested_frames"),
            fix=pl.format(
                "Request {} frames or fewer, or supply audio of {} s.",
                "audio_frames",
                number(pl.col("requested_frames") / context.settings.fps),
            ),
        ),
    )
    return outcome(rows, barred, other_loops(context))


@rule(
    "AUD006",
    "frame-rate",
    "warning",
    cause="wrong frame rate: {observed}",
    summary="Audio seconds and frames give another frame rate than the configured one.",
    why="Lips drift against the sound when the embedding and the video are made at different rates.",
    example="seconds=17.084s beside Sampling 392 frames: 23 fps where 25 is configured",
    fix="Set the audio node and the video node to the same rate. If another rate is meant, set `fps`.",
)
def frame_rate(context: Context) -> Outcome:
    """Upstream takes int(seconds × fps) frames, so the rate lies in [A / s, (A + 1) / s)."""
    told, barred = judged(talking(context), native.reads_at_a_rate(), _EMBEDDED, LENGTH)
    low = pl.col("audio_frames") / (pl.col("audio_s") + 0.0005)
    high = (pl.col("audio_frames") + 2) / (pl.col("audio_s") - 0.0005)
    fps = context.settings.fps
    wrong = told.filter(~((low <= fps) & (pl.lit(fps) < high)))
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
            fix=pl.lit(
                f"Set both nodes to {fps:g} fps. If another rate is meant, set `fps` in the configuration (or --fps)."
            ),
        ),
    )  # fmt: skip
    return outcome(rows, barred, other_loops(context))
