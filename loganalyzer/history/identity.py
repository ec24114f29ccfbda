"""When a run took place, and by what it is known again."""

from __future__ import annotations

import hashlib
from datetime import datetime

import polars as pl

from loganalyzer.analysis import Analysis
from loganalyzer.tables import TIME

_NAMES = ("run_id", "prompt_id")
_MASK = r"(‹[a-z-]+):[0-9a-f]+›"
"""What stands for a name in a path: its digits follow from the whole log, so they change as that grows."""


def moments(found: Analysis, otherwise: datetime) -> pl.DataFrame:
    """run_id, at: the run's own time where its prompt tells one, else `otherwise`."""
    own = found.prompts.select("prompt_id", pl.coalesce("started_at", "ended_at").alias("at"))
    return (
        found.runs.select("run_id", "prompt_id")
        .join(own, on="prompt_id", how="left", maintain_order="left")
        .select("run_id", pl.col("at").fill_null(pl.lit(otherwise.replace(tzinfo=None), TIME)).cast(TIME))
    )


def fingerprints(found: Analysis) -> pl.DataFrame:
    """run_id, fingerprint: what a run of one file is known by when that file has grown since.

    A run's id holds the digest of its whole log, and a server's log grows: yesterday's runs come back under other ids.
    Known again is what stands at the same place of the same file with the same facts, to the last step's duration.
    """
    steps = (
        found.steps.group_by("run_id", maintain_order=True)
        .agg(pl.col("duration_s").cast(pl.String).fill_null("").str.join(" "))
        .select("run_id", pl.col("duration_s").alias("durations"))
    )
    times = found.prompts.select("prompt_id", pl.col("started_at").cast(pl.String))
    facts = (
        found.runs.join(steps, on="run_id", how="left", maintain_order="left")
        .join(times, on="prompt_id", how="left", maintain_order="left")
        .with_columns(pl.col("source").str.replace_all(_MASK, "$1›"))
        .with_columns(pl.struct(pl.exclude(*_NAMES)).struct.json_encode().alias("facts"))
    )
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in facts["facts"].to_list()]
    return facts.select("run_id", pl.Series("fingerprint", digests, dtype=pl.String))
