"""A comparison as a page model: finished strings in records, for the template."""

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

KINDS: Final = {"regressed": "error", "improved": "ok", "same": "ok", "unknown": "muted", "incomparable": "warning"}
_COLUMNS: Final = (
    Column("metric"),
    Column("base", number=True),
    Column("head", number=True),
    Column("change", number=True),
    Column("noise", number=True),
    Column("values", number=True),
    Column("verdict"),
    Column("why"),
)
_LEADS: Final = {
    "new": "In the head and not in the base.",
    "gone": "In the base and not in the head.",
    "still": "In both.",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """The metrics of one kind of run."""

    title: str
    table: Table


@dataclass(frozen=True, slots=True)
class Findings:
    """Findings that are new, gone or still there."""

    title: str
    lead: str
    table: Table


@dataclass(frozen=True, slots=True)
class ComparisonPage:
    """All that the template shows."""

    title: str
    mark: Mark
    reason: str
    sides: tuple[Pair, ...]
    counts: tuple[Pair, ...]
    differences: Table | None
    kinds: tuple[Kind, ...]
    findings: tuple[Findings, ...]
    pairs: tuple[RunPair, ...]
    notes: tuple[str, ...]
    generated_at: str


def build(comparison: Comparison, generated_at: datetime, pairs: tuple[RunPair, ...] = ()) -> ComparisonPage:
    """The page of one comparison."""
    keys = dict.fromkeys(tuple(one.key.items()) for one in comparison.metrics)
    by_key = [[one for one in comparison.metrics if tuple(one.key.items()) == key] for key in keys]
    frames = {"new": comparison.new, "gone": comparison.gone, "still": comparison.still}
    word = words.VERDICTS[comparison.verdict].lower()
    return ComparisonPage(
        title=printable(f"{word}: {comparison.base} → {comparison.head}"),
        mark=Mark(word, KINDS[comparison.verdict]),
        reason=printable(comparison.reason),
        sides=(
            Pair("base", printable(comparison.base), code=True),
            Pair("head", printable(comparison.head), code=True),
        ),
        counts=_counts(comparison),
        differences=_differences(comparison),
        kinds=tuple(Kind(key_words(dict(rows[0].key)), _metrics(rows)) for rows in by_key),
        findings=tuple(_findings(name, frame) for name, frame in frames.items() if not frame.is_empty()),
        pairs=pairs,
        notes=tuple(printable(note) for note in comparison.notes),
        generated_at=f"{generated_at:%Y-%m-%d %H:%M} UTC",
    )


def _counts(comparison: Comparison) -> tuple[Pair, ...]:
    verdicts = [one.verdict for one in comparison.metrics]
    names = {"regressed": "worse", "improved": "better", "same": "the same", "unknown": "not to be told"}
    counted = [Pair(name, str(verdicts.count(word))) for word, name in names.items()]  # type: ignore[arg-type]
    return (*counted, Pair("new findings", str(comparison.new.height)))


def _differences(comparison: Comparison) -> Table | None:
    if not comparison.differences:
        return None
    rows = tuple(
        (
            Cell(one.field, note="runs that differ in it are not compared" if one.decides else "", code=True),
            Cell(printable(words.values(one, "base"))),
            Cell(printable(words.values(one, "head"))),
        )
        for one in comparison.differences
    )
    return Table("What differs", (Column("differs"), Column("base"), Column("head")), rows)


def _metrics(rows: list[MetricChange]) -> Table:
    cells = tuple(
        (
            Cell(printable(words.metric(one))),
            Cell(words.figure(one.base, one.unit)),
            Cell(words.figure(one.head, one.unit)),
            Cell(words.change(one)),
            Cell(words.noise(one)),
            Cell(words.counts(one)),
            Cell(one.verdict, kind=KINDS[one.verdict]),
            Cell(printable(one.reason)),
        )
        for one in rows
    )
    return Table("Metrics, base against head", _COLUMNS, cells)


def _findings(name: str, frame: pl.DataFrame) -> Findings:
    title = {"new": "New", "gone": "Gone", "still": "Still there"}[name]
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
    return Findings(title, _LEADS[name], Table(f"Findings: {title.lower()}", columns, rows))
