"""Counts the stages of models other than Wan, which are named but not analyzed."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.runs import native_bars, program_samplers
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import anti_join, group_agg
from loganalyzer.tables.schema import SEPARATOR

_PROMPT: Final = ["lane", "prompt"]
_MOST_NAMES: Final = 5
_LONGEST_NAME: Final = 60


def count_other_models(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, other_stages, other_models: one row for each prompt that requests a diffusion model other than Wan.

    Each bar of such a model is a stage. If the log has no bars, each request is a stage. The names are the classes that
    ComfyUI prints.
    """
    requested = native_bars.find_requests(timeline).filter(~pl.col("is_wan"))
    if requested.is_empty():
        return _count_in_programs(timeline)
    drawn = native_bars.find_refreshes(timeline).filter(pl.col("is_wan").not_().fill_null(value=False))
    bars = _count_stages(drawn, pl.col("drawn").n_unique())
    return pl.concat([bars, _count_stages(anti_join(requested, bars, *_PROMPT), pl.len())])


def _count_in_programs(timeline: Timeline) -> pl.DataFrame:
    """As `count_other_models`, for other programs: each bar below a model file that is not Wan's is a stage."""
    bars = program_samplers.find_foreign_bars(timeline).rename({"name": "model_class"})
    starts = pl.col("n") < pl.col("n").shift(1).over(_PROMPT)
    return _count_stages(bars, starts.sum() + 1)


def _count_stages(rows: pl.DataFrame, number: pl.Expr) -> pl.DataFrame:
    name = pl.col("model_class").str.slice(0, _LONGEST_NAME).unique(maintain_order=True).head(_MOST_NAMES)
    return rows.pipe(
        group_agg,
        _PROMPT,
        number.cast(pl.Int64).alias("other_stages"),
        name.str.join(SEPARATOR).alias("other_models"),
    )
