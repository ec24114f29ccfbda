"""AUD003 and AUD006: compares frames with the audio length that the embedding node prints."""

from __future__ import annotations

import polars as pl

from loganalyzer.checks import native
from loganalyzer.checks.findings import (
    Need,
    Texts,
    format_number,
    has_near_miss,
    make_findings,
    make_outcome,
    split_by_needs,
)
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.checks.schedule import LENGTH, multitalk_runs, skip_other_loops
from loganalyzer.runs import eras

_EMBEDDED = Need(pl.col("audio_s") > 0, "the audio's duration is not in the log (the embedding was cached)")


@rule(
    "AUD003",
    "audio-shorter-than-requested",
    "warning",
    cause="audio shorter than requested: {observed}",
    under=("AUD001",),
    summary="The audio is shorter than the requested frames, so fewer frames were used.",
    why="The video is shorter than planned. A difference of one frame comes from upstream's float arithmetic, so it "
    "is not reported.",
    example="[MultiTalk] Audio duration (427 frames) is shorter than requested (500 frames). Using 427 frames.",
    fix="Request an aligned frame count that the audio fills, or supply more audio.",
)
def audio_shorter(context: Context) -> Outcome:
    """Compares requested with used frames; the node prints both only if the audio is shorter."""
    is_printed = pl.col("requested_frames").is_not_null()
    runs, unchecked = split_by_needs(
        multitalk_runs(context),
        LENGTH,
        Need(is_printed | _EMBEDDED.met, _EMBEDDED.reason),
        Need(
            is_printed | ~eras.is_until(eras.SHORTER_SAID), "this wrapper version does not print the requested frames"
        ),
        Need(
            is_printed | ~has_near_miss(context, "audio-shorter"),
            "the line with the requested frames does not parse (LOG001)",
        ),
    )
    short = runs.filter(pl.col("requested_frames") - pl.col("audio_frames") > 1)
    rows = make_findings(
        short,
        lambda: Texts(
            message=pl.format("{} frames were requested, but the audio has {}.", "requested_frames", "audio_frames"),
            observed=pl.format("{} frames", "audio_frames"),
            expected=pl.format("{} frames", "requested_frames"),
            fix=pl.format(
                "Request {} frames or fewer, or supply audio of {} s.",
                "audio_frames",
                format_number(pl.col("requested_frames") / context.settings.fps),
            ),
        ),
    )
    return make_outcome(rows, unchecked, skip_other_loops(context))


@rule(
    "AUD006",
    "frame-rate",
    "warning",
    cause="wrong frame rate: {observed}",
    summary="The audio's seconds and frames do not match the configured frame rate.",
    why="Lips drift from the sound if the embedding and the video have different frame rates.",
    example="[MultiTalk] total raw duration = 17.084s\n"
    "Sampling 392 frames in 6 windows, at 1280x720 with 4 steps\n"
    "# 392 frames in 17.084 s are 23 fps, not 25",
    fix="Set the audio node and the video node to the configured rate. If another rate is meant, set `fps`.",
)
def frame_rate(context: Context) -> Outcome:
    """Computes the rate from A frames over s seconds: upstream uses int(s × fps) frames, so A/s ≤ fps < (A+1)/s."""
    checked, unchecked = split_by_needs(multitalk_runs(context), native.reads_at_a_rate(), _EMBEDDED, LENGTH)
    low = pl.col("audio_frames") / (pl.col("audio_s") + 0.0005)
    high = (pl.col("audio_frames") + 2) / (pl.col("audio_s") - 0.0005)
    fps = context.settings.fps
    wrong = checked.filter(~((low <= fps) & (pl.lit(fps) < high)))
    rate = pl.col("audio_frames") / pl.col("audio_s")
    rows = make_findings(
        wrong,
        lambda: Texts(
            message=pl.format(
                "{} frames over {} s of audio make {} frames per second, not {}.",
                "audio_frames", format_number("audio_s", 3), format_number(rate), format_number(pl.lit(fps)),
            ),
            observed=pl.format("{} fps", format_number(rate)),
            expected=pl.format("{} fps", format_number(pl.lit(fps))),
            fix=pl.lit(
                f"Set both nodes to {fps:g} fps. If another rate is meant, set `fps` in the configuration (or --fps)."
            ),
        ),
    )  # fmt: skip
    return make_outcome(rows, unchecked, skip_other_loops(context))
