"""Groups recorded metrics into series by key, metric and basis, and judges each series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

import polars as pl

from loganalyzer.common.formatting import plural
from loganalyzer.regression.changes import Change
from loganalyzer.regression.discovery import History, judge_together
from loganalyzer.regression.jump import judge_nights
from loganalyzer.regression.nightly import combine
from loganalyzer.regression.series import change_percent
from loganalyzer.regression.verdicts import Verdict, Word
from loganalyzer.tables.metrics import KEY, METRICS, Metric, get_floors

MOST_RUNS: Final = 60
"""Number of latest runs of a key that are judged. The detectors are calibrated for it; older changes do not matter."""


@dataclass(frozen=True)
class Point:
    """The value of one run."""

    run_id: str
    at: datetime
    value: float
    tonight: bool = False


@dataclass(frozen=True)
class Series:
    """One metric of one key, oldest run first, with the verdict on its latest runs.

    `first` is the index in `points` of the first run judged; positions in the verdict count from there.
    """

    metric: Metric
    key: Mapping[str, Any]
    basis: str | None
    points: tuple[Point, ...]
    first: int
    verdict: Verdict

    def at(self, change: Change) -> Point:
        """The first run after a change."""
        return self.points[self.first + change.index]

    @property
    def back(self) -> Point | None:
        """The first normal run after the last `worse` spell; None if the newest runs are not normal."""
        jump = self.verdict.jump
        if jump is None or jump.word != "normal" or jump.ended is None:
            return None
        return self.points[jump.ended[1]]


def judge_series(
    recorded: pl.DataFrame, metrics: tuple[str, ...] | None = None, *, exact: bool = False
) -> list[Series]:
    """All series of `recorded` (columns of `RECORDED`, oldest first). The metrics of one key are judged together.

    Exact metrics follow from the audio and are checked in each run. They are included only with `exact`.
    """
    kinds = ("exact", "steady", "noisy") if exact else ("steady", "noisy")
    wanted = tuple(name for name, metric in METRICS.items() if metric.kind in kinds and name in (metrics or METRICS))
    rows = recorded.filter(pl.col("metric").is_in(wanted))
    return [series for _, group in _group_rows(rows, [*KEY]) for series in _series_of_key(group)]


def _group_rows(rows: pl.DataFrame, by: list[str]) -> Iterator[tuple[tuple[Any, ...], pl.DataFrame]]:
    yield from rows.group_by(by, maintain_order=True)


def _series_of_key(rows: pl.DataFrame) -> Iterator[Series]:
    key = dict(zip(KEY, rows.select(KEY).row(0), strict=True))
    parts = dict(_group_rows(rows, ["metric", "basis"]))
    histories = {
        name: History(tuple(part["value"].tail(MOST_RUNS).to_list()), METRICS[name[0]].higher_is_better)
        for name, part in parts.items()
        if METRICS[name[0]].kind != "exact"
    }
    verdicts = judge_together(histories)
    for place, part in sorted(parts.items(), key=_metric_order):
        metric = METRICS[place[0]]
        verdict = _judge_part(part, metric, verdicts[place]) if place in verdicts else _judge_exact(part, metric)
        yield Series(metric, key, place[1], _to_points(part), max(0, part.height - MOST_RUNS), verdict)


def _judge_part(part: pl.DataFrame, metric: Metric, scanned: Verdict) -> Verdict:
    """The combined verdict of the scan and of the newest nights."""
    values = part["value"].to_list()
    jump = judge_nights(values, night_keys(part), higher_is_better=metric.higher_is_better, floors=get_floors(metric))
    return combine(apply_floor(scanned, metric), jump, max(0, len(values) - MOST_RUNS), metric.unit)


def night_keys(part: pl.DataFrame) -> list[object]:
    """The night of each run: runs that one call added and whose times are between one noon and the next."""
    noon = (pl.col("at") - pl.duration(hours=12)).dt.date()
    return list(part.select("added_at", noon.alias("noon")).rows())


def _judge_exact(part: pl.DataFrame, metric: Metric) -> Verdict:
    """The verdict on an exact metric: every difference is a change."""
    values = part["value"].tail(MOST_RUNS).to_list()
    changes = tuple(
        Change(
            index, before, after, change_percent(before, after), (after > before) != metric.higher_is_better, "step",
            len(values) - index, 0.0,
        )
        for index, (before, after) in enumerate(pairwise(values), 1)
        if before != after
    )  # fmt: skip
    if not changes:
        reason = f"Equal in {plural(len(values), 'run')}."
        return Verdict("same", reason, None, (), None, len(values), 0, 0, 1.0)
    last = changes[-1]
    reason = f"{last.before:g} → {last.after:g} {metric.unit} with the same audio length, since run {last.index + 1}."
    word: Word = "regressed" if last.worse else "improved"
    return Verdict(word, reason, last, changes, None, len(values), 0, 0, 0.0)


def _metric_order(item: tuple[tuple[Any, ...], pl.DataFrame]) -> tuple[int, str]:
    metric, basis = item[0]
    return list(METRICS).index(metric), basis or ""


def _to_points(part: pl.DataFrame) -> tuple[Point, ...]:
    tonight = pl.col("tonight") if "tonight" in part.columns else pl.lit(value=False)
    return tuple(Point(*row) for row in part.select("run_id", "at", "value", tonight).rows())


def apply_floor(verdict: Verdict, metric: Metric) -> Verdict:
    """The verdict without a change that is below the metric's floor."""
    change = verdict.change
    if change is None or abs(change.after - change.before) >= metric.floor:
        return verdict
    reason = f"{verdict.reason} Ignored: less than {metric.floor:g} {metric.unit}."
    return replace(verdict, verdict="same", reason=reason, change=None, changes=(), runs_needed=0)
