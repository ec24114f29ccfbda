"""Writes the text of a notice: verdict, counts, the first findings with their fixes, and the path of the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from loganalyzer.common.formatting import flowing, one_line, plural
from loganalyzer.redact import masking

if TYPE_CHECKING:
    from loganalyzer.tables.analysis import Analysis

MOST_FINDINGS: Final = 3
LONGEST_LINE: Final = 400
"""Maximum characters of a line. With three findings, the text stays below Discord's limit of 2000 characters."""
Level = Literal["success", "warning", "failure"]
LEVELS: Final[dict[str, Level]] = {"pass": "success", "warn": "warning", "fail": "failure", "no-runs": "failure"}
_VERDICT_WORDS: Final = {"pass": "PASS", "warn": "WARN", "fail": "FAIL", "no-runs": "NO RUNS FOUND"}
_NO_MENTIONS: Final = str.maketrans({"<": "‹", ">": "›", "@": "@\u200b"})
"""Disables mentions: logs are untrusted, and `<!channel>` or `@everyone` in a log must not notify a team."""


@dataclass(frozen=True)
class Notice:
    """A notice to send."""

    title: str
    body: str
    level: Level


@dataclass(frozen=True)
class NoticeFinding:
    """A finding in a notice; `place` is the file and line."""

    rule: str
    place: str
    message: str
    fix: str


def analysis_notice(analysis: Analysis, report: str | None, before: str | None) -> Notice:
    """The notice about an analysis; `report` is the path of its report, `before` the previous verdict."""
    counts = {name: analysis.totals.severity(name) for name in ("error", "warning")}
    problems = [plural(number, name) for name, number in counts.items() if number]
    if analysis.problems:
        problems.append(f"{plural(len(analysis.problems), 'input')} not read")
    where = f"{plural(analysis.totals.runs, 'run')} in {plural(analysis.totals.inputs, 'file')}"
    first = f"{where}: {', '.join(problems) or 'no problems found'}"
    last = [f"Report: {masking.abbreviate_home(report)}"] if report else []
    title = f"loganalyze: {verdict_words(analysis.verdict)}"
    title += f" (before: {verdict_words(before)})" if before else ""
    return make_notice(title, [first, *_finding_lines(_worst_findings(analysis)), *last], LEVELS[analysis.verdict])


def make_notice(title: str, lines: Iterable[str], level: Level) -> Notice:
    """A notice with these lines: limited in length, with secrets masked and mentions disabled."""
    mask = masking.create_masker(()).mask
    return Notice(title, "\n".join(_shorten(mask(one_line(line))).translate(_NO_MENTIONS) for line in lines), level)


def verdict_words(verdict: str) -> str:
    """The verdict for display, for example `PASS` for `pass`."""
    return _VERDICT_WORDS.get(verdict, one_line(verdict))


def finding_lines(problem: NoticeFinding) -> tuple[str, str]:
    """The two lines of a finding: message and fix."""
    return f"{problem.rule} {problem.place}: {problem.message}", f"Fix: {flowing(problem.fix)}"


def _finding_lines(problems: Iterable[NoticeFinding]) -> Iterator[str]:
    for problem in problems:
        yield from finding_lines(problem)


def _worst_findings(analysis: Analysis) -> Iterator[NoticeFinding]:
    """The first errors; the first warnings if there are no errors."""
    for severity in ("error", "warning"):
        found = analysis.findings.filter(pl.col("severity") == severity).head(MOST_FINDINGS)
        for rule, source, line, message, fix in found.select("rule", "source", "line", "message", "fix").rows():
            place = PurePath(source or "–").name + ("" if line is None else f":{line}")
            yield NoticeFinding(str(rule), place, str(message), str(fix))
        if not found.is_empty():
            return


def _shorten(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"
