"""What an analysis is held against: the figures of earlier runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from loganalyzer.analysis import Analysis
from loganalyzer.history.identity import fingerprints, moments
from loganalyzer.metrics import KEY, MEASURED, keys, measure
from loganalyzer.tables import RUNS, TIME

RECORDED: Final = pl.Schema(
    [
        *MEASURED.items(),
        *((name, RUNS[name]) for name in KEY),
        ("at", TIME),
        ("number", pl.Int64()),
        ("fingerprint", pl.String()),
        ("added_at", TIME),
    ]
)
"""Figures with their run's key, time, place in the store, fingerprint, and the time of the call that added it."""


@dataclass(frozen=True)
class Past:
    """The figures of earlier runs (columns of `RECORDED`), and the time of runs that tell none themselves.

    `runs` are the rows of these runs in the table `runs`: what differs between them; None where nobody asks.
    """

    recorded: pl.DataFrame
    moment: datetime
    runs: pl.DataFrame | None = None

    def with_tonight(self, found: Analysis, gpu: str | None) -> pl.DataFrame:
        """All figures in the order of the runs, with `tonight` saying which are of this analysis.

        A run that the store already holds, under this id or by its fingerprint, counts once, at its recorded time.
        """
        prints = fingerprints(found)
        known = self.recorded.select("run_id", pl.col("at").alias("recorded_at"), "number", "added_at").unique("run_id")
        tonight = (
            measure(found)
            .join(keys(found.runs, gpu), on="run_id", how="left", maintain_order="left")
            .join(moments(found, self.moment), on="run_id", how="left", maintain_order="left")
            .join(prints, on="run_id", how="left", maintain_order="left")
            .join(known, on="run_id", how="left", maintain_order="left")
            .with_columns(
                pl.coalesce("recorded_at", "at").alias("at"),
                pl.col("added_at").fill_null(pl.lit(self.moment.replace(tzinfo=None), TIME)).cast(TIME),
            )
            .select(*RECORDED, pl.lit(value=True).alias("tonight"))
        )
        earlier = self.recorded.join(prints, on="run_id", how="anti").join(prints, on="fingerprint", how="anti")
        both = pl.concat([earlier.select(*RECORDED, pl.lit(value=False).alias("tonight")), tonight])
        return both.sort("at", pl.col("number"), nulls_last=True, maintain_order=True)
