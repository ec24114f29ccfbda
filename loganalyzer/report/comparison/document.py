"""Builds the JSON document of `loganalyze compare`."""

from __future__ import annotations

import json
from typing import Any

from loganalyzer.comparison.model import Comparison, Difference, MetricChange
from loganalyzer.report.json_document import rows_to_json
from loganalyzer.tables.schema import SCHEMA_VERSION


def to_json(comparison: Comparison) -> str:
    """`schema_version`, `verdict`, `reason`, `base`, `head`, `metrics`, `findings`, `differences`, `notes`."""
    members = {
        "schema_version": SCHEMA_VERSION,
        "verdict": comparison.verdict,
        "reason": comparison.reason,
        "base": comparison.base,
        "head": comparison.head,
        "metrics": [_metric_members(one) for one in comparison.metrics],
        "differences": [_difference_members(one) for one in comparison.differences],
        "notes": list(comparison.notes),
    }
    parts = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in members.items()]
    frames = {"new": comparison.new, "gone": comparison.gone, "still": comparison.still}
    findings = ",\n".join(f"{json.dumps(name)}: {rows_to_json(frame)}" for name, frame in frames.items())
    return "{" + ",\n".join([*parts, f'"findings": {{{findings}}}']) + "}\n"


def _metric_members(one: MetricChange) -> dict[str, Any]:
    return {**vars(one), "key": dict(one.key)}


def _difference_members(one: Difference) -> dict[str, Any]:
    """The members of a difference. A single value stands alone, several form a list."""
    return {
        "field": one.field,
        "base": _one_or_list(one.base),
        "head": _one_or_list(one.head),
        "decides": one.decides,
    }


def _one_or_list(values: tuple[Any, ...]) -> Any:  # noqa: ANN401
    return values[0] if len(values) == 1 else list(values)
