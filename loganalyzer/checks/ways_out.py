"""Formats the fixes for audio that is shorter than the video, with each run's own numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import polars as pl

from loganalyzer.checks.registry import Context
from loganalyzer.planner import advice
from loganalyzer.planner.advice import Short


def format_ways_out(context: Context, *, have: pl.Expr, need: pl.Expr) -> pl.Expr:
    """Returns the fix (trim, extend or replan) for `have` frames of audio and `need` frames of video."""
    rows = pl.struct(
        have.alias("have"),
        need.alias("need"),
        pl.col("window_frames").alias("window"),
        pl.col("stride"),
        pl.col("producer"),
    )
    texts = partial(
        _format_cases, lambda *case: advice.format_fixes(advice.list_fixes(Short(*case), context.settings.fps))
    )
    return rows.map_batches(texts, return_dtype=pl.String)


def format_trim(context: Context, have: pl.Expr) -> pl.Expr:
    """Returns the fix that trims the video to `have` frames."""
    texts = partial(
        _format_cases, lambda frames: advice.format_fixes([advice.trim_video(frames, context.settings.fps)])
    )
    return pl.struct(have.alias("have")).map_batches(texts, return_dtype=pl.String)


def _format_cases(text: Callable[..., str], rows: pl.Series) -> pl.Series:
    """Returns the text for each row, formatted once per distinct row; null where the frames are unknown."""
    cases = rows.struct.unnest()
    frames = [name for name in ("have", "need") if name in cases.columns]
    distinct = cases.unique().drop_nulls(frames)
    formatted = distinct.with_columns(pl.Series("text", [text(*case) for case in distinct.rows()], pl.String))
    return cases.join(formatted, on=cases.columns, how="left", maintain_order="left", nulls_equal=True)["text"]
