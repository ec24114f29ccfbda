"""What is compared, and what a comparison says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import polars as pl

from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.metrics import KEY, MEASURED, comparison_keys, measure, single_figures
from loganalyzer.tables.schema import RUNS, empty

Word = Literal["regressed", "improved", "same", "unknown"]
Outcome = Literal["regressed", "improved", "same", "incomparable"]

FIGURES: Final = pl.Schema([*MEASURED.items(), *((name, RUNS[name]) for name in KEY)])
"""Figures with their run's key."""


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Attributes:
        name: as the user wrote it.
        runs: columns of the table `runs`, the card filled in.
        figures: columns of `FIGURES`.
        findings: columns of the table `findings`.
        single: run_id, metric, value: the single steps and windows, where they are known.
        analysis: everything that was found, for drawings; None of runs that come from a history.
    """

    name: str
    runs: pl.DataFrame
    figures: pl.DataFrame
    findings: pl.DataFrame = field(default_factory=lambda: empty("findings"))
    single: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"run_id": pl.String, "metric": pl.String, "value": pl.Float64})
    )

    analysis: Analysis | None = None

    @classmethod
    def of(cls, name: str, found: Analysis, gpu: str | None = None) -> Side:
        """The runs of an analysis; `gpu` stands in where a log names no card."""
        keyed = comparison_keys(found.runs, gpu)
        figures = measure(found).join(keyed, on="run_id", how="left", maintain_order="left").select(*FIGURES)
        runs = found.runs.with_columns(pl.coalesce("gpu", pl.lit(gpu, pl.String)).alias("gpu"))
        return cls(name, runs, figures, found.findings, single_figures(found), found)


@dataclass(frozen=True)
class MetricChange:
    """One metric of one key, base against head.

    `base` and `head` are medians; `base_n`, `head_n` the values behind them, of `base_runs` and `head_runs` runs.
    """

    metric: str
    unit: str
    key: Mapping[str, Any]
    basis: str | None
    base: float | None
    head: float | None
    change_percent: float | None
    noise_percent: float | None
    verdict: Word
    reason: str
    base_n: int
    head_n: int
    base_runs: int
    head_runs: int
    estimated: bool


@dataclass(frozen=True)
class Difference:
    """A setting or version that is not the same on both sides; values are those seen, None where none is known.

    `decides` says that it is part of the key: runs that differ in it are not compared.
    """

    field: str
    base: tuple[Any, ...]
    head: tuple[Any, ...]
    decides: bool


@dataclass(frozen=True)
class Comparison:
    """All that is to be said; `new`, `gone` and `still` have the columns of `findings` and `count`."""

    base: str
    head: str
    verdict: Outcome
    reason: str
    metrics: tuple[MetricChange, ...]
    new: pl.DataFrame
    gone: pl.DataFrame
    still: pl.DataFrame
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()
