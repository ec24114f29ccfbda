"""Adds the audio length to ComfyUI's own runs. Their logs do not print it; the user or the workflow gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from loganalyzer.expectations import native_audio, schedule
from loganalyzer.tables.frames import group_agg, left_join

if TYPE_CHECKING:
    from loganalyzer.settings.model import Settings
    from loganalyzer.workflow.requested import RequestedSettings


def with_given_audio(
    runs: pl.DataFrame, windows: pl.DataFrame, settings: Settings, requested: RequestedSettings | None
) -> pl.DataFrame:
    """`runs` with audio_s, audio_frames, aligned and missing_frames of ComfyUI's own windowed runs.

    Frames that a window reads beyond the audio are missing: the node repeats its first embedding there. In a run that
    did not complete, missing_frames is known only if an observed window already exceeds the audio.
    """
    seconds = settings.audio_s if settings.audio_s is not None else (requested.audio_s if requested else None)
    own = (pl.col("producer") == "core") & pl.col("window_frames").is_not_null() & pl.col("audio_frames").is_null()
    if seconds is None or not runs.select(own.any()).item():
        return runs
    frames = pl.lit(native_audio.count_frames(seconds), pl.Int64)
    ends = windows.filter(pl.col("audio_end").is_not_null()).pipe(
        group_agg, ["run_id"], pl.col("audio_end").max().alias("reached")
    )
    step = pl.col("stride") > 0
    is_known = own & ((pl.col("status") == "completed") | (pl.col("reached") > frames))
    aligned = schedule.is_aligned(frames, pl.col("window_frames"), pl.col("stride"))
    return (
        left_join(runs, ends, ["run_id"])
        .with_columns(
            pl.when(own).then(pl.lit(float(seconds))).otherwise("audio_s").alias("audio_s"),
            pl.when(own & step).then(aligned).otherwise("aligned").alias("aligned"),
            pl.when(is_known)
            .then((pl.col("reached") - frames).clip(0))
            .otherwise("missing_frames")
            .alias("missing_frames"),
            pl.when(own).then(frames).otherwise("audio_frames").alias("audio_frames"),
        )
        .drop("reached")
    )
