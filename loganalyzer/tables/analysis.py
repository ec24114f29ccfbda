"""What one call of the tool found: the tables of the contract, held together."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import polars as pl

from loganalyzer.tables.schema import empty
from loganalyzer.tables.totals import Totals, count

if TYPE_CHECKING:
    from collections.abc import Iterator

Verdict = Literal["pass", "warn", "fail", "no-runs"]


def _table(name: str) -> pl.DataFrame:
    return field(default_factory=lambda: empty(name))


@dataclass(frozen=True, eq=False)
class Analysis:
    """The tables of `tables.SCHEMAS`, one attribute each.

    `excerpts` holds the log lines that prove the findings (source, line, event, text); `masked`
    counts the secrets that stand as masks in the texts of all tables; `problems` one message
    per input that could not be read; `notes` what the user should know and need not mend.
    `counted` are the totals of the whole, where the tables hold only its gravest part; `faults` says how many of the
    problems are faults of the tool itself.
    """

    sources: pl.DataFrame = _table("sources")
    prompts: pl.DataFrame = _table("prompts")
    runs: pl.DataFrame = _table("runs")
    windows: pl.DataFrame = _table("windows")
    steps: pl.DataFrame = _table("steps")
    paddings: pl.DataFrame = _table("paddings")
    memory: pl.DataFrame = _table("memory")
    loras: pl.DataFrame = _table("loras")
    environment: pl.DataFrame = _table("environment")
    findings: pl.DataFrame = _table("findings")
    not_checked: pl.DataFrame = _table("not_checked")
    near_misses: pl.DataFrame = _table("near_misses")
    excerpts: pl.DataFrame = _table("excerpts")
    masked: pl.DataFrame = _table("masked")
    trends: pl.DataFrame = _table("trends")
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    counted: Totals | None = None
    faults: int = 0

    @cached_property
    def totals(self) -> Totals:
        """How much was found, also of what the tables do not hold."""
        return self.counted or count(self.sources, self.runs, self.findings, self.not_checked)

    @property
    def verdict(self) -> Verdict:
        """By the most severe finding; `no-runs` where neither a run nor an error was found."""
        severities = set(self.findings["severity"].unique())
        if "error" in severities:
            return "fail"
        if self.runs.is_empty():
            return "no-runs"
        return "warn" if "warning" in severities else "pass"

    @property
    def complete(self) -> bool:
        """Whether every input holds a run, and every run could be checked for what decides its verdict."""
        return not (self.totals.runless or self.totals.incomplete_runs)

    def tables(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """Name and frame of each table, in the contract's order."""
        for item in fields(self):
            frame = getattr(self, item.name)
            if isinstance(frame, pl.DataFrame):
                yield item.name, frame
