"""Counts the frames that a stage renders, before later nodes cut the video."""

from __future__ import annotations

import polars as pl

from loganalyzer.expectations import schedule
from loganalyzer.runs.windows import first_window_excess
from loganalyzer.tables.frames import group_agg, left_join


def count_output_frames(stages: pl.DataFrame, windows: pl.DataFrame) -> pl.DataFrame:
    """stage, output_frames: for completed stages, and for stages whose log states the number of saved frames.

    A windowed stage renders up to the end of the last expected window, or of the last observed window if the audio's
    length is unknown. The first window of ComfyUI's own chains may have a different length (`first_end`).
    """
    last = windows.filter(pl.col("audio_end").is_not_null()).pipe(
        group_agg, ["stage"], pl.col("window").max().alias("last_seen")
    )
    count = pl.coalesce("expected_windows", "last_seen")
    end = schedule.window_end(count, pl.col("window_frames"), pl.col("stride"))
    rendered = pl.when("windowed").then(end + first_window_excess()).otherwise("plain_frames")
    ended = pl.when(pl.col("status") == "completed")
    return left_join(stages, last, ["stage"]).select(
        "stage",
        pl.coalesce("saved_frames", ended.then(rendered)).alias("output_frames"),
    )
