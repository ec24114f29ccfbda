"""Holds the metrics of earlier runs, which an analysis is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from loganalyzer.history.identity import run_times
from loganalyzer.history.inputs import Content, Inputs
from loganalyzer.history.matching import KnownRun, Matcher
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.column import TIME
from loganalyzer.tables.metrics import KEY, MEASURED, comparison_keys, measure
from loganalyzer.tables.schema import RUNS

RECORDED: Final = pl.Schema(
    [
        *MEASURED.items(),
        *((name, RUNS[name]) for name in KEY),
        ("at", TIME),
        ("number", pl.Int64()),
        ("added_at", TIME),
    ]
)
"""Metrics with the key, time and history number of their run, and the time of the call that added it."""


@dataclass(frozen=True)
class Past:
    """The metrics of earlier runs, and what identifies these runs.

    Attributes:
        recorded: columns of `RECORDED`.
        moment: the time of runs that have none of their own.
        known: the runs of the history. Without them, only its id identifies a run.
        contents: texts of the logs in the history.
        inputs: the files of this call.
        said_at: the time of this call's runs, if given by `--at`.
        runs: the rows of the earlier runs in the table `runs`, to find differences; None if not needed.
    """

    recorded: pl.DataFrame
    moment: datetime
    known: tuple[KnownRun, ...] = ()
    contents: tuple[Content, ...] = ()
    inputs: Inputs = Inputs()
    said_at: datetime | None = None
    runs: pl.DataFrame | None = None

    def with_tonight(self, found: Analysis, gpu: str | None) -> pl.DataFrame:
        """All metrics in the order of the runs; `tonight` marks those of this analysis.

        A run that is already in the history counts once, at its recorded time.
        """
        numbers = self._numbers(found)
        known = self.recorded.select("number", pl.col("at").alias("recorded_at"), "added_at").unique("number")
        is_given = self.said_at is not None
        times = run_times(found, self.said_at or self.moment, self.inputs, is_given=is_given)
        tonight = (
            measure(found)
            .join(comparison_keys(found.runs, gpu), on="run_id", how="left", maintain_order="left")
            .join(times, on="run_id", how="left", maintain_order="left")
            .join(numbers, on="run_id", how="inner", maintain_order="left")
            .join(known, on="number", how="left", maintain_order="left")
            .with_columns(
                pl.coalesce("recorded_at", "at").alias("at"),
                pl.col("added_at").fill_null(pl.lit(self.moment.replace(tzinfo=None), TIME)).cast(TIME),
            )
            .select(*RECORDED, pl.lit(value=True).alias("tonight"))
        )
        earlier = self.recorded.join(numbers, on="number", how="anti", maintain_order="left")
        both = pl.concat([earlier.select(*RECORDED, pl.lit(value=False).alias("tonight")), tonight])
        return both.sort("at", pl.col("number"), nulls_last=True, maintain_order=True)

    def _numbers(self, found: Analysis) -> pl.DataFrame:
        """run_id and number: each run of an analysis once, with its number in the history if it has one."""
        if not self.known and not self.recorded.is_empty():
            recorded = self.recorded.select("run_id", "number").unique("run_id")
            return found.runs.select("run_id").join(recorded, on="run_id", how="left")
        matches = Matcher(one.copy() for one in self.known).match_runs(found, self.inputs, self.contents, self.said_at)
        last = {id(one.run): one for one in matches}
        rows = {one.reading.run_id: one.run.number for one in last.values()}
        return pl.DataFrame([*rows.items()], schema={"run_id": pl.String, "number": pl.Int64}, orient="row")
