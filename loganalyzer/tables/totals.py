"""Counts findings, runs and inputs. The totals cover everything, even if the tables contain only the worst runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from loganalyzer.common.formatting import plural
from loganalyzer.common.severity import SEVERE
from loganalyzer.tables import completeness
from loganalyzer.tables.frames import run_lengths

FOUND: Final = pl.Schema({"rule": pl.String, "name": pl.String, "severity": pl.String, "count": pl.Int64})
SKIPPED: Final = pl.Schema(
    {
        "rule": pl.String,
        "name": pl.String,
        "reason": pl.String,
        "kind": pl.String,
        "count": pl.Int64,
        "of_runs": pl.Boolean,
    }
)
COUNTS: Final = ("inputs", "runs", "completed", "touched", "runless", "incomplete_runs")
"""The members of `Totals` that are plain numbers."""
INCOMPLETE: Final = pl.Schema({"reason": pl.String, "count": pl.Int64})


@dataclass(frozen=True, eq=False)
class Totals:
    """Counts over everything that was analyzed.

    Attributes:
        inputs, runs, completed: numbers of inputs, of sampling stages, and of completed stages.
        touched: number of runs with an error or a warning; None if it is no longer known.
        findings: rule, name, severity, count.
        not_checked: rule, name, reason, kind, count, of_runs: whether all of them are about a run.
        runless: number of inputs without a run.
        incomplete_runs: number of runs that lack a deciding check.
        incomplete: reason, count: why runs are incomplete; a run may have several reasons.
    """

    inputs: int
    runs: int
    completed: int
    touched: int | None
    findings: pl.DataFrame
    not_checked: pl.DataFrame
    runless: int = 0
    incomplete_runs: int = 0
    incomplete: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=INCOMPLETE))

    def severity(self, name: str) -> int:
        """Number of findings with this severity."""
        return int(self.findings.filter(pl.col("severity") == name)["count"].sum())

    def rule(self, name: str | None) -> int:
        """Number of findings of a rule."""
        return int(self.findings.filter(pl.col("rule").eq_missing(pl.lit(name, pl.String)))["count"].sum())

    @property
    def unchecked(self) -> int:
        """How often a rule lacked the data that it needs."""
        return int(self.not_checked["count"].sum())

    def gaps(self) -> list[str]:
        """The gaps of a verdict, as texts: inputs without a run, and runs without a deciding check."""
        runs = [f"{_out_of(count, self.runs, 'run')}: {reason}" for reason, count in self.incomplete.rows()]
        return ([f"{_out_of(self.runless, self.inputs, 'file')}: no run found"] if self.runless else []) + runs

    def select_rules(self, wanted: pl.Expr) -> Totals:
        """The totals of rules that are `wanted`, an expression over `rule`; the number of affected runs is unknown."""
        return replace(
            self, touched=None, findings=self.findings.filter(wanted), not_checked=self.not_checked.filter(wanted)
        )

    def subtract(self, removed: pl.DataFrame) -> Totals:
        """The totals without these findings (rule, severity)."""
        counted = removed.group_by("rule", "severity").agg(pl.len().cast(pl.Int64).alias("removed"))
        remaining = (
            self.findings.join(counted, on=["rule", "severity"], how="left", maintain_order="left", nulls_equal=True)
            .with_columns((pl.col("count") - pl.col("removed").fill_null(0)).clip(0).alias("count"))
            .filter(pl.col("count") > 0)
            .drop("removed")
        )
        return replace(self, touched=None, findings=remaining)


def _out_of(number: int, total: int, noun: str) -> str:
    """`2 of 3 runs`, or `3 runs` for all of them."""
    return plural(total, noun) if number == total else f"{number:,} of {plural(total, noun)}"


def count_totals(inputs: pl.DataFrame, runs: pl.DataFrame, findings: pl.DataFrame, not_checked: pl.DataFrame) -> Totals:
    """The totals of these tables, which must be complete."""
    number = pl.len().cast(pl.Int64).alias("count")
    severe = findings.filter(pl.col("severity").is_in(SEVERE))
    return Totals(
        inputs=inputs.height,
        runs=runs.height,
        completed=int((runs["status"] == "completed").sum()),
        touched=severe["run_id"].drop_nulls().n_unique(),
        findings=findings.group_by("rule", "name", "severity", maintain_order=True).agg(number),
        not_checked=_count_not_checked(not_checked),
        runless=inputs.join(runs, on="source", how="anti").height,
        incomplete_runs=int((~runs["complete"]).sum()),
        incomplete=completeness.count_reasons(not_checked),
    )


def _count_not_checked(not_checked: pl.DataFrame) -> pl.DataFrame:
    """Counts equal rows: a rule gives the same reason for run after run."""
    keys = ["rule", "name", "reason", "kind"]
    reasons = not_checked.select(*keys, pl.col("run_id").is_not_null().alias("of_runs"))
    return (
        run_lengths(reasons, *keys, "of_runs")
        .group_by(keys, maintain_order=True)
        .agg(pl.col("count").sum(), pl.col("of_runs").all())
    )


def add_totals(parts: Sequence[Totals]) -> Totals:
    """The totals of parts that share no input and no run; at least one."""
    if len(parts) == 1:
        return parts[0]
    touched = [part.touched for part in parts if part.touched is not None]
    total = pl.col("count").sum()
    return Totals(
        inputs=sum(part.inputs for part in parts),
        runs=sum(part.runs for part in parts),
        completed=sum(part.completed for part in parts),
        touched=sum(touched) if len(touched) == len(parts) else None,
        findings=pl.concat([part.findings for part in parts])
        .group_by("rule", "name", "severity", maintain_order=True)
        .agg(total),
        not_checked=pl.concat([part.not_checked for part in parts])
        .group_by("rule", "name", "reason", "kind", maintain_order=True)
        .agg(total, pl.col("of_runs").all()),
        runless=sum(part.runless for part in parts),
        incomplete_runs=sum(part.incomplete_runs for part in parts),
        incomplete=pl.concat([part.incomplete for part in parts]).group_by("reason", maintain_order=True).agg(total),
    )
