"""One block for each cause: its runs, and the cheapest fix; everything with `-v`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import polars as pl

from loganalyzer.checks.causes import Cause
from loganalyzer.common.formatting import plural, printable
from loganalyzer.report import words
from loganalyzer.report.facts import Places
from loganalyzer.report.terminal.layout import Line
from loganalyzer.report.terminal.run_grid import left_out_line
from loganalyzer.tables.analysis import Analysis

STYLES: Final = {"error": "bold red", "warning": "bold yellow", "info": "cyan"}
_WORDS: Final = {"info": "note"}
MOST_RUNS: Final = 3
"""Runs of a cause that the short summary names."""
MOST_IN_FULL: Final = 50
MOST_ROWS: Final = 2
"""Rows that a message takes in the short summary."""
_BLANK: Final = Line()


def cause_lines(analysis: Analysis, causes: Sequence[Cause], places: Places, *, verbose: bool) -> Iterator[Line]:
    """The causes, the most severe first; notes only where everything is asked for."""
    for cause in causes:
        if cause.severity == "info" and not verbose:
            continue
        yield _BLANK
        yield _heading(cause, _count(analysis, cause))
        yield from _in_full(cause, places) if verbose else _in_short(cause, places)
        shown = MOST_IN_FULL if verbose else MOST_RUNS
        more = max(cause.first.height - shown, 0) + _unheld(analysis, cause)
        if more:
            yield left_out_line(f"{more:,} more in the report")


def fixes(text: str | None) -> list[str]:
    """The lines of a fix: ways out, the cheapest first, with their commands indented."""
    return [printable(line) for line in (text or words.DASH).split("\n")]


def _heading(cause: Cause, count: str) -> Line:
    severity = _WORDS.get(cause.severity, cause.severity)
    return Line(
        (
            (printable(severity), STYLES.get(cause.severity, "")),
            (printable(f"  {cause.title}"), "bold"),
            (printable(f"  {count}"), ""),
            (printable(f"  {' '.join(rule or words.DASH for rule in cause.rules)}"), "dim"),
        ),
        hang=2,
    )


def _count(analysis: Analysis, cause: Cause) -> str:
    """How many runs have the cause; of an analysis in part how many findings there are."""
    unheld = _unheld(analysis, cause)
    if unheld or not cause.runs or cause.first["run_id"].null_count():
        return plural(cause.first.height + unheld, "finding")
    return plural(len(cause.runs), "run")


def _unheld(analysis: Analysis, cause: Cause) -> int:
    """Findings of the leading rule that are counted, and no longer held."""
    rule = cause.rule or None
    held = analysis.findings.filter(pl.col("rule").eq_missing(pl.lit(rule, pl.String))).height
    return max(analysis.totals.rule(rule) - held, 0)


def _in_short(cause: Cause, places: Places) -> Iterator[Line]:
    """The first runs, each with its first way out; a fix that they share once."""
    rows = list(cause.first.head(MOST_RUNS).iter_rows(named=True))
    shared = len({row["fix"] for row in rows}) == 1
    others = 0
    for number, row in enumerate(rows, 1):
        yield _found(row, places, most=MOST_ROWS)
        if shared and number < len(rows):
            continue
        first, *rest = _ways(row["fix"])
        others = len(rest)
        yield from _fix(first)
    if others:
        yield Line(((f"{plural(others, 'other way')} to fix it: -v, or the report", "dim"),), indent=4)


def _in_full(cause: Cause, places: Places) -> Iterator[Line]:
    """Every finding, those that lead first, with all ways out."""
    for row in cause.first.head(MOST_IN_FULL).iter_rows(named=True):
        yield _found(row, places)
        yield from _all_ways(row)
    for row in cause.findings.head(MOST_IN_FULL * len(cause.rules)).iter_rows(named=True):
        if (row["rule"] or "") != cause.rule:
            yield _found(row, places, rule=True)
            yield from _all_ways(row)


def _all_ways(row: dict[str, Any]) -> Iterator[Line]:
    for number, way in enumerate(_ways(row["fix"])):
        yield from _fix(way, "" if number else "fix")


def _found(row: dict[str, Any], places: Places, *, most: int = 0, rule: bool = False) -> Line:
    name = f"{words.or_dash(row['rule'])}  " if rule else ""
    return Line(
        (
            (printable(name), "dim"),
            (places(row["source"], row["line"]), "bold"),
            (f"  {printable(words.or_dash(row['message']))}", ""),
        ),
        indent=2,
        hang=2,
        most=most,
    )


def _ways(fix: str | None) -> list[list[str]]:
    """The ways out of a fix, each as its lines: the way, and the commands that belong to it."""
    ways: list[list[str]] = []
    for line in fixes(fix):
        if ways and line.startswith(" "):
            ways[-1].append(line.strip().strip("`"))
        else:
            ways.append([line])
    return ways


def _fix(way: Sequence[str], title: str = "fix") -> Iterator[Line]:
    said, *commands = way
    yield Line(((f"{title:5}", "dim"), (said, "")), indent=4, hang=5)
    for command in commands:
        yield Line(((command, "cyan"),), indent=9, is_whole=True)
