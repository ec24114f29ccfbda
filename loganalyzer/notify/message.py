"""The text of a notice: verdict, counts, the first findings with their fixes, and where the report is."""

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
"""Characters of one line: with three findings the text stays below the 2000 characters that Discord takes."""
Level = Literal["success", "warning", "failure"]
LEVELS: Final[dict[str, Level]] = {"pass": "success", "warn": "warning", "fail": "failure", "no-runs": "failure"}
_WORDS: Final = {"pass": "PASS", "warn": "WARN", "fail": "FAIL", "no-runs": "NO RUN FOUND"}
_QUIET: Final = str.maketrans({"<": "‹", ">": "›", "@": "@\u200b"})
"""Logs are untrusted: `<!channel>` and `@everyone` in one must not call a whole team."""


@dataclass(frozen=True)
class Notice:
    """What is sent."""

    title: str
    body: str
    level: Level


@dataclass(frozen=True)
class Problem:
    """A finding as a notice shows it; `place` is the file and line."""

    rule: str
    place: str
    message: str
    fix: str


def of_analysis(analysis: Analysis, report: str | None, before: str | None) -> Notice:
    """The notice about an analysis; `report` is the path of its report, `before` the verdict of the last call."""
    counts = {name: analysis.totals.severity(name) for name in ("error", "warning")}
    said = [plural(number, name) for name, number in counts.items() if number]
    if analysis.problems:
        said.append(f"{plural(len(analysis.problems), 'input')} not read")
    where = f"{plural(analysis.totals.runs, 'run')} in {plural(analysis.totals.inputs, 'file')}"
    first = f"{where}: {', '.join(said) or 'no problems found'}"
    last = [f"Report: {masking.abbreviate_home(report)}"] if report else []
    title = f"loganalyze: {verdict_words(analysis.verdict)}"
    title += f" (before: {verdict_words(before)})" if before else ""
    return notice(title, [first, *_lines(_worst(analysis)), *last], LEVELS[analysis.verdict])


def notice(title: str, lines: Iterable[str], level: Level) -> Notice:
    """A notice of these lines, each on one line, bounded, with secrets masked and without mentions."""
    mask = masking.create_masker(()).mask
    return Notice(title, "\n".join(_shortened(mask(one_line(line))).translate(_QUIET) for line in lines), level)


def verdict_words(verdict: str) -> str:
    """`PASS` for `pass`, and so on."""
    return _WORDS.get(verdict, one_line(verdict))


def problem_lines(problem: Problem) -> tuple[str, str]:
    """A finding and its fix."""
    return f"{problem.rule} {problem.place}: {problem.message}", f"Fix: {flowing(problem.fix)}"


def _lines(problems: Iterable[Problem]) -> Iterator[str]:
    for problem in problems:
        yield from problem_lines(problem)


def _worst(analysis: Analysis) -> Iterator[Problem]:
    """The first errors; warnings where there is no error."""
    for severity in ("error", "warning"):
        found = analysis.findings.filter(pl.col("severity") == severity).head(MOST_FINDINGS)
        for rule, source, line, message, fix in found.select("rule", "source", "line", "message", "fix").rows():
            place = PurePath(source or "–").name + ("" if line is None else f":{line}")
            yield Problem(str(rule), place, str(message), str(fix))
        if not found.is_empty():
            return


def _shortened(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"
