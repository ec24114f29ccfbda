"""The JSON document of `loganalyze compare`."""

from __future__ import annotations

import json
from typing import Any

from loganalyzer.comparison.model import Comparison, Difference, MetricChange
from loganalyzer.report.json_document import rows
from loganalyzer.tables.schema import SCHEMA_VERSION


def to_json(comparison: Comparison) -> str:
    """`schema_version`, `verdict`, `reason`, `base`, `head`, `metrics`, `findings`, `differences`, `notes`."""
    head = {
        "schema_version": SCHEMA_VERSION,
        "verdict": comparison.verdict,
        "reason": comparison.reason,
        "base": comparison.base,
        "head": comparison.head,
        "metrics": [_metric(one) for one in comparison.metrics],
        "differences": [_difference(one) for one in comparison.differences],
        "notes": list(comparison.notes),
    }
    parts = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in head.items()]
    found = {"new": comparison.new, "gone": comparison.gone, "still": comparison.still}
    findings = ",\n".join(f"{json.dumps(name)}: {rows(frame)}" for name, frame in found.items())
    return "{" + ",\n".join([*parts, f'"findings": {{{findings}}}']) + "}\n"


def _metric(one: MetricChange) -> dict[str, Any]:
    return {**vars(one), "key": dict(one.key)}


def _difference(one: Difference) -> dict[str, Any]:
    """One value as it is, several as a list."""
    sides = {"base": one.base, "head": one.head}
    return {"field": one.field, **{name: _value(values) for name, values in sides.items()}, "decides": one.decides}


def _value(values: tuple[Any, ...]) -> Any:  # noqa: ANN401
    return values[0] if len(values) == 1 else list(values)
