"""Builds the JSON documents of `loganalyze rules` and `loganalyze patterns list`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from loganalyzer.checks.registry import Rule
from loganalyzer.grammar.model import Pattern

SCHEMA_VERSION: Final = 1


def rules_document(rules: Iterable[Rule]) -> str:
    """`schema_version` and `rules`: what `loganalyze rules ID` shows of each."""
    return _to_text({"rules": [_rule_members(rule) for rule in rules]})


def _rule_members(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "severity": rule.severity,
        "strict": rule.strict,
        "shown_by": rule.witness,
        "summary": rule.summary,
        "why": rule.why,
        "example": rule.example,
        "fix": rule.fix,
        "package": rule.package,
    }


def patterns_document(patterns: Iterable[Pattern]) -> str:
    """`schema_version` and `patterns`: the keys of the pattern files, with samples and near misses."""
    return _to_text({"patterns": [_pattern_members(pattern) for pattern in patterns]})


def _pattern_members(pattern: Pattern) -> dict[str, Any]:
    return {
        "id": pattern.id,
        "event": pattern.event,
        "file": pattern.file,
        "project": pattern.project,
        "title": pattern.title,
        "why": pattern.why,
        "stream": pattern.stream,
        "when": pattern.when,
        "since": _day(pattern.since),
        "until": _day(pattern.until),
        "template": pattern.notation,
        "samples": [{"line": sample.line, "values": dict(sample.values)} for sample in pattern.samples],
        "near": list(pattern.near),
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _to_text(members: dict[str, Any]) -> str:
    document = {"schema_version": SCHEMA_VERSION, **members}
    return json.dumps(document, ensure_ascii=False, indent=1, default=str) + "\n"
