"""Builds the trends section: how each metric developed over the runs of the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loganalyzer.report import words
from loganalyzer.report.figures import trend
from loganalyzer.report.model import Cell, Column, Table, Trends

if TYPE_CHECKING:
    import polars as pl

    from loganalyzer.report.facts import Row

MOST_SERIES: Final = 60
MOST_DRAWN: Final = 12
_VERDICT_KINDS: Final = {"regressed": "error", "suspected": "warning", "improved": "ok", "same": "ok"}
_TREND_COLUMNS: Final = (
    Column("Metric"), Column("Series"), Column("Verdict"), Column("Runs", number=True), Column("Before", number=True),
    Column("Now", number=True), Column("Changed at"),
)  # fmt: skip


def build_trends(trends: pl.DataFrame, *, most_drawn: int = MOST_DRAWN) -> Trends | None:
    """One row per series in the order of the table `trends` (worst first), and figures of the first ones.

    None without trends.
    """
    series: dict[int, list[Row]] = {}
    for row in trends.iter_rows(named=True):
        series.setdefault(row["series"], []).append(row)
    if not series:
        return None
    shown = list(series.values())[:MOST_SERIES]
    figures = (trend.draw(rows, f"trend-{number}") for number, rows in enumerate(shown[:most_drawn], 1))
    table = Table(
        "Metrics over the runs of the history",
        _TREND_COLUMNS,
        tuple(_series_row(rows) for rows in shown),
        words.describe_rest(len(series) - len(shown), "row"),
        words.ALL_ROWS_COMMAND,
    )
    return Trends(table, tuple(figure for figure in figures if figure is not None))


def _series_row(rows: list[Row]) -> tuple[Cell, ...]:
    last = rows[-1]
    unit = words.visible(last["unit"] or "")
    changed = next((row for row in reversed(rows) if row["changed"]), None)
    place = rows.index(changed) if changed else max(len(rows) - 1, 0)
    before = words.median([row["value"] for row in rows[:place] if row["value"] is not None])
    now = words.median([row["value"] for row in rows[place:] if row["value"] is not None])
    since = "" if changed is None or changed["at"] is None else f"{changed['at']:%Y-%m-%d %H:%M}"
    return (
        Cell(words.or_dash(last["title"])),
        Cell(words.or_dash(last["key"])),
        Cell(words.or_dash(last["verdict"]), kind=_VERDICT_KINDS.get(last["verdict"] or "", "muted")),
        Cell(words.count(len(rows))),
        Cell(words.number(before, unit)),
        Cell(words.number(now, unit)),
        Cell(words.or_dash(changed["run_id"]) if changed else words.DASH, note=since, code=changed is not None),
    )
