"""Describes the models other than WanVideo that a log without runs contains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from loganalyzer.common import formatting
from loganalyzer.report import words
from loganalyzer.tables.schema import SEPARATOR

if TYPE_CHECKING:
    from loganalyzer.tables.analysis import Analysis


def other_stages(analysis: Analysis) -> str:
    """A text such as `3 stages of ComfyUI's own sampler (Flux)`; empty if no other model was sampled.

    Other programs name a model by its file, which has a dot in its name.
    """
    found = analysis.prompts.filter(pl.col("other_models").is_not_null())
    names = found["other_models"].str.split(SEPARATOR).explode().unique(maintain_order=True).to_list()
    if not names:
        return ""
    count = "Stages" if analysis.counted else formatting.plural(int(found["other_stages"].sum()), "stage")
    whose = "other models" if any("." in name for name in names) else "ComfyUI's own sampler"
    return f"{count} of {whose} ({words.join_first([words.visible(name) for name in names])})"
