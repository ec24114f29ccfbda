"""Writes the findings as JUnit XML: one suite per run, one case per rule."""

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
"""Characters that XML 1.0 forbids even as escapes, such as control characters."""
_FAILING_SEVERITIES: Final = {"error": ("error",), "warning": ("error", "warning"), "never": ("error",)}
_CHECKED_BY_COMPARE: Final = ("REG002",)
_WORKFLOW_RULE: Final = "RUN005"
_SKIPPED_AS: Final = {"REG003": "REG001", "REG004": "REG001", "REG005": "REG001"}
"""Rules without their own entries in `not_checked`: the entries of the rule given here apply to them too."""
_COUNTED_TAGS: Final = {"testcase": "tests", "failure": "failures", "error": "errors", "skipped": "skipped"}
_RUNS_PER_CHUNK: Final = 500
"""Runs converted to suites at a time."""
Row = Mapping[str, Any]
Places = dict[tuple[str | None, str | None, str], list[Row]]


def render_junit(analysis: Analysis, settings: Settings, fail_on: FailOn) -> str:
    """The document. Findings at or above `fail_on` are failures (errors if it is `never`), others are output.

    Skipped checks are skipped cases with their reason. Inputs that could not be read are errors.
    """
    cases = Cases(settings, fail_on)
    suites = list(cases.suites(analysis.runs, analysis.findings, analysis.not_checked))
    return "".join(cases.document(suites, analysis))


class Cases:
    """Builds suites for groups of runs, adds up their counts, and writes the document at the end."""

    def __init__(self, settings: Settings, fail_on: FailOn) -> None:
        self._rules = [rule for rule in select_rules(settings) if _is_checked(rule, settings)]
        self._fails = _FAILING_SEVERITIES[fail_on]
        self._is_strict = settings.strict and fail_on != "never"
        self._counts: Counter[str] = Counter()
        self._of_no_run: Places = {}

    def suites(self, runs: pl.DataFrame, findings: pl.DataFrame, not_checked: pl.DataFrame) -> Iterator[str]:
        """The suites of these runs, in chunks. Findings without a run are kept for the last suite of the document."""
        for key, rows in _group_by_place(findings.filter(pl.col("run_id").is_null())).items():
            self._of_no_run.setdefault(key, []).extend(rows)
        for some in runs.iter_slices(_RUNS_PER_CHUNK):
            found, skipped = (_group_by_place(semi_join(frame, some, ["run_id"])) for frame in (findings, not_checked))
            yield "".join(self._finish(self._suite(run, found, skipped)) for run in some.iter_rows(named=True))

    def document(self, suites: Iterable[str], analysis: Analysis) -> Iterator[str]:
        """The document with these suites. `analysis` has the verdict and the problems."""
        last = ET.Element("testsuite", name="inputs")
        _add_input_cases(last, analysis, self._rules, self._of_no_run, self._fails)
        last_text = self._finish(last) if len(last) else ""
        root = ET.Element("testsuites", {"name": "loganalyze", **_total_attributes(self._counts)})
        start, end = ET.tostring(root, encoding="unicode", short_empty_elements=False).split("><")
        yield f'<?xml version="1.0" encoding="utf-8"?>\n{start}>'
        yield from suites
        yield f"{last_text}\n<{end}\n"

    def _suite(self, run: Row, found: Places, skipped: Places) -> ET.Element:
        place = f"{one_line(PurePath(run['source'] or '?').name)}:{run['line']}"
        suite = ET.Element("testsuite", name=remove_forbidden(f"{place} ({run['run_id']})"))
        if run["total_s"] is not None:
            suite.set("time", f"{run['total_s']:.3f}")
        _add_properties(suite, run)
        unchecked = [row for rule in completeness.REASONS for row in skipped.get((run["run_id"], None, rule), [])]
        _add_completeness_case(
            suite, run, place, [row for row in unchecked if row["kind"] == "log"], fails=self._is_strict
        )
        for rule in self._rules:
            own, skipped_as = ((run["run_id"], None, name) for name in (rule.id, _SKIPPED_AS.get(rule.id, rule.id)))
            _add_case(suite, rule, place, found.get(own, []), skipped.get(skipped_as, []), self._fails)
        return suite

    def _finish(self, suite: ET.Element) -> str:
        """The text of a suite with its counts. Adds the counts to those of the document."""
        counts = Counter(element.tag for element in suite.iter() if element.tag in _COUNTED_TAGS)
        self._counts += counts
        for name, count in _total_attributes(counts).items():
            suite.set(name, count)
        ET.indent(suite, level=1)
        return "\n  " + ET.tostring(suite, encoding="unicode")


def _add_properties(suite: ET.Element, run: Row) -> None:
    """Adds the run's verdict, and whether it is complete."""
    properties = ET.SubElement(suite, "properties")
    for name, value in (("verdict", run["verdict"]), ("complete", run["complete"])):
        if value is not None:
            ET.SubElement(properties, "property", name=name, value=remove_forbidden(str(value).lower()))


def _add_completeness_case(suite: ET.Element, run: Row, place: str, unchecked: list[Row], *, fails: bool) -> None:
    """Adds a case that passes if all required checks ran. Otherwise it is skipped, or fails under `--strict`."""
    case = ET.SubElement(suite, "testcase", classname=remove_forbidden(place), name="complete")
    if run["complete"] is False:
        reasons = "; ".join(f"{row['rule']}: {row['reason']}" for row in unchecked)
        ET.SubElement(
            case, "failure" if fails else "skipped", message=remove_forbidden(reasons or "a required check was skipped")
        )


def _is_checked(rule: Rule, settings: Settings) -> bool:
    """Whether an analysis of logs checks a rule. Rules that it does not check get no case, as a pass would be wrong."""
    if rule.id == _WORKFLOW_RULE and settings.workflow is None:
        return False
    return rule.witness == "log" and rule.id not in _CHECKED_BY_COMPARE


def _group_by_place(frame: pl.DataFrame) -> Places:
    """The rows by run and rule; rows without a run by source and rule."""
    places: Places = {}
    for row in frame.iter_rows(named=True):
        source = None if row["run_id"] is not None else row["source"]
        places.setdefault((row["run_id"], source, row["rule"]), []).append(row)
    return places


def _add_case(
    suite: ET.Element, rule: Rule, place: str, found: list[Row], skipped: list[Row], fails: tuple[str, ...]
) -> None:
    case = ET.SubElement(suite, "testcase", classname=remove_forbidden(place), name=f"{rule.id} {rule.name}")
    failed = [row for row in found if row["severity"] in fails]
    if failed:
        failure = ET.SubElement(
            case, "failure", type=failed[0]["severity"], message=remove_forbidden(failed[0]["message"] or "")
        )
        failure.text = remove_forbidden("\n\n".join(_finding_text(row) for row in failed))
    elif not found and skipped:
        ET.SubElement(case, "skipped", message=remove_forbidden("; ".join(row["reason"] or "?" for row in skipped)))
    others = [row for row in found if row["severity"] not in fails]
    if others:
        ET.SubElement(case, "system-out").text = remove_forbidden("\n\n".join(_finding_text(row) for row in others))


def _finding_text(row: Row) -> str:
    return (
        f"{row['severity']}: {row['message']}\nobserved: {row['observed']}\nexpected: {row['expected']}\n"
        f"fix: {row['fix']}\nat: {one_line(row['source'] or '?')}:{row['line']}"
    )


def _add_input_cases(
    suite: ET.Element, analysis: Analysis, rules: Iterable[Rule], found: Places, fails: tuple[str, ...]
) -> None:
    """Adds cases for findings about files, for unreadable inputs, and for inputs without runs."""
    known = {rule.id: rule for rule in rules}
    for (_, source, name), rows in found.items():
        if name in known:
            _add_case(suite, known[name], one_line(PurePath(source or "?").name), rows, [], fails)
    problems = list(analysis.problems)
    if analysis.verdict == "no-runs":
        problems.append("no runs found in any input")
    for problem in problems:
        case = ET.SubElement(suite, "testcase", classname="inputs", name=remove_forbidden(problem.splitlines()[0]))
        ET.SubElement(case, "error", message=remove_forbidden(problem.splitlines()[0])).text = remove_forbidden(problem)


def _total_attributes(counts: Counter[str]) -> dict[str, str]:
    """The total counts as XML attributes."""
    return {name: str(counts[kind]) for kind, name in _COUNTED_TAGS.items()}


def remove_forbidden(text: str) -> str:
    """`text` without the characters that XML forbids."""
    return _FORBIDDEN.sub("", text)
