"""Writes the terminal summary: one row per run, one block per cause, the verdict, and the next action."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import IO, Final

import polars as pl

from loganalyzer.checks.causes import Cause, group_by_cause
from loganalyzer.common.formatting import plural, printable
from loganalyzer.common.severity import SEVERE
from loganalyzer.report.facts import Places
from loganalyzer.report.other_models import other_stages
from loganalyzer.report.terminal.cause_lines import cause_lines
from loganalyzer.report.terminal.layout import Block, Column, Grid, Line, Words, file_width, plain
from loganalyzer.report.terminal.run_grid import MOST_RUNS, left_out_line, run_grid
from loganalyzer.report.ways import split_fix
from loganalyzer.tables.analysis import Analysis

_VERDICTS: Final = {
    "pass": ("PASS", "bold green"),
    "warn": ("WARN", "bold yellow"),
    "fail": ("FAIL", "bold red"),
    "no-runs": ("NO RUN FOUND", "bold red"),
}
_KINDS: Final = {
    "log": "not checked: not in the log",
    "configuration": "not checked: not configured",
    "not-applicable": "not applicable",
}
"""Headings of the kinds of reasons in the long summary."""
_TERMINAL_VARIABLES: Final = ("FORCE_COLOR", "TTY_COMPATIBLE")
"""Environment variables that make a file or a pipe count as a terminal."""
_BLANK: Final = Line()


def write(analysis: Analysis, file: IO[str], *, verbose: bool = False) -> None:
    """Writes the summary; `verbose` adds all findings, notes, what was not checked and why, and line counts.

    A file is written without the terminal library, unless a text has characters that only this library can measure:
    its import takes longer than analyzing many a log.
    """
    blocks = list(summary(analysis, verbose=verbose))
    text = None if file.isatty() or any(map(os.environ.get, _TERMINAL_VARIABLES)) else plain(blocks, file_width())
    if text is not None:
        file.write(text)
        file.flush()
        return
    from loganalyzer.report.terminal import rendering

    rendering.draw(blocks, rendering.console(file))


def summary(analysis: Analysis, *, verbose: bool) -> Iterator[Block]:
    """Yields the lines and grids of the summary; the last two lines are the verdict and the next action."""
    found = group_by_cause(analysis.findings)
    places = Places([*analysis.sources["source"].drop_nulls(), *analysis.runs["source"].drop_nulls()])
    if not analysis.runs.is_empty():
        yield from run_grid(analysis, places)
    yield from cause_lines(analysis, found, places, verbose=verbose)
    yield from _not_checked_lines(analysis) if verbose else _not_checked_line(analysis)
    if verbose and not analysis.sources.is_empty():
        yield _BLANK
        yield from _coverage_grid(analysis, places)
        yield Line((("unknown lines are normal: other nodes print them; near misses are not (LOG001)", "dim"),))
    if not analysis.runs.is_empty() or found:
        yield _BLANK
    yield _verdict_line(analysis)
    yield Line((("next: ", "dim"), (printable(_next_action(analysis, found, places)), "")), most=1)


def _verdict_line(analysis: Analysis) -> Line:
    counts = {name: analysis.totals.severity(name) for name in SEVERE}
    found = [plural(number, name) for name, number in counts.items() if number]
    where = f"{plural(analysis.totals.runs, 'run')} in {plural(analysis.totals.inputs, 'file')}"
    rest = "no problems found" if analysis.verdict == "pass" else ", ".join(found)
    if analysis.verdict == "no-runs":
        others = other_stages(analysis)
        rest = f"{others}; only WanVideo runs are checked" if others else "no WanVideo sampling in the log"
    elif analysis.verdict != "fail" and not analysis.complete:
        rest = "; ".join([*found, *analysis.totals.gaps()])
    return Line((_verdict_words(analysis), (printable(f"  {where}: {rest}"), "")), hang=6)


def _verdict_words(analysis: Analysis) -> Words:
    word, style = _VERDICTS[analysis.verdict]
    if analysis.verdict == "pass" and not analysis.complete:
        return f"{word} (incomplete)", "bold yellow"
    return word, style


def _next_action(analysis: Analysis, found: Sequence[Cause], places: Places) -> str:
    """Returns the first action."""
    severe = [cause for cause in found if cause.severity in SEVERE]
    if analysis.verdict == "no-runs":
        return "check that these are the right files, and that they include ComfyUI's stderr (progress bars)"
    if severe:
        row = severe[0].first.row(0, named=True)
        return f"{places(row['source'], row['line'])}: {printable(split_fix(row['fix'])[0].text.rstrip('.'))}"
    if not analysis.complete:
        return "run again with -v to see what was not checked, and why"
    return "nothing to fix"


def _not_checked_line(analysis: Analysis) -> Iterator[Line]:
    """Yields one line on what was not checked because the log lacks data."""
    skipped = analysis.totals.not_checked.filter(_reason_kind() == "log")
    if skipped.is_empty():
        return
    rules = plural(skipped["rule"].drop_nulls().n_unique(), "rule")
    gaps = "; ".join(analysis.totals.gaps()) if analysis.verdict == "fail" else ""
    yield _BLANK
    yield Line((("not checked (reasons: -v)  ", "dim"), (printable(gaps or f"{rules} in some runs"), "dim")), most=1)


def _not_checked_lines(analysis: Analysis) -> Iterator[Line]:
    """Yields every rule with its reason."""
    for kind, title in _KINDS.items():
        rows = analysis.totals.not_checked.filter(_reason_kind() == kind)
        if rows.is_empty():
            continue
        yield _BLANK
        yield Line(((title, "dim"),))
        counts = rows.group_by("rule", "reason", maintain_order=True).agg(pl.col("count").sum())
        for row in counts.iter_rows(named=True):
            text = f"{row['rule']}  {row['reason']} ({plural(row['count'], 'run')})"
            yield Line(((printable(text), "dim"),), indent=2, hang=8)


def _reason_kind() -> pl.Expr:
    """The kind of reason; documents of earlier versions have none."""
    return pl.col("kind").fill_null("log")


def _coverage_grid(analysis: Analysis, places: Places) -> Iterator[Block]:
    """Yields the counts of recognized lines, near misses and unknown lines per input."""
    names = ("lines", "recognized", "near", "unknown")
    columns = analysis.sources.select("source", "lines", "records", "near", "unknown")
    rows = [
        [(places(source), ""), *(("–" if count is None else f"{count:,}", "") for count in counts)]
        for source, *counts in columns.head(MOST_RUNS).rows()
    ]
    yield Grid((Column("input", left=True, cut="middle", least=16), *map(Column, names)), tuple(rows))
    left_out = analysis.totals.inputs - len(rows)
    if left_out > 0:
        yield left_out_line(f"{plural(left_out, 'more input')}: see the report")
