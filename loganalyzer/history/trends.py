"""Builds the table of trends for pages: series of runs with their values, changes and normal ranges."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from loganalyzer.history.past import Past
from loganalyzer.history.series import Series, judge_series
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.metrics import KEY
from loganalyzer.tables.schema import TRENDS

MOST_POINTS: Final = 60
"""Number of latest runs kept per series."""
_VERDICT_ORDER: Final = ("regressed", "suspected", "improved", "same", "unknown")


def make_trends(past: Past, found: Analysis, gpu: str | None) -> pl.DataFrame:
    """The table of trends (columns `tables.TRENDS`) of the series that this call's runs belong to."""
    together = past.with_tonight(found, gpu)
    series_key = ["metric", "basis", *KEY]
    current = together.filter("tonight").select(series_key).unique()
    rows = together.join(current, on=series_key, how="semi", nulls_equal=True, maintain_order="left")
    return tabulate_series(judge_series(rows))


def tabulate_series(series: Iterable[Series], *, most_points: int = MOST_POINTS) -> pl.DataFrame:
    """These series as a table of trends: worst first, each with its latest runs, oldest first."""
    ordered = sorted(series, key=lambda one: _VERDICT_ORDER.index(one.verdict.verdict))
    rows = [row for number, one in enumerate(ordered, 1) for row in _series_rows(number, one, most_points)]
    return pl.DataFrame(rows, schema=TRENDS, orient="row")


def _series_rows(number: int, series: Series, most_points: int) -> list[tuple[object, ...]]:
    metric, verdict = series.metric, series.verdict
    begins = {series.first + change.index for change in verdict.changes}
    if verdict.change is not None:
        begins.add(series.first + verdict.change.index)
    head = (number, metric.name, metric.title, metric.unit, describe_key(series), verdict.verdict, verdict.reason)
    points = list(enumerate(series.points))[-most_points:]
    normal = verdict.jump.normal if verdict.jump is not None else None
    band = (None, None) if normal is None else (normal.low, normal.high)
    return [
        (*head, point.run_id, point.at, point.value, point.tonight, place in begins, *band) for place, point in points
    ]


def describe_key(series: Series) -> str:
    """The known parts of the key of a series, for display."""
    key = series.key
    size = f"{key['width']}x{key['height']}" if key["width"] and key["height"] else None
    return ", ".join(str(part) for part in (key["mode"], key["quantization"], size, key["gpu"], series.basis) if part)
