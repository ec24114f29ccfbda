"""Reads the segments of LongCat Avatar: plain stages whose node prints the audio indices that each segment reads.

Segments are chained by hand, one node each. The audio has one index per video frame, or two in version 1.0. The node
prints the audio's length only if it pads the audio, and its test for that ignores the second index.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.runs.stages import assign_next_stage
from loganalyzer.runs.timeline import Timeline
from loganalyzer.runs.window_lines import LINE
from loganalyzer.tables.frames import anti_join, group_agg, left_join, sort_by, with_schema

MODE: Final = "longcat"
_MARKS: Final = ("longcat-range", "longcat-latents", "longcat-overlap")
_FACTS: Final = pl.Schema(
    {
        "stage": pl.UInt32,
        "is_longcat": pl.Boolean,
        "index_start": pl.Int64,
        "index_end": pl.Int64,
        "index_line": pl.Int64,
        "overlap_latents": pl.Int64,
    }
)


def read_facts(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """One row per stage with LongCat's lines above it; columns as in `_FACTS`."""
    frames = [timeline.records(name).with_columns(pl.lit(name).alias("event")) for name in _MARKS]
    every = pl.concat(frames, how="diagonal")
    if every.is_empty():
        return pl.DataFrame(schema=_FACTS)
    plain = stages.filter(pl.col("kind") == "plain")
    assigned = assign_next_stage(every, plain).filter(pl.col("stage").is_not_null()).pipe(sort_by, "stage", "place")
    possible = (pl.col("audio_start") >= 0) & (pl.col("audio_end") > pl.col("audio_start"))
    found = assigned.pipe(
        group_agg,
        ["stage"],
        pl.lit(value=True).first().alias("is_longcat"),
        *(
            pl.col(name).filter(possible).last().alias(new)
            for name, new in (("audio_start", "index_start"), ("audio_end", "index_end"), ("line", "index_line"))
        ),
        pl.col("overlap_latents").drop_nulls().last(),
    )
    return with_schema(found, _FACTS)


def with_segment_ranges(windows: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """`windows` with the printed and the expected range of each segment. Each segment is one window.

    A segment should begin where its overlap with the previous one begins. Without a printed overlap, no start is
    expected.
    """
    own = stages.filter(pl.col("index_start").is_not_null() & ~pl.col("windowed"))
    if own.is_empty():
        return windows
    ranges = _expected_ranges(own)
    bare = anti_join(ranges, windows, "stage").with_columns(pl.lit(1, pl.Int64).alias("window"))
    new = with_schema(bare.select("stage", "window", pl.col("its_line").alias("line")), windows.schema)
    known = left_join(pl.concat([windows, new]).pipe(sort_by, "stage", "window"), ranges, ["stage"])
    is_mine = pl.col("its_start").is_not_null() & (pl.col("window") == 1)
    names = {"its_start": "audio_start", "its_end": "audio_end", "want_start": "expected_start"}
    ranged = [pl.when(is_mine).then(column).otherwise(name).alias(name) for column, name in names.items()]
    width = pl.col("its_end") - pl.col("its_start")
    return known.with_columns(
        *ranged,
        pl.when(is_mine).then(pl.col("want_start") + width).otherwise("expected_end").alias("expected_end"),
        pl.when(is_mine).then(pl.lit(LINE)).otherwise("range_source").alias("range_source"),
        pl.when(is_mine).then(pl.col("want_start") == pl.col("its_start")).otherwise("matches").alias("matches"),
    ).select(*windows.columns)


def _expected_ranges(own: pl.DataFrame) -> pl.DataFrame:
    """stage, its_start, its_end, its_line, want_start (null for a chain's first segment, and if unknown).

    A segment that starts at index 0 begins a chain. n latent frames of overlap are 4n - 3 to 4n frames.
    """
    ordered = own.pipe(sort_by, "lane", "place")
    start, width = pl.col("index_start"), pl.col("index_end") - pl.col("index_start")
    per_frame = (width / pl.col("plain_frames")).cast(pl.Int64)
    is_whole = (per_frame * pl.col("plain_frames") == width) & (per_frame > 0)
    before = {
        "frames": pl.col("plain_frames").shift(1).over("lane", "prompt"),
        "start": start.shift(1).over("lane", "prompt"),
    }
    latents = pl.col("overlap_latents")
    want, least = (before["start"] + (before["frames"] - most) * per_frame for most in (4 * latents - 3, 4 * latents))
    return ordered.select(
        "stage",
        start.alias("its_start"),
        pl.col("index_end").alias("its_end"),
        pl.col("index_line").alias("its_line"),
        pl.when(is_whole & (start > 0))
        .then(pl.when(start.is_between(least, want)).then(start).otherwise(want))
        .alias("want_start"),
    )


def find_paddings(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, place, have, need, padding, missing, context, line of each warning, in indices.

    The columns are as in `paddings.find_paddings`. `need` is the end of the segment's range. `stages` has index_end.
    """
    warnings = timeline.records("longcat-padding")
    if warnings.is_empty():
        return warnings.select("place").with_columns(pl.lit(None, pl.UInt32).alias("stage"))
    ahead = assign_next_stage(warnings, stages.filter(pl.col("index_end").is_not_null())).filter(
        pl.col("stage").is_not_null()
    )
    known = left_join(ahead, stages.select("stage", pl.col("index_end").alias("need")), ["stage"])
    missing = (pl.col("need") - pl.col("have")).clip(0)
    padding = pl.col("padded") - pl.col("have")
    return known.select(
        "stage",
        "place",
        "have",
        "need",
        padding.alias("padding"),
        missing.alias("missing"),
        (padding - missing).clip(0).alias("context"),
        "line",
    )
