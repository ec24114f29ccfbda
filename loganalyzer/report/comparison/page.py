"""Builds the page model of a comparison: records of formatted strings for the template."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from loganalyzer.common.formatting import printable
from loganalyzer.comparison.model import Comparison, MetricChange
from loganalyzer.report.comparison import words
from loganalyzer.report.comparison.runs import RunPair
from loganalyzer.report.model import Cell, Column, Mark, Pair, Table
from loganalyzer.report.series_key import key_words

VERDICT_KINDS: Final = {
    "regressed": "error",
    "improved": "ok",
    "same": "ok",
    "unknown": "muted",
    "incomparable": "warning",
}
_METRIC_COLUMNS: Final = (
    Column("metric"),
    Column("base", number=True),
    Column("head", number=True),
    Column("change", number=True),
    Column("noise", number=True),
    Column("values", number=True),
    Column("verdict"),
    Column("reason"),
)
_FINDING_LEADS: Final = {
    "new": "Only in head.",
    "gone": "Only in base.",
    "still": "In both.",
}


@dataclass(frozen=True, slots=True)
class MetricGroup:
    """The metrics of runs that share a key."""

    title: str
    table: Table


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """Findings that are new, gone or still present."""

    title: str
    lead: str
    table: Table


@dataclass(frozen=True, slots=True)
class ComparisonPage:
    """Everything that the template shows."""

    title: str
    mark: Mark
    reason: str
    names: tuple[Pair, ...]
    counts: tuple[Pair, ...]
    differences: Table | None
    kinds: tuple[MetricGroup, ...]
    findings: tuple[FindingGroup, ...]
    pairs: tuple[RunPair, ...]
    notes: tuple[str, ...]
    generated_at: str


def build_comparison_page(
    comparison: Comparison, generated_at: datetime, pairs: tuple[RunPair, ...] = ()
) -> ComparisonPage:
    """The page model of a comparison."""
    keys = dict.fromkeys(tuple(one.key.items()) for one in comparison.metrics)
    by_key = [[one for one in comparison.metrics if tuple(one.key.items()) == key] for key in keys]
    frames = {"new": comparison.new, "gone": comparison.gone, "still": comparison.still}
    word = words.VERDICTS[comparison.verdict].lower()
    return ComparisonPage(
        title=printable(f"{word}: {comparison.base} → {comparison.head}"),
        mark=Mark(word, VERDICT_KINDS[comparison.verdict]),
        reason=printable(comparison.reason),
        names=(
            Pair("base", printable(comparison.base), code=True),
            Pair("head", printable(comparison.head), code=True),
        ),
        counts=_count_pairs(comparison),
        differences=_difference_table(comparison),
        kinds=tuple(MetricGroup(key_words(dict(rows[0].key)), _metric_table(rows)) for rows in by_key),
        findings=tuple(_finding_group(name, frame) for name, frame in frames.items() if not frame.is_empty()),
        pairs=pairs,
        notes=tuple(printable(note) for note in comparison.notes),
        generated_at=f"{generated_at:%Y-%m-%d %H:%M} UTC",
    )


def _count_pairs(comparison: Comparison) -> tuple[Pair, ...]:
    verdicts = [one.verdict for one in comparison.metrics]
    names = {"regressed": "worse", "improved": "better", "same": "the same", "unknown": "inconclusive"}
    counted = [Pair(name, str(verdicts.count(word))) for word, name in names.items()]  # type: ignore[arg-type]
    return (*counted, Pair("new findings", str(comparison.new.height)))


def _difference_table(comparison: Comparison) -> Table | None:
    if not comparison.differences:
        return None
    rows = tuple(
        (
            Cell(one.field, note="runs that differ here are not compared" if one.decides else "", code=True),
            Cell(printable(words.format_values(one, "base"))),
            Cell(printable(words.format_values(one, "head"))),
        )
        for one in comparison.differences
    )
    return Table("Differences", (Column("field"), Column("base"), Column("head")), rows)


def _metric_table(rows: list[MetricChange]) -> Table:
    cells = tuple(
        (
            Cell(printable(words.metric_name(one))),
            Cell(words.format_value(one.base, one.unit)),
            Cell(words.format_value(one.head, one.unit)),
            Cell(words.format_change(one)),
            Cell(words.format_noise(one)),
            Cell(words.format_counts(one)),
            Cell(one.verdict, kind=VERDICT_KINDS[one.verdict]),
            Cell(printable(one.reason)),
        )
        for one in rows
    )
    return Table("Metrics of base and head", _METRIC_COLUMNS, cells)


def _finding_group(name: str, frame: pl.DataFrame) -> FindingGroup:
    title = {"new": "New", "gone": "Gone", "still": "Still present"}[name]
    rows = tuple(
        (
            Cell(row["severity"], kind=row["severity"] if row["severity"] in ("error", "warning") else "info"),
            Cell(f"{row['rule']} {row['name']}", note=f"{row['count']} times" if row["count"] > 1 else ""),
            Cell(printable(row["message"] or "")),
            Cell(printable(row["fix"] or "")),
        )
        for row in frame.iter_rows(named=True)
    )
    columns = (Column("severity"), Column("rule"), Column("message"), Column("fix"))
    return FindingGroup(title, _FINDING_LEADS[name], Table(f"Findings: {title.lower()}", columns, rows))
