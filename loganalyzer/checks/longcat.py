"""What the rules on windows and audio say of LongCat Avatar: segments chained by hand, each a run of its own.

The node prints the audio's length only where it pads the audio. Its test counts one index for each frame, so that with
one index (version 1.5) a segment without the warning lies inside the audio; with two (version 1.0) nothing follows.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.checks.findings import Need, findings, is_near, judged, number, texts
from loganalyzer.checks.registry import Context
from loganalyzer.tables.frames import group_agg, inner_join, left_join, sort_by

_MODE: Final = "longcat"
_FPS: Final = {1: 25.0, 2: 16.0}
"""Frames per second of its versions, by the audio indices of a frame."""
_CHAIN: Final = ("prompt_id", "chain")
_NO_LENGTH: Final = "LongCat prints the audio's length only where it pads the audio, and this log holds no such warning"
_NO_SCALE: Final = "the log does not tell how many audio indices a frame of this LongCat segment has"
_NEAR: Final = "the warning that tells the audio's length cannot be read (LOG001)"


def _segments(context: Context) -> pl.DataFrame:
    """LongCat runs whose range is in the log, with chain, audio_start, audio_end, `has`, `scale` and `reach`.

    A chain begins at index 0 and reaches to index `reach`; `has` is the audio's length in indices, `scale` the number
    of indices of a frame.
    """
    runs = context.found.runs.filter((pl.col("mode") == _MODE).fill_null(value=False))
    told = context.found.windows.filter(pl.col("audio_start").is_not_null()).select(
        "run_id", "audio_start", "audio_end", "expected_start", "expected_end", "matches"
    )
    ranged = inner_join(runs, told, ["run_id"]).pipe(sort_by, "source", "line")
    begins = pl.col("audio_start") == 0
    width = pl.col("audio_end") - pl.col("audio_start")
    scale = pl.when(width % pl.col("output_frames") == 0).then(width // pl.col("output_frames"))
    chained = ranged.with_columns(begins.cum_sum().alias("chain"), scale.alias("scale"))
    printed = context.found.paddings.pipe(group_agg, ["run_id"], pl.col("have").min())
    figures = (
        pl.col("have").min().alias("has"),
        pl.col("scale").max().alias("usual"),
        pl.col("audio_end").max().alias("reach"),
    )
    known = left_join(chained, printed, ["run_id"])
    return left_join(known.drop("have"), known.pipe(group_agg, _CHAIN, *figures), _CHAIN).with_columns(
        pl.coalesce("scale", "usual").alias("scale")
    )


def beyond_audio(context: Context) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Findings of segments that read beyond the audio, and the segments of which nothing is known."""
    known, barred = judged(
        context.once(_segments),
        Need(pl.col("scale").is_in(list(_FPS)), _NO_SCALE),
        Need(pl.col("has").is_not_null() | ~is_near(context, "longcat-padding"), _NEAR),
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
    seconds = number(pl.col("missing") / pl.col("own_fps"))
    rows = findings(
        short.filter(pl.col("missing") > 0),
        lambda: texts(
            message=pl.format(
                "The segment reads audio indices {}-{}, and the audio has {}: {} of its {} frames ({} s) follow "
                "padding. From frame {} of the whole video on nothing follows the audio.",
                "audio_start", "audio_end", "has", "missing", "frames", seconds, "covered",
            ),
            observed=pl.format("{} frames missing (have {} indices, need {})", "missing", "has", "audio_end"),
            expected=pl.lit("0 frames missing"),
            fix=pl.format(
                "Cut the whole video to {} frames ({} s) and leave out segments that begin behind the audio; or supply "
                "audio of {} indices ({} s).",
                "covered", number(pl.col("covered") / pl.col("own_fps")),
                "reach", number(pl.col("reach") / scale / pl.col("own_fps")),
            ),
        ),
    )  # fmt: skip
    return rows, barred


def wrong_ranges(context: Context) -> pl.DataFrame:
    """Findings of segments that do not begin where their overlap with the segment before begins."""
    wrong = context.once(_segments).filter(pl.col("matches").not_().fill_null(value=False))
    expected = pl.format("{}-{}", "expected_start", "expected_end")
    return findings(
        wrong,
        lambda: texts(
            message=pl.format(
                "The LongCat segment reads audio indices {}-{}; behind the segment before it should read {}.",
                "audio_start", "audio_end", expected,
            ),
            observed=pl.format("{}-{}", "audio_start", "audio_end"),
            expected=expected,
            fix=pl.lit(
                "Set frames_processed of the segment's node to the count of all frames rendered before it, overlaps "
                "counted once, and render again."
            ),
        ),
    )  # fmt: skip
