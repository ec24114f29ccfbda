"""The findings as JUnit XML: one suite per run, one case per rule."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any, Final
from xml.etree import ElementTree as ET

import polars as pl

from loganalyzer.checks.registry import Rule, select_rules
from loganalyzer.common.formatting import one_line
from loganalyzer.settings.model import FailOn, Settings
from loganalyzer.tables import completeness
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.frames import semi_join

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped: control characters among others."""
_FAILS: Final = {"error": ("error",), "warning": ("error", "warning"), "never": ("error",)}
_ELSEWHERE: Final = ("REG002",)
_OF_A_WORKFLOW: Final = "RUN005"
_SPOKEN_FOR: Final = {"REG003": "REG001", "REG004": "REG001", "REG005": "REG001"}
"""Rules of which another says, for both, what could not be checked."""
_COUNTED: Final = {"testcase": "tests", "failure": "failures", "error": "errors", "skipped": "skipped"}
_AT_ONCE: Final = 500
"""Runs that become suites together."""
Row = Mapping[str, Any]
Places = dict[tuple[str | None, str | None, str], list[Row]]


def render(analysis: Analysis, settings: Settings, fail_on: FailOn) -> str:
    """The document; findings at or above `fail_on` are failures (errors, where it is `never`), others output.

    What could not be checked is skipped, with the reason; an input that could not be read is an error.
    """
    cases = Cases(settings, fail_on)
    suites = list(cases.suites(analysis.runs, analysis.findings, analysis.not_checked))
    return "".join(cases.document(suites, analysis))


class Cases:
    """Suites of some runs after others, what all of them add up to, and at last the document."""

    def __init__(self, settings: Settings, fail_on: FailOn) -> None:
        self._rules = [rule for rule in select_rules(settings) if _is_checked(rule, settings)]
        self._fails = _FAILS[fail_on]
        self._is_strict = settings.strict and fail_on != "never"
        self._counts: Counter[str] = Counter()
        self._of_no_run: Places = {}

    def suites(self, runs: pl.DataFrame, findings: pl.DataFrame, not_checked: pl.DataFrame) -> Iterator[str]:
        """The suites of these runs, some at a time. Findings of no run are kept for the document's last suite."""
        for key, rows in _by_place(findings.filter(pl.col("run_id").is_null())).items():
            self._of_no_run.setdefault(key, []).extend(rows)
        for some in runs.iter_slices(_AT_ONCE):
            found, skipped = (_by_place(semi_join(frame, some, ["run_id"])) for frame in (findings, not_checked))
            yield "".join(self._told(self._suite(run, found, skipped)) for run in some.iter_rows(named=True))

    def document(self, suites: Iterable[str], analysis: Analysis) -> Iterator[str]:
        """The document around these suites; `analysis` has the verdict and the problems."""
        last = ET.Element("testsuite", name="inputs")
        _inputs(last, analysis, self._rules, self._of_no_run, self._fails)
        behind = self._told(last) if len(last) else ""
        root = ET.Element("testsuites", {"name": "loganalyze", **_attributes(self._counts)})
        begun, end = ET.tostring(root, encoding="unicode", short_empty_elements=False).split("><")
        yield f'<?xml version="1.0" encoding="utf-8"?>\n{begun}>'
        yield from suites
        yield f"{behind}\n<{end}\n"

    def _suite(self, run: Row, found: Places, skipped: Places) -> ET.Element:
        place = f"{one_line(PurePath(run['source'] or '?').name)}:{run['line']}"
        suite = ET.Element("testsuite", name=clean(f"{place} ({run['run_id']})"))
        if run["total_s"] is not None:
            suite.set("time", f"{run['total_s']:.3f}")
        _properties(suite, run)
        lacking = [row for rule in completeness.REASONS for row in skipped.get((run["run_id"], None, rule), [])]
        _completeness(suite, run, place, [row for row in lacking if row["kind"] == "log"], fails=self._is_strict)
        for rule in self._rules:
            own, spoken = ((run["run_id"], None, name) for name in (rule.id, _SPOKEN_FOR.get(rule.id, rule.id)))
            _case(suite, rule, place, found.get(own, []), skipped.get(spoken, []), self._fails)
        return suite

    def _told(self, suite: ET.Element) -> str:
        """A suite with its own counts, which those of the document grow by."""
        counts = Counter(element.tag for element in suite.iter() if element.tag in _COUNTED)
        self._counts += counts
        for name, count in _attributes(counts).items():
            suite.set(name, count)
        ET.indent(suite, level=1)
        return "\n  " + ET.tostring(suite, encoding="unicode")


def _properties(suite: ET.Element, run: Row) -> None:
    """The run's verdict, and whether it is complete."""
    properties = ET.SubElement(suite, "properties")
    for name, value in (("verdict", run["verdict"]), ("complete", run["complete"])):
        if value is not None:
            ET.SubElement(properties, "property", name=name, value=clean(str(value).lower()))


def _completeness(suite: ET.Element, run: Row, place: str, lacking: list[Row], *, fails: bool) -> None:
    """A case that passes where all deciding checks could be made; else skipped, and failed under `--strict`."""
    case = ET.SubElement(suite, "testcase", classname=clean(place), name="complete")
    if run["complete"] is False:
        reasons = "; ".join(f"{row['rule']}: {row['reason']}" for row in lacking)
        ET.SubElement(case, "failure" if fails else "skipped", message=clean(reasons or "a deciding check is missing"))


def _is_checked(rule: Rule, settings: Settings) -> bool:
    """Whether an analysis of logs checks a rule: a case that passes would claim that it did."""
    if rule.id == _OF_A_WORKFLOW and settings.workflow is None:
        return False
    return rule.witness == "log" and rule.id not in _ELSEWHERE


def _by_place(frame: pl.DataFrame) -> Places:
    """Rows by run and rule; those of no run by source and rule."""
    places: Places = {}
    for row in frame.iter_rows(named=True):
        source = None if row["run_id"] is not None else row["source"]
        places.setdefault((row["run_id"], source, row["rule"]), []).append(row)
    return places


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
    suite: ET.Element, analysis: Analysis, rules: Iterable[Rule], found: Places, fails: tuple[str, ...]
) -> None:
    """Findings about files rather than runs, and inputs that gave none."""
    known = {rule.id: rule for rule in rules}
    for (_, source, name), rows in found.items():
        if name in known:
            _case(suite, known[name], one_line(PurePath(source or "?").name), rows, [], fails)
    problems = list(analysis.problems)
    if analysis.verdict == "no-runs":
        problems.append("no run was found in any input")
    for problem in problems:
        case = ET.SubElement(suite, "testcase", classname="inputs", name=clean(problem.splitlines()[0]))
        ET.SubElement(case, "error", message=clean(problem.splitlines()[0])).text = clean(problem)


def _attributes(counts: Counter[str]) -> dict[str, str]:
    """The totals that readers of the format look for."""
    return {name: str(counts[kind]) for kind, name in _COUNTED.items()}


def clean(text: str) -> str:
    """`text` without what XML cannot hold."""
    return _FORBIDDEN.sub("", text)
