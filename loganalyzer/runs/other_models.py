"""Stages with models other than Wan's, of ComfyUI's own samplers and of other programs: named and not analyzed."""

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


def other_models(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, other_stages, other_models: of each prompt that requests a diffusion model that is none of Wan's.

    Each bar that such a model draws is a stage; where the log keeps no bars, each request is. The names are the
    classes that ComfyUI prints.
    """
    asked = native_bars.requests(timeline).filter(~pl.col("is_wan"))
    if asked.is_empty():
        return _of_programs(timeline)
    drawn = native_bars.refreshes(timeline).filter(pl.col("is_wan").not_().fill_null(value=False))
    bars = _counted(drawn, pl.col("drawn").n_unique())
    return pl.concat([bars, _counted(anti_join(asked, bars, *_PROMPT), pl.len())])


def _of_programs(timeline: Timeline) -> pl.DataFrame:
    """The same of programs that load models of any kind: each bar below a file that is no model of Wan's is a stage."""
    bars = program_samplers.foreign_bars(timeline).rename({"name": "model_class"})
    begun = pl.col("n") < pl.col("n").shift(1).over(_PROMPT)
    return _counted(bars, begun.sum() + 1)


def _counted(rows: pl.DataFrame, number: pl.Expr) -> pl.DataFrame:
    name = pl.col("model_class").str.slice(0, _LONGEST_NAME).unique(maintain_order=True).head(_MOST_NAMES)
    return rows.pipe(
        group_agg,
        _PROMPT,
        number.cast(pl.Int64).alias("other_stages"),
        name.str.join(SEPARATOR).alias("other_models"),
    )
