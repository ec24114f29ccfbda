"""Corrects a copy of a workflow: changes only the faulty values."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from loganalyzer.common.errors import WorkflowError
from loganalyzer.common.formatting import one_line
from loganalyzer.lint.checker import Checked, Finding
from loganalyzer.lint.model import Way
from loganalyzer.workflow.graph import Pointer
from loganalyzer.workflow.requested import locate
from loganalyzer.workflow.spans import find_span, replace_values

Preference = Literal["shorter", "longer"]
Choose = Callable[[Finding], Way]
"""Called if there are several ways to fix a finding; returns one of the finding's `ways`."""


@dataclass(frozen=True)
class Change:
    """One value to change."""

    finding: Finding
    at: Pointer
    before: object
    way: Way

    @property
    def says(self) -> str:
        """Describes the change in one line."""
        place = self.finding.fault.place
        return (
            f"{self.finding.rule.id} {locate(place)}: "
            f"{_format_value(self.before)} → {_format_value(self.way.value)} ({self.way.says})"
        )


@dataclass(frozen=True)
class Fixed:
    """A corrected text, its changes, and the findings that no value fixes."""

    text: str
    changes: tuple[Change, ...]
    left: tuple[Finding, ...]


def _format_value(value: object) -> str:
    return one_line(json.dumps(value, ensure_ascii=False))


def choose_by(preference: Preference) -> Choose:
    """Returns a function that always chooses the shorter or the longer way, or the only one."""

    def choose(finding: Finding) -> Way:
        return next((way for way in finding.fault.ways if way.name == preference), finding.fault.ways[0])

    return choose


def apply_fixes(checked: Checked, choose: Choose) -> Fixed:
    """Returns the workflow with the faults fixed that a value can fix. The most severe fault of an input decides.

    Raises:
        WorkflowError: a value is not where it was read, which is a bug in this program.
    """
    text = checked.workflow.graph.file.text
    changes: dict[Pointer, Change] = {}
    left = []
    for finding in checked.findings:
        place, ways = finding.fault.place, finding.fault.ways
        if not ways or place.at is None:
            left.append(finding)
        elif place.at not in changes:
            way = ways[0] if len(ways) == 1 and not ways[0].name else choose(finding)
            start, end = find_span(text, place.at)
            changes[place.at] = Change(finding, place.at, json.loads(text[start:end]), way)
    return Fixed(
        replace_values(text, {change.at: change.way.value for change in changes.values()}),
        tuple(changes.values()),
        tuple(left),
    )


def diff_lines(before: str, after: str, name: str, target: str) -> Iterator[str]:
    """Yields a unified diff with shortened lines, because a workflow may be a single line."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, target, n=1, lineterm="")
    for line in lines:
        yield one_line(line) if len(line) <= _LONGEST else one_line(line[:_LONGEST]) + " …"


_LONGEST = 200


def undecided_error(finding: Finding) -> WorkflowError:
    """Returns the error for a finding with several fixes and nobody to choose one."""
    ways = " or ".join(f"{way.name} ({way.value}: {way.says})" for way in finding.fault.ways)
    return WorkflowError(
        f"{finding.rule.id}: {finding.fault.message}",
        f"choose a fix with --prefer shorter|longer, or pass the audio with --audio: {ways}",
    )
