"""A corrected copy of a workflow: only the values at fault are changed."""

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
"""Asked where there are several ways out; returns one of the finding's own."""


@dataclass(frozen=True)
class Change:
    """One value to be changed."""

    finding: Finding
    at: Pointer
    before: object
    way: Way

    @property
    def says(self) -> str:
        """One line for people."""
        place = self.finding.fault.place
        return (
            f"{self.finding.rule.id} {locate(place)}: "
            f"{_shown(self.before)} → {_shown(self.way.value)} ({self.way.says})"
        )


@dataclass(frozen=True)
class Fixed:
    """A corrected text, what was changed in it, and the findings that no value mends."""

    text: str
    changes: tuple[Change, ...]
    left: tuple[Finding, ...]


def _shown(value: object) -> str:
    return one_line(json.dumps(value, ensure_ascii=False))


def preferred(preference: Preference) -> Choose:
    """Always the shorter, or the longer way; where there is but one, that."""

    def choose(finding: Finding) -> Way:
        return next((way for way in finding.fault.ways if way.name == preference), finding.fault.ways[0])

    return choose


def fixed(checked: Checked, choose: Choose) -> Fixed:
    """The workflow with its faults mended, as far as values can. Of several faults in one place the gravest decides.

    Raises:
        WorkflowError: a value is not where it was read; that is a fault of this program.
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


def difference(before: str, after: str, name: str, target: str) -> Iterator[str]:
    """A unified diff, cut to what a person can read: a workflow may stand on one line."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, target, n=1, lineterm="")
    for line in lines:
        yield one_line(line) if len(line) <= _LONGEST else one_line(line[:_LONGEST]) + " …"


_LONGEST = 200


def undecided(finding: Finding) -> WorkflowError:
    """Several ways out, and nobody to choose."""
    ways = " or ".join(f"{way.name} ({way.value}: {way.says})" for way in finding.fault.ways)
    return WorkflowError(
        f"{finding.rule.id}: {finding.fault.message}",
        f"say which way out with --prefer shorter|longer, or the audio's length with --audio: {ways}",
    )
