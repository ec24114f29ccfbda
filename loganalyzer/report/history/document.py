"""Builds the JSON documents of `loganalyze history`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import polars as pl

from loganalyzer.history.series import Point, Series
from loganalyzer.regression.changes import Change
from loganalyzer.regression.jump import Jump
from loganalyzer.report.json_document import rows_to_json
from loganalyzer.tables.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from loganalyzer.history.store import Added


def runs_document(listed: pl.DataFrame) -> str:
    """`schema_version` and `runs`: the columns of the table plus at, added_at, label, commit, verdict."""
    return f'{{"schema_version": {SCHEMA_VERSION},\n"runs": {rows_to_json(listed)}}}\n'


def run_document(listed: pl.DataFrame, recorded: pl.DataFrame, findings: pl.DataFrame) -> str:
    """`schema_version`, `run`, its `metrics` and its `findings`."""
    metrics = recorded.select("metric", "unit", "basis", "value", "values", "estimated")
    run = rows_to_json(listed).strip()[1:-1]
    parts = (f'"run": {run}', f'"metrics": {rows_to_json(metrics)}', f'"findings": {rows_to_json(findings)}')
    return f'{{"schema_version": {SCHEMA_VERSION},\n' + ",\n".join(parts) + "}\n"


def added_document(found: Added, unchanged: int) -> str:
    """`schema_version`, counts of runs (`added`, `updated`, `known`, `guessed`) and of `unchanged_files` (not read)."""
    counts = {"added": found.new, "updated": found.updated, "known": found.known, "guessed": found.guessed}
    return json.dumps({"schema_version": SCHEMA_VERSION, **counts, "unchanged_files": unchanged}) + "\n"


def pruned_document(listed: pl.DataFrame, *, done: bool) -> str:
    """`schema_version`, `removed` (false for a dry run) and `runs`."""
    return f'{{"schema_version": {SCHEMA_VERSION},\n"removed": {json.dumps(done)},\n"runs": {rows_to_json(listed)}}}\n'


def trend_document(series: Iterable[Series]) -> str:
    """`schema_version` and `series`: metric, unit, key, basis, points, changes, and the verdict with its reason.

    `normal` is the normal range of one night, `tonight` the value of the newest night, `since` the first run of the
    change that the verdict reports, `back_to_normal_since` the first normal run after the last worse nights.
    """
    document = {"schema_version": SCHEMA_VERSION, "series": [_series_members(one) for one in series]}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _series_members(series: Series) -> dict[str, Any]:
    verdict = series.verdict
    return {
        "metric": series.metric.name,
        "unit": series.metric.unit,
        "key": dict(series.key),
        "basis": series.basis,
        "points": [
            {"run_id": point.run_id, "at": point.at.isoformat(), "value": point.value} for point in series.points
        ],
        "changes": [_change_members(series, change) for change in _confirmed_changes(series)],
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "noise_percent": verdict.noise_percent,
        "runs_needed": verdict.runs_needed,
        "normal": _normal_members(verdict.jump),
        "tonight": verdict.jump.tonight if verdict.jump is not None and verdict.jump.normal is not None else None,
        "since": _point_members(None if verdict.change is None else series.at(verdict.change)),
        "back_to_normal_since": _point_members(series.back),
    }


def _normal_members(jump: Jump | None) -> dict[str, Any] | None:
    """The normal range of one night, its median and scatter, and the number of nights that it is based on."""
    if jump is None or jump.normal is None:
        return None
    found = jump.normal
    return {
        "low": found.low,
        "high": found.high,
        "median": found.level,
        "scatter": found.scatter,
        "nights": found.nights,
    }


def _point_members(point: Point | None) -> dict[str, str] | None:
    return None if point is None else {"run_id": point.run_id, "at": point.at.isoformat()}


def _confirmed_changes(series: Series) -> tuple[Change, ...]:
    """The confirmed changes. Suspected ones appear only in the verdict's reason."""
    return series.verdict.changes


def _change_members(series: Series, change: Change) -> dict[str, Any]:
    point = series.at(change)
    return {
        "run_id": point.run_id,
        "at": point.at.isoformat(),
        "before": change.before,
        "after": change.after,
        "change_percent": change.change_percent,
        "direction": "worse" if change.worse else "better",
        "kind": change.kind,
    }
