"""Segments of LongCat Avatar: plain stages whose node prints which audio indices each reads.

Segments are chained by hand, one node for each. The audio has one index for each frame of the video, or two in version
1.0; the node prints the audio's length only where it pads the audio, and its test for that ignores the second index.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.runs.stages import assign_ahead
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


def facts(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """One row per stage that LongCat's lines stand above, with what they say; columns as in `_FACTS`."""
    frames = [timeline.event(name).with_columns(pl.lit(name).alias("event")) for name in _MARKS]
    every = pl.concat(frames, how="diagonal")
    if every.is_empty():
        return pl.DataFrame(schema=_FACTS)
    plain = stages.filter(pl.col("kind") == "plain")
    told = assign_ahead(every, plain).filter(pl.col("stage").is_not_null()).pipe(sort_by, "stage", "place")
    possible = (pl.col("audio_start") >= 0) & (pl.col("audio_end") > pl.col("audio_start"))
    found = told.pipe(
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


def with_ranges(windows: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """`windows` with the printed ranges of segments, each of which is one window, and where each should begin.

    A segment begins where its overlap with the one before begins. Where no overlap is printed, no start is expected.
    """
    own = stages.filter(pl.col("index_start").is_not_null() & ~pl.col("windowed"))
    if own.is_empty():
        return windows
    ranges = _expected(own)
    bare = anti_join(ranges, windows, "stage").with_columns(pl.lit(1, pl.Int64).alias("window"))
    new = with_schema(bare.select("stage", "window", pl.col("its_line").alias("line")), windows.schema)
    known = left_join(pl.concat([windows, new]).pipe(sort_by, "stage", "window"), ranges, ["stage"])
    is_mine = pl.col("its_start").is_not_null() & (pl.col("window") == 1)
    names = {"its_start": "audio_start", "its_end": "audio_end", "want_start": "expected_start"}
    told = [pl.when(is_mine).then(mine).otherwise(name).alias(name) for mine, name in names.items()]
    width = pl.col("its_end") - pl.col("its_start")
    return known.with_columns(
        *told,
        pl.when(is_mine).then(pl.col("want_start") + width).otherwise("expected_end").alias("expected_end"),
        pl.when(is_mine).then(pl.lit(LINE)).otherwise("range_source").alias("range_source"),
        pl.when(is_mine).then(pl.col("want_start") == pl.col("its_start")).otherwise("matches").alias("matches"),
    ).select(*windows.columns)


def _expected(own: pl.DataFrame) -> pl.DataFrame:
    """stage, its_start, its_end, its_line, want_start: null of a chain's first segment, and where nothing tells it.

    A segment that starts at index 0 begins a chain. n latent frames of overlap are 4n - 3 to 4n frames.
    """
    ordered = own.pipe(sort_by, "lane", "place")
    start, width = pl.col("index_start"), pl.col("index_end") - pl.col("index_start")
    per_frame = (width / pl.col("plain_frames")).cast(pl.Int64)
    whole = (per_frame * pl.col("plain_frames") == width) & (per_frame > 0)
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
        pl.when(whole & (start > 0))
        .then(pl.when(start.is_between(least, want)).then(start).otherwise(want))
        .alias("want_start"),
    )


def paddings(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, place, have, need, padding, missing, context, line of each warning, in indices; as `paddings.paddings`.

    `need` is where the segment's range ends. `stages` has index_end.
    """
    told = timeline.event("longcat-padding")
    if told.is_empty():
        return told.select("place").with_columns(pl.lit(None, pl.UInt32).alias("stage"))
    ahead = assign_ahead(told, stages.filter(pl.col("index_end").is_not_null())).filter(pl.col("stage").is_not_null())
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
