"""Recorded figures → one series per key, metric and basis, each with its verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import polars as pl

from loganalyzer.metrics import KEY, METRICS, Metric
from loganalyzer.regression.changes import Change
from loganalyzer.regression.discovery import History, judge_together
from loganalyzer.regression.verdicts import Verdict

MOST_RUNS: Final = 60
"""So many latest runs of a key are judged: what the detectors are calibrated for, and older changes are history."""


@dataclass(frozen=True)
class Point:
    """One run's figure."""

    run_id: str
    at: datetime
    value: float
    tonight: bool = False


@dataclass(frozen=True)
class Series:
    """One metric of one key, oldest run first, with what is to be said about its latest runs.

    `first` is the place in `points` of the first run judged: positions in the verdict count from there.
    """

    metric: Metric
    key: Mapping[str, Any]
    basis: str | None
    points: tuple[Point, ...]
    first: int
    verdict: Verdict

    def at(self, change: Change) -> Point:
        """The run with which a change begins."""
        return self.points[self.first + change.index]


def judged(recorded: pl.DataFrame, metrics: tuple[str, ...] | None = None) -> list[Series]:
    """All series of `recorded` (columns of `RECORDED`, oldest first), the metrics of one key judged together.

    Exact figures follow from the audio, and each run's own checks judge them: they are in no series.
    """
    wanted = tuple(name for name, metric in METRICS.items() if metric.kind != "exact" and name in (metrics or METRICS))
    rows = recorded.filter(pl.col("metric").is_in(wanted))
    return [series for _, group in _groups(rows, [*KEY]) for series in _of_key(group)]


def _groups(rows: pl.DataFrame, by: list[str]) -> Iterator[tuple[tuple[Any, ...], pl.DataFrame]]:
    yield from rows.group_by(by, maintain_order=True)


def _of_key(rows: pl.DataFrame) -> Iterator[Series]:
    key = dict(zip(KEY, rows.select(KEY).row(0), strict=True))
    parts = dict(_groups(rows, ["metric", "basis"]))
    histories = {
        name: History(tuple(part["value"].tail(MOST_RUNS).to_list()), METRICS[name[0]].higher_is_better)
        for name, part in parts.items()
    }
    verdicts = judge_together(histories)
    for place, part in sorted(parts.items(), key=_order):
        metric = METRICS[place[0]]
        verdict = floored(verdicts[place], metric)
        yield Series(metric, key, place[1], _points(part), max(0, part.height - MOST_RUNS), verdict)


def _order(item: tuple[tuple[Any, ...], pl.DataFrame]) -> tuple[int, str]:
    metric, basis = item[0]
    return list(METRICS).index(metric), basis or ""


def _points(part: pl.DataFrame) -> tuple[Point, ...]:
    tonight = pl.col("tonight") if "tonight" in part.columns else pl.lit(value=False)
    return tuple(Point(*row) for row in part.select("run_id", "at", "value", tonight).rows())


def floored(verdict: Verdict, metric: Metric) -> Verdict:
    """Without a change that is smaller than what counts in the metric's own unit."""
    change = verdict.change
    if change is None or abs(change.after - change.before) >= metric.floor:
        return verdict
    reason = f"{verdict.reason} Less than {metric.floor:g} {metric.unit}: too little to count."
    return replace(verdict, verdict="same", reason=reason, change=None, changes=(), runs_needed=0)
