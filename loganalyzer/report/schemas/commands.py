"""The schemas of the documents of `plan`, `compare`, `history list` and `workflow check`."""

from __future__ import annotations

from typing import Final, get_args

from loganalyzer.comparison.model import MetricVerdict
from loganalyzer.comparison.model import Verdict as ComparisonVerdict
from loganalyzer.report.schemas.analysis import table_definitions
from loganalyzer.report.schemas.parts import (
    ANY_OBJECT,
    COUNT,
    FIGURE,
    FLAG,
    SEVERITY,
    TEXT,
    TEXTS,
    Schema,
    document,
    list_of,
    one_of,
    or_null,
    record,
    reference,
)
from loganalyzer.tables.schema import SCHEMA_VERSION

_SCHEDULE: Final = record({"window_frames": COUNT, "motion_frames": COUNT, "stride": COUNT})
_RANGE: Final = or_null({"type": "array", "items": FIGURE, "minItems": 2, "maxItems": 2})
_CHOICE: Final = record({
    "frames": COUNT, "windows": COUNT, "announced_windows": or_null(COUNT), "duration_s": FIGURE,
    "unused_audio_s": FIGURE, "missing_frames": COUNT, "padding": COUNT, "request": or_null(COUNT),
    "crop_s": or_null(FIGURE), "expected_total_s": _RANGE, "expected_cost_usd": or_null(FIGURE),
}, optional={"missing_s": FIGURE, "rendered_frames": COUNT, "cut_to_frames": COUNT})  # fmt: skip


def plan_schema() -> Schema:
    """The schema of `loganalyze plan --json`."""
    members = {
        "inputs": TEXTS, "audio_s": FIGURE, "fps": FIGURE, "available_frames": COUNT, "recommended": or_null(_CHOICE),
        "next_aligned": _CHOICE, "cut_back": or_null(_CHOICE), "schedule": _SCHEDULE, "expected_from": or_null(TEXT),
        "notes": TEXTS, "producer": one_of("core", "wrapper"),
    }  # fmt: skip
    return document("A plan of loganalyze", SCHEMA_VERSION, record(members))


def comparison_schema() -> Schema:
    """The schema of `loganalyze compare --json`."""
    metric = {
        "metric": TEXT, "unit": TEXT, "key": ANY_OBJECT, "basis": or_null(TEXT), "base": or_null(FIGURE),
        "head": or_null(FIGURE), "change_percent": or_null(FIGURE), "noise_percent": or_null(FIGURE),
        "verdict": one_of(*get_args(MetricVerdict)), "reason": TEXT, "base_n": COUNT, "head_n": COUNT,
        "base_runs": COUNT, "head_runs": COUNT, "estimated": FLAG,
    }  # fmt: skip
    difference = {"field": TEXT, "base": {}, "head": {}, "decides": FLAG}
    findings = list_of(reference("findings"))
    members = {
        "verdict": one_of(*get_args(ComparisonVerdict)), "reason": TEXT, "base": TEXT, "head": TEXT,
        "metrics": list_of(record(metric)), "differences": list_of(record(difference)), "notes": TEXTS,
        "findings": record({"new": findings, "gone": findings, "still": findings}),
    }  # fmt: skip
    row = table_definitions()["findings"]
    definitions = {"findings": record({**row["properties"], "count": COUNT})}
    return document("A comparison of loganalyze", SCHEMA_VERSION, record(members), definitions)


def history_list_schema() -> Schema:
    """The schema of `loganalyze history list --json`."""
    run = {
        "allOf": [reference("runs"), record({name: or_null(TEXT) for name in ("at", "added_at", "label", "commit")})]
    }
    definitions = {"runs": table_definitions()["runs"]}
    return document("Runs in a history of loganalyze", SCHEMA_VERSION, record({"runs": list_of(run)}), definitions)


def workflow_schema() -> Schema:
    """The schema of `loganalyze workflow check --json`."""
    finding = {
        "rule": TEXT, "name": TEXT, "severity": SEVERITY, "run_id": or_null(TEXT), "source": TEXT,
        "line": or_null(COUNT), "node_id": or_null(TEXT), "title": or_null(TEXT), "input": or_null(TEXT),
        "message": TEXT, "observed": or_null(TEXT), "expected": or_null(TEXT), "fix": TEXT,
        "values": list_of(record({"way": or_null(TEXT), "value": {}, "says": or_null(TEXT)})),
    }  # fmt: skip
    place = record({"node_id": TEXT, "title": or_null(TEXT), "input": or_null(TEXT)})
    members = {
        "source": TEXT, "format": one_of("api", "ui"), "settings": ANY_OBJECT,
        "reasons": {"type": "object", "additionalProperties": TEXT},
        "places": {"type": "object", "additionalProperties": place}, "samplers": list_of(ANY_OBJECT),
        "findings": list_of(record(finding)), "not_checked": list_of(record({"rule": TEXT, "reason": TEXT})),
        "verdict": one_of("pass", "warn", "fail"),
    }  # fmt: skip
    return document("A checked workflow of loganalyze", SCHEMA_VERSION, record(members))
