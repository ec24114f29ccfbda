"""Defines the input and the result of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import polars as pl

from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.metrics import KEY, MEASURED, comparison_keys, measure, single_figures
from loganalyzer.tables.schema import RUNS, empty

MetricVerdict = Literal["regressed", "improved", "same", "unknown"]
Verdict = Literal["regressed", "improved", "same", "incomparable"]

METRIC_COLUMNS: Final = pl.Schema([*MEASURED.items(), *((name, RUNS[name]) for name in KEY)])
"""Metrics with the key of their run."""


@dataclass(frozen=True)
class RunSet:
    """The runs of base or head.

    Attributes:
        name: as the user wrote it.
        runs: columns of the table `runs`, with the GPU filled in.
        figures: columns of `METRIC_COLUMNS`.
        findings: columns of the table `findings`.
        single: run_id, metric and value of single steps and windows, if known.
        analysis: the full analysis, for figures; None if the runs come from a history.
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
    def of(cls, name: str, found: Analysis, gpu: str | None = None) -> RunSet:
        """The runs of an analysis; `gpu` is used if a log does not name its GPU."""
        keyed = comparison_keys(found.runs, gpu)
        figures = measure(found).join(keyed, on="run_id", how="left", maintain_order="left").select(*METRIC_COLUMNS)
        runs = found.runs.with_columns(pl.coalesce("gpu", pl.lit(gpu, pl.String)).alias("gpu"))
        return cls(name, runs, figures, found.findings, single_figures(found), found)


@dataclass(frozen=True)
class MetricChange:
    """One metric of one key in base and head.

    `base` and `head` are medians of `base_n` and `head_n` values from `base_runs` and `head_runs` runs.
    """

    metric: str
    unit: str
    key: Mapping[str, Any]
    basis: str | None
    base: float | None
    head: float | None
    change_percent: float | None
    noise_percent: float | None
    verdict: MetricVerdict
    reason: str
    base_n: int
    head_n: int
    base_runs: int
    head_runs: int
    estimated: bool


@dataclass(frozen=True)
class Difference:
    """A setting or version that differs between base and head, with the distinct values (None for unknown).

    `decides`: it is part of the key, so runs that differ in it are not compared.
    """

    field: str
    base: tuple[Any, ...]
    head: tuple[Any, ...]
    decides: bool


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison. `new`, `gone` and `still` have the columns of `findings`, and `count`."""

    base: str
    head: str
    verdict: Verdict
    reason: str
    metrics: tuple[MetricChange, ...]
    new: pl.DataFrame
    gone: pl.DataFrame
    still: pl.DataFrame
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()
