"""The schemas of documents about the tool itself and of a watched log: rules, patterns, tickets, events."""

from __future__ import annotations

from typing import Final

from loganalyzer.common.severity import SEVERITIES
from loganalyzer.report.schemas.analysis import TOOL
from loganalyzer.report.schemas.parts import (
    COUNT,
    FIGURE,
    MOMENT,
    SEVERITY,
    SIZE,
    TEXT,
    TEXTS,
    Schema,
    document,
    list_of,
    one_of,
    or_null,
    record,
)

VERSION: Final = 1
_DATE: Final = or_null({"type": "string", "format": "date"})


def rules_schema() -> Schema:
    """The schema of `loganalyze rules --json`."""
    rule = {
        "id": TEXT, "name": TEXT, "severity": SEVERITY, "strict": or_null(SEVERITY),
        "shown_by": one_of("log", "workflow"), "summary": TEXT, "why": TEXT, "example": TEXT, "fix": TEXT,
        "package": or_null(TEXT),
    }  # fmt: skip
    return document("Rules of loganalyze", VERSION, record({"rules": list_of(record(rule))}))


def patterns_schema() -> Schema:
    """The schema of `loganalyze patterns list --json`."""
    pattern = {
        "id": TEXT, "event": TEXT, "file": TEXT, "project": TEXT, "title": TEXT, "why": TEXT, "stream": TEXT,
        "when": or_null(TEXT), "since": _DATE, "until": _DATE, "template": TEXT,
        "samples": list_of(record({"line": TEXT, "values": {"type": "object"}})), "near": TEXTS,
    }  # fmt: skip
    return document("Message patterns of loganalyze", VERSION, record({"patterns": list_of(record(pattern))}))


def ticket_schema() -> Schema:
    """The schema of `loganalyze ticket --json`."""
    members = {
        "ticket": TEXT, "bytes": SIZE, "verdict": TEXT, "files": list_of(record({"name": TEXT, "bytes": SIZE})),
        "masked": list_of(record({"kind": TEXT, "values": SIZE})), "left_out": TEXTS, "problems": TEXTS, "notes": TEXTS,
    }  # fmt: skip
    return document("A ticket of loganalyze", VERSION, record(members))


def watch_schema() -> Schema:
    """The schema of one line of `loganalyze watch --json`."""
    numbers = ("window", "windows", "step", "steps")
    figures = ("s_per_step", "peak_gib", "left_s", "total_s")
    run = {
        "line": COUNT,
        "status": TEXT,
        **{name: or_null(COUNT) for name in numbers},
        **{name: or_null(FIGURE) for name in figures},
    }
    texts = dict.fromkeys(("rule", "name", "message", "fix"), TEXT)
    events = (
        _event("start", {"schema_version": {"const": VERSION}, "tool": TOOL, "source": TEXT}),
        _event("restart", {}),
        _event("notice", {"message": TEXT}),
        _event("finding", {**texts, "severity": SEVERITY, "line": COUNT}),
        _event("progress", {"runs": list_of(record(run))}),
        _event("end", {"has_run": {"type": "boolean"}, "severities": list_of({"enum": list(SEVERITIES)})}),
    )
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A line of loganalyze watch",
            "oneOf": list(events)}  # fmt: skip


def _event(name: str, members: dict[str, Schema]) -> Schema:
    return record({"event": {"const": name}, "at": MOMENT, **members})
