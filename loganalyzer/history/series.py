"""Recorded figures → one series per key, metric and basis, each with its verdict."""

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
from loganalyzer.regression.jump import watch
from loganalyzer.regression.nightly import combine
from loganalyzer.regression.series import change_percent
from loganalyzer.regression.verdicts import Verdict, Word
from loganalyzer.tables.metrics import KEY, METRICS, Metric, get_floors

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

    @property
    def back(self) -> Point | None:
        """The first normal run after the last spell for the worse; None where the newest runs are not normal."""
        jump = self.verdict.jump
        if jump is None or jump.word != "normal" or jump.ended is None:
            return None
        return self.points[jump.ended[1]]


def judged(recorded: pl.DataFrame, metrics: tuple[str, ...] | None = None, *, exact: bool = False) -> list[Series]:
    """All series of `recorded` (columns of `RECORDED`, oldest first), the metrics of one key judged together.

    Exact figures follow from the audio, and each run's own checks judge them: they are in no series, unless asked for.
    """
    kinds = ("exact", "steady", "noisy") if exact else ("steady", "noisy")
    wanted = tuple(name for name, metric in METRICS.items() if metric.kind in kinds and name in (metrics or METRICS))
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
        if METRICS[name[0]].kind != "exact"
    }
    verdicts = judge_together(histories)
    for place, part in sorted(parts.items(), key=_order):
        metric = METRICS[place[0]]
        verdict = _judged(part, metric, verdicts[place]) if place in verdicts else _exact(part, metric)
        yield Series(metric, key, place[1], _points(part), max(0, part.height - MOST_RUNS), verdict)


def _judged(part: pl.DataFrame, metric: Metric, scanned: Verdict) -> Verdict:
    """The scan's verdict on the latest runs, together with that on the newest nights."""
    values = part["value"].to_list()
    jump = watch(values, nights(part), higher_is_better=metric.higher_is_better, floors=get_floors(metric))
    return combine(floored(scanned, metric), jump, max(0, len(values) - MOST_RUNS), metric.unit)


def nights(part: pl.DataFrame) -> list[object]:
    """The night of each run: runs added by one call whose times lie between one noon and the next."""
    noon = (pl.col("at") - pl.duration(hours=12)).dt.date()
    return list(part.select("added_at", noon.alias("noon")).rows())


def _exact(part: pl.DataFrame, metric: Metric) -> Verdict:
    """Of exact figures every difference is a change."""
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
    reason = f"{last.before:g} → {last.after:g} {metric.unit} for audio of one length, since run {last.index + 1}."
    word: Word = "regressed" if last.worse else "improved"
    return Verdict(word, reason, last, changes, None, len(values), 0, 0, 0.0)


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
