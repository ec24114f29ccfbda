"""The series that this call's runs belong to, as a table for reports: each run's figure, and where a change begins."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.history.past import Past
from loganalyzer.history.series import Series, judged
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.metrics import KEY
from loganalyzer.tables.schema import TRENDS

MOST_POINTS: Final = 60
"""Latest runs of a series that are kept."""
_ORDER: Final = ("regressed", "suspected", "improved", "same", "unknown")


def trends(past: Past, found: Analysis, gpu: str | None) -> pl.DataFrame:
    """Columns of `tables.TRENDS`; the series that got worse first, each with its latest runs, oldest first."""
    together = past.with_tonight(found, gpu)
    alike = ["metric", "basis", *KEY]
    concerned = together.filter("tonight").select(alike).unique()
    rows = together.join(concerned, on=alike, how="semi", nulls_equal=True, maintain_order="left")
    ordered = sorted(judged(rows), key=lambda series: _ORDER.index(series.verdict.verdict))
    told = [row for number, series in enumerate(ordered, 1) for row in _rows(number, series)]
    return pl.DataFrame(told, schema=TRENDS, orient="row")


def _rows(number: int, series: Series) -> list[tuple[object, ...]]:
    metric, verdict = series.metric, series.verdict
    begins = {series.first + change.index for change in verdict.changes}
    if verdict.change is not None:
        begins.add(series.first + verdict.change.index)
    head = (number, metric.name, metric.title, metric.unit, words(series), verdict.verdict, verdict.reason)
    points = list(enumerate(series.points))[-MOST_POINTS:]
    normal = verdict.jump.normal if verdict.jump is not None else None
    band = (None, None) if normal is None else (normal.low, normal.high)
    return [
        (*head, point.run_id, point.at, point.value, point.tonight, place in begins, *band) for place, point in points
    ]


def words(series: Series) -> str:
    """What the runs of a series share, as far as it is known."""
    key = series.key
    size = f"{key['width']}x{key['height']}" if key["width"] and key["height"] else None
    return ", ".join(str(part) for part in (key["mode"], key["quantization"], size, key["gpu"], series.basis) if part)
