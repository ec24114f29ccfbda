"""How many frames a stage renders, before anything behind it cuts the video."""

from __future__ import annotations

import polars as pl

from loganalyzer.expectations import schedule
from loganalyzer.runs.windows import longer
from loganalyzer.tables.frames import group_agg, left_join


def frames(stages: pl.DataFrame, windows: pl.DataFrame) -> pl.DataFrame:
    """stage, output_frames: of stages that completed, or whose log says how many frames were saved.

    Windowed ones render up to the last window's end: that of the last window expected, or, where no length of audio is
    known, of the last one seen. The first window of ComfyUI's own chain may have a length of its own (`first_end`).
    """
    last = windows.filter(pl.col("audio_end").is_not_null()).pipe(
        group_agg, ["stage"], pl.col("window").max().alias("last_seen")
    )
    count = pl.coalesce("expected_windows", "last_seen")
    whole = schedule.window_end(count, pl.col("window_frames"), pl.col("stride"))
    rendered = pl.when("windowed").then(whole + longer()).otherwise("plain_frames")
    ended = pl.when(pl.col("status") == "completed")
    return left_join(stages, last, ["stage"]).select(
        "stage",
        pl.coalesce("saved_frames", ended.then(rendered)).alias("output_frames"),
    )
