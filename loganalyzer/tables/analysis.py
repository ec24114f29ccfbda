"""Holds the result of one call of the tool: the tables of the contract."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import polars as pl

from loganalyzer.tables.schema import empty
from loganalyzer.tables.totals import Totals, count_totals

if TYPE_CHECKING:
    from collections.abc import Iterator

Verdict = Literal["pass", "warn", "fail", "no-runs"]


def _empty_table(name: str) -> pl.DataFrame:
    return field(default_factory=lambda: empty(name))


@dataclass(frozen=True, eq=False)
class Analysis:
    """The tables of `schema.SCHEMAS`, one attribute each.

    `excerpts` has the log lines that prove the findings (source, line, event, text). `masked` counts the secrets that
    were masked in the texts of all tables. `problems` has one message per input that could not be read, `notes` has
    facts that need no action. `counted` has the totals of all runs if the tables contain only the worst ones. `faults`
    is the number of problems that are bugs of the tool itself.
    """

    sources: pl.DataFrame = _empty_table("sources")
    prompts: pl.DataFrame = _empty_table("prompts")
    runs: pl.DataFrame = _empty_table("runs")
    windows: pl.DataFrame = _empty_table("windows")
    steps: pl.DataFrame = _empty_table("steps")
    paddings: pl.DataFrame = _empty_table("paddings")
    memory: pl.DataFrame = _empty_table("memory")
    loras: pl.DataFrame = _empty_table("loras")
    nodes: pl.DataFrame = _empty_table("nodes")
    events: pl.DataFrame = _empty_table("events")
    environment: pl.DataFrame = _empty_table("environment")
    findings: pl.DataFrame = _empty_table("findings")
    not_checked: pl.DataFrame = _empty_table("not_checked")
    near_misses: pl.DataFrame = _empty_table("near_misses")
    excerpts: pl.DataFrame = _empty_table("excerpts")
    masked: pl.DataFrame = _empty_table("masked")
    trends: pl.DataFrame = _empty_table("trends")
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    counted: Totals | None = None
    faults: int = 0

    @cached_property
    def totals(self) -> Totals:
        """Counts over everything that was analyzed, including rows that the tables no longer contain."""
        return self.counted or count_totals(self.sources, self.runs, self.findings, self.not_checked)

    @property
    def verdict(self) -> Verdict:
        """The verdict of the most severe finding; `no-runs` if there is neither a run nor an error."""
        severities = set(self.findings["severity"].unique())
        if "error" in severities:
            return "fail"
        if self.runs.is_empty():
            return "no-runs"
        return "warn" if "warning" in severities else "pass"

    @property
    def complete(self) -> bool:
        """Whether every input contains a run, and no run lacks a check that decides its verdict."""
        return not (self.totals.runless or self.totals.incomplete_runs)

    def tables(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """Name and frame of each table, in the contract's order."""
        for item in fields(self):
            frame = getattr(self, item.name)
            if isinstance(frame, pl.DataFrame):
                yield item.name, frame
