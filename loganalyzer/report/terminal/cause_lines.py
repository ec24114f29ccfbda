"""Formats one block per cause with its runs and cheapest fix; with `-v`, all findings and fixes."""

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
from loganalyzer.report.ways import Way, split_fix
from loganalyzer.tables.analysis import Analysis

STYLES: Final = {"error": "bold red", "warning": "bold yellow", "info": "cyan"}
_SEVERITY_WORDS: Final = {"info": "note"}
MOST_RUNS: Final = 3
"""Most runs per cause in the short summary."""
MOST_IN_FULL: Final = 50
MOST_ROWS: Final = 2
"""Most rows per message in the short summary."""
_BLANK: Final = Line()


def cause_lines(analysis: Analysis, causes: Sequence[Cause], places: Places, *, verbose: bool) -> Iterator[Line]:
    """Yields the causes, the most severe first; notes only with `verbose`."""
    for cause in causes:
        if cause.severity == "info" and not verbose:
            continue
        yield _BLANK
        yield _heading(cause, _count(analysis, cause))
        yield from _full_lines(cause, places) if verbose else _short_lines(cause, places)
        shown = MOST_IN_FULL if verbose else MOST_RUNS
        more = max(cause.first.height - shown, 0) + _dropped_findings(analysis, cause)
        if more:
            yield left_out_line(f"{more:,} more in the report")


def _heading(cause: Cause, count: str) -> Line:
    severity = _SEVERITY_WORDS.get(cause.severity, cause.severity)
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
    """Returns the number of runs with the cause, or of findings if the analysis has only a part of them."""
    dropped = _dropped_findings(analysis, cause)
    if dropped or not cause.runs or cause.first["run_id"].null_count():
        return plural(cause.first.height + dropped, "finding")
    return plural(len(cause.runs), "run")


def _dropped_findings(analysis: Analysis, cause: Cause) -> int:
    """Counts findings of the leading rule that are in the totals but no longer in the analysis."""
    rule = cause.rule or None
    kept = analysis.findings.filter(pl.col("rule").eq_missing(pl.lit(rule, pl.String))).height
    return max(analysis.totals.rule(rule) - kept, 0)


def _short_lines(cause: Cause, places: Places) -> Iterator[Line]:
    """Yields the first runs, each with its first way to fix it; a shared fix comes once."""
    rows = list(cause.first.head(MOST_RUNS).iter_rows(named=True))
    shared = len({row["fix"] for row in rows}) == 1
    others = 0
    for number, row in enumerate(rows, 1):
        yield _finding_line(row, places, most=MOST_ROWS)
        if shared and number < len(rows):
            continue
        first, *rest = split_fix(row["fix"])
        others = len(rest)
        yield from _fix_lines(first)
    if others:
        yield Line(((f"{plural(others, 'other way')} to fix it: -v, or the report", "dim"),), indent=4)


def _full_lines(cause: Cause, places: Places) -> Iterator[Line]:
    """Yields every finding with all ways to fix it, those of the leading rule first."""
    for row in cause.first.head(MOST_IN_FULL).iter_rows(named=True):
        yield _finding_line(row, places)
        yield from _all_fix_lines(row)
    for row in cause.findings.head(MOST_IN_FULL * len(cause.rules)).iter_rows(named=True):
        if (row["rule"] or "") != cause.rule:
            yield _finding_line(row, places, rule=True)
            yield from _all_fix_lines(row)


def _all_fix_lines(row: dict[str, Any]) -> Iterator[Line]:
    for number, way in enumerate(split_fix(row["fix"])):
        yield from _fix_lines(way, "" if number else "fix")


def _finding_line(row: dict[str, Any], places: Places, *, most: int = 0, rule: bool = False) -> Line:
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


def _fix_lines(way: Way, title: str = "fix") -> Iterator[Line]:
    text = f"{way.text}:" if way.commands else way.text
    yield Line(((f"{title:5}", "dim"), (printable(text), "")), indent=4, hang=5)
    for command in way.commands:
        yield Line(((printable(command), "cyan"),), indent=9, keeps_one_row=True)
