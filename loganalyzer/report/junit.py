"""The findings as JUnit XML: one suite per run, one case per rule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, Final
from xml.etree import ElementTree as ET

from loganalyzer.analysis import Analysis
from loganalyzer.checks.registry import Rule, chosen
from loganalyzer.settings import FailOn, Settings
from loganalyzer.units import one_line

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped: control characters among others."""
_FAILS: Final = {"error": ("error",), "warning": ("error", "warning"), "never": ("error",)}
_ELSEWHERE: Final = ("REG002",)
"""Rules that an analysis of logs does not check: a case that passes would claim that it did."""
Row = Mapping[str, Any]


def render(analysis: Analysis, settings: Settings, fail_on: FailOn) -> str:
    """The document; findings at or above `fail_on` are failures (errors, where it is `never`), others output.

    What could not be checked is skipped, with the reason; an input that could not be read is an error.
    """
    rules = [rule for rule in chosen(settings) if rule.id not in _ELSEWHERE]
    fails = _FAILS[fail_on]
    found, skipped = (_by_place(frame.iter_rows(named=True)) for frame in (analysis.findings, analysis.not_checked))
    root = ET.Element("testsuites", name="loganalyze")
    for run in analysis.runs.iter_rows(named=True):
        place = f"{one_line(PurePath(run['source'] or '?').name)}:{run['line']}"
        suite = _suite(root, f"{place} ({run['run_id']})", run["total_s"])
        for rule in rules:
            key = (run["run_id"], None, rule.id)
            _case(suite, rule, place, found.get(key, []), skipped.get(key, []), fails)
    _inputs(root, analysis, rules, found, fails)
    _count(root)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _by_place(rows: Iterable[Row]) -> dict[tuple[str | None, str | None, str], list[Row]]:
    """Rows by run and rule; those of no run by source and rule."""
    places: dict[tuple[str | None, str | None, str], list[Row]] = {}
    for row in rows:
        source = None if row["run_id"] is not None else row["source"]
        places.setdefault((row["run_id"], source, row["rule"]), []).append(row)
    return places


def _suite(root: ET.Element, name: str, seconds: float | None = None) -> ET.Element:
    suite = ET.SubElement(root, "testsuite", name=clean(name))
    if seconds is not None:
        suite.set("time", f"{seconds:.3f}")
    return suite


def _case(
    suite: ET.Element, rule: Rule, place: str, found: list[Row], skipped: list[Row], fails: tuple[str, ...]
) -> None:
    case = ET.SubElement(suite, "testcase", classname=clean(place), name=f"{rule.id} {rule.name}")
    grave = [row for row in found if row["severity"] in fails]
    if grave:
        failure = ET.SubElement(case, "failure", type=grave[0]["severity"], message=clean(grave[0]["message"] or ""))
        failure.text = clean("\n\n".join(_told(row) for row in grave))
    elif not found and skipped:
        ET.SubElement(case, "skipped", message=clean("; ".join(row["reason"] or "?" for row in skipped)))
    light = [row for row in found if row["severity"] not in fails]
    if light:
        ET.SubElement(case, "system-out").text = clean("\n\n".join(_told(row) for row in light))


def _told(row: Row) -> str:
    return (
        f"{row['severity']}: {row['message']}\nmeasured: {row['observed']}\nexpected: {row['expected']}\n"
        f"fix: {row['fix']}\nat: {one_line(row['source'] or '?')}:{row['line']}"
    )


def _inputs(
    root: ET.Element,
    analysis: Analysis,
    rules: Iterable[Rule],
    found: Mapping[tuple[str | None, str | None, str], list[Row]],
    fails: tuple[str, ...],
) -> None:
    """Findings about files rather than runs, and inputs that gave none."""
    suite = _suite(root, "inputs")
    known = {rule.id: rule for rule in rules}
    for (run, source, name), rows in found.items():
        if run is None and name in known:
            _case(suite, known[name], one_line(PurePath(source or "?").name), rows, [], fails)
    problems = list(analysis.problems)
    if analysis.verdict == "no-runs":
        problems.append("no run was found in any input")
    for problem in problems:
        case = ET.SubElement(suite, "testcase", classname="inputs", name=clean(problem.splitlines()[0]))
        ET.SubElement(case, "error", message=clean(problem.splitlines()[0])).text = clean(problem)
    if not len(suite):
        root.remove(suite)


def _count(root: ET.Element) -> None:
    """The totals that readers of the format look for."""
    for element in (*root, root):
        counts = {kind: len(list(element.iter(kind))) for kind in ("testcase", "failure", "error", "skipped")}
        names = {"testcase": "tests", "failure": "failures", "error": "errors", "skipped": "skipped"}
        for kind, count in counts.items():
            element.set(names[kind], str(count))


def clean(text: str) -> str:
    """`text` without what XML cannot hold."""
    return _FORBIDDEN.sub("", text)
