"""The ways out of audio that ends before the video does, with each run's own figures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import polars as pl

from loganalyzer.checks.registry import Context
from loganalyzer.planner import advice
from loganalyzer.planner.advice import Short


def ways_out(context: Context, *, have: pl.Expr, need: pl.Expr) -> pl.Expr:
    """Trim, extend or replan, for `have` frames of audio and `need` frames of video."""
    rows = pl.struct(
        have.alias("have"),
        need.alias("need"),
        pl.col("window_frames").alias("window"),
        pl.col("stride"),
        pl.col("producer"),
    )
    texts = partial(_texts, lambda *case: advice.format_fixes(advice.list_fixes(Short(*case), context.settings.fps)))
    return rows.map_batches(texts, return_dtype=pl.String)


def trimming(context: Context, have: pl.Expr) -> pl.Expr:
    """Trim only, to `have` frames."""
    texts = partial(_texts, lambda frames: advice.format_fixes([advice.trim_video(frames, context.settings.fps)]))
    return pl.struct(have.alias("have")).map_batches(texts, return_dtype=pl.String)


def _texts(text: Callable[..., str], rows: pl.Series) -> pl.Series:
    """The text for each row, made once for all that are alike; null where the frames are unknown."""
    cases = rows.struct.unnest()
    frames = [name for name in ("have", "need") if name in cases.columns]
    alike = cases.unique().drop_nulls(frames)
    known = alike.with_columns(pl.Series("text", [text(*case) for case in alike.rows()], pl.String))
    return cases.join(known, on=cases.columns, how="left", maintain_order="left", nulls_equal=True)["text"]
