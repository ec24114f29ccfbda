"""Checks windows and audio of LongCat Avatar: segments that users chain by hand, each its own run.

The node prints the audio's length only if it pads the audio. Its test counts one audio index per frame. With one index
per frame (version 1.5), a segment without the warning lies inside the audio; with two (version 1.0), nothing is known.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.checks.findings import Need, Texts, format_number, has_near_miss, make_findings, split_by_needs
from loganalyzer.checks.registry import Context
from loganalyzer.tables.frames import group_agg, inner_join, left_join, sort_by

_MODE: Final = "longcat"
_FPS: Final = {1: 25.0, 2: 16.0}
"""Frames per second of each version, by its audio indices per frame."""
_CHAIN: Final = ("prompt_id", "chain")
_NO_LENGTH: Final = "LongCat prints the audio's length only if it pads the audio, and this log has no padding warning"
_NO_SCALE: Final = "the log does not state how many audio indices a frame of this LongCat segment has"
_NEAR: Final = "the warning with the audio's length does not parse (LOG001)"


def _segments(context: Context) -> pl.DataFrame:
    """Returns LongCat runs with a range in the log, with chain, audio_start, audio_end, `has`, `scale` and `chain_end`.

    A chain starts at index 0 and ends at index `chain_end`; `has` is the audio's length in indices, `scale` the number
    of indices per frame.
    """
    runs = context.found.runs.filter((pl.col("mode") == _MODE).fill_null(value=False))
    ranges = context.found.windows.filter(pl.col("audio_start").is_not_null()).select(
        "run_id", "audio_start", "audio_end", "expected_start", "expected_end", "matches"
    )
    ranged = inner_join(runs, ranges, ["run_id"]).pipe(sort_by, "source", "line")
    is_first = pl.col("audio_start") == 0
    width = pl.col("audio_end") - pl.col("audio_start")
    scale = pl.when(width % pl.col("output_frames") == 0).then(width // pl.col("output_frames"))
    chained = ranged.with_columns(is_first.cum_sum().alias("chain"), scale.alias("scale"))
    printed = context.found.paddings.pipe(group_agg, ["run_id"], pl.col("have").min())
    values = (
        pl.col("have").min().alias("has"),
        pl.col("scale").max().alias("usual"),
        pl.col("audio_end").max().alias("chain_end"),
    )
    known = left_join(chained, printed, ["run_id"])
    return left_join(known.drop("have"), known.pipe(group_agg, _CHAIN, *values), _CHAIN).with_columns(
        pl.coalesce("scale", "usual").alias("scale")
    )


def find_beyond_audio(context: Context) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Returns findings for segments that read beyond the audio, and segments that cannot be checked."""
    known, unchecked = split_by_needs(
        context.once(_segments),
        Need(pl.col("scale").is_in(list(_FPS)), _NO_SCALE),
        Need(pl.col("has").is_not_null() | ~has_near_miss(context, "longcat-padding"), _NEAR),
        Need(pl.col("has").is_not_null() | (pl.col("scale") == 1), _NO_LENGTH),
    )
    start, scale, has = pl.col("audio_start"), pl.col("scale"), pl.col("has")
    frames = (pl.col("audio_end") - start) // scale
    covered = -(-has // scale)
    missing = (start // scale + frames - pl.max_horizontal(covered, start // scale)).clip(0)
    fps = scale.replace_strict(_FPS, default=None, return_dtype=pl.Float64)
    short = known.filter((pl.col("audio_end") > has).fill_null(value=False)).with_columns(
        frames.alias("frames"), missing.alias("missing"), covered.alias("covered"), fps.alias("own_fps")
    )
    seconds = format_number(pl.col("missing") / pl.col("own_fps"))
    rows = make_findings(
        short.filter(pl.col("missing") > 0),
        lambda: Texts(
            message=pl.format(
                "The segment reads audio indices {}-{}, but the audio has {}: {} of its {} frames ({} s) follow "
                "padding. The audio ends at frame {} of the complete video.",
                "audio_start", "audio_end", "has", "missing", "frames", seconds, "covered",
            ),
            observed=pl.format("{} frames missing (have {} indices, need {})", "missing", "has", "audio_end"),
            expected=pl.lit("0 frames missing"),
            fix=pl.format(
                "Trim the complete video to {} frames ({} s) and drop segments that start after the audio. Or supply "
                "audio of {} indices ({} s).",
                "covered", format_number(pl.col("covered") / pl.col("own_fps")),
                "chain_end", format_number(pl.col("chain_end") / scale / pl.col("own_fps")),
            ),
        ),
    )  # fmt: skip
    return rows, unchecked


def find_wrong_segments(context: Context) -> pl.DataFrame:
    """Returns findings for segments that do not start at their overlap with the previous segment."""
    wrong = context.once(_segments).filter(pl.col("matches").not_().fill_null(value=False))
    expected = pl.format("{}-{}", "expected_start", "expected_end")
    return make_findings(
        wrong,
        lambda: Texts(
            message=pl.format(
                "The LongCat segment reads audio indices {}-{}. Expected after the previous segment: {}.",
                "audio_start", "audio_end", expected,
            ),
            observed=pl.format("{}-{}", "audio_start", "audio_end"),
            expected=expected,
            fix=pl.lit(
                "Set frames_processed of the segment's node to the number of frames rendered before it, counting "
                "overlaps once, and render again."
            ),
        ),
    )  # fmt: skip
