"""Which quantisation a run used: declared, read off a name, or inferred from its peak.

The main model's file name is logged at no revision (facts sheet, section 4), so the log itself tells only through
patterns that a user adds.
"""

from __future__ import annotations

import polars as pl

from loganalyzer.expectations.baselines import Shelf
from loganalyzer.settings import Settings

IN_A_NAME = r"(?i)(?:^|[^A-Za-z0-9])(Q[2-8]_(?:K(?:_[SML])?|[01]))(?:[^A-Za-z0-9]|$)"


def with_quantization(runs: pl.DataFrame, shelf: Shelf, settings: Settings) -> pl.DataFrame:
    """`runs` with quantization and quantization_source: option, workflow, log, filename, vram, or null."""
    workflow = pl.lit(settings.workflow.name if settings.workflow else None, pl.String)
    file_name = pl.col("source").str.split("/").list.last()
    inferred = shelf.inferred_quantization(runs)
    told = {
        "option": pl.lit(settings.quantization, pl.String),
        "workflow": workflow.str.extract(IN_A_NAME, 1),
        "log": pl.col("quantization"),
        "filename": file_name.str.extract(IN_A_NAME, 1),
        "vram": pl.lit(inferred),
    }
    source = pl.coalesce(pl.when(value.is_not_null()).then(pl.lit(name)) for name, value in told.items())
    return runs.with_columns(
        pl.coalesce(told.values()).str.to_uppercase().alias("quantization"),
        source.alias("quantization_source"),
    )
