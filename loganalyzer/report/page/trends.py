"""How the figures of these runs moved over the runs of the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loganalyzer.report import words
from loganalyzer.report.figures import trend
from loganalyzer.report.model import Cell, Column, Table, Trends

if TYPE_CHECKING:
    from loganalyzer.report.facts import Row
    from loganalyzer.tables.analysis import Analysis

MOST_SERIES: Final = 60
MOST_DRAWN: Final = 12
_KINDS: Final = {"regressed": "error", "suspected": "warning", "improved": "ok", "same": "ok"}
_COLUMNS: Final = (
    Column("Figure"), Column("Of runs"), Column("Verdict"), Column("Runs", number=True), Column("Before", number=True),
    Column("Now", number=True), Column("Changed with"),
)  # fmt: skip


def trends(analysis: Analysis) -> Trends | None:
    """One row per series with its verdict, the worst first, and the first of them drawn."""
    series: dict[int, list[Row]] = {}
    for row in analysis.trends.iter_rows(named=True):
        series.setdefault(row["series"], []).append(row)
    if not series:
        return None
    shown = list(series.values())[:MOST_SERIES]
    figures = (trend.draw(rows, f"trend-{number}") for number, rows in enumerate(shown[:MOST_DRAWN], 1))
    table = Table(
        "Figures over the runs of the history",
        _COLUMNS,
        tuple(_row(rows) for rows in shown),
        words.left_out(len(series) - len(shown), "row"),
        words.ALL,
    )
    return Trends(table, tuple(figure for figure in figures if figure is not None))


def _row(rows: list[Row]) -> tuple[Cell, ...]:
    last = rows[-1]
    unit = words.visible(last["unit"] or "")
    changed = next((row for row in reversed(rows) if row["changed"]), None)
    place = rows.index(changed) if changed else max(len(rows) - 1, 0)
    before = words.median([row["value"] for row in rows[:place] if row["value"] is not None])
    now = words.median([row["value"] for row in rows[place:] if row["value"] is not None])
    begun = "" if changed is None or changed["at"] is None else f"{changed['at']:%Y-%m-%d %H:%M}"
    return (
        Cell(words.told(last["title"])),
        Cell(words.told(last["key"])),
        Cell(words.told(last["verdict"]), kind=_KINDS.get(last["verdict"] or "", "muted")),
        Cell(words.count(len(rows))),
        Cell(words.number(before, unit)),
        Cell(words.number(now, unit)),
        Cell(words.told(changed["run_id"]) if changed else words.NOTHING, note=begun, code=changed is not None),
    )
