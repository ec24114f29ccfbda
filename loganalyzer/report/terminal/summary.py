"""The summary in the terminal: verdict, one line per run, findings with their fixes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import PurePath
from typing import IO, Any, Final

import polars as pl

from loganalyzer.checks.registry import follows
from loganalyzer.common.formatting import duration, one_line, plural, printable
from loganalyzer.common.severity import SEVERE
from loganalyzer.expectations.names import TRUE_PEAKS
from loganalyzer.report import words
from loganalyzer.report.other_models import other_stages
from loganalyzer.report.terminal.layout import Block, Grid, Line, Words, plain
from loganalyzer.tables import worst_runs
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.frames import group_agg

_VERDICTS: Final = {
    "pass": ("PASS", "bold green"),
    "warn": ("WARN", "bold yellow"),
    "fail": ("FAIL", "bold red"),
    "no-runs": ("NO RUN FOUND", "bold red"),
}
_STYLES: Final = {"error": "bold red", "warning": "bold yellow", "info": "cyan"}
_KINDS: Final = {
    "log": "not checked: not in the log",
    "configuration": "not checked: not configured",
    "not-applicable": "not applicable",
}
"""Kinds of reasons, as the long summary heads them."""
_PLAIN_WIDTH: Final = 120
_AS_IF_TERMINAL: Final = ("FORCE_COLOR", "TTY_COMPATIBLE")
"""What, in the environment, makes a file or a pipe count as a terminal."""
_BLANK: Final = Line()
MOST_RUNS: Final = 30
MOST_PER_RULE: Final = 5


def write(analysis: Analysis, file: IO[str], *, verbose: bool = False) -> None:
    """Print the summary; `verbose` adds informative findings, what was not checked, and the lines read.

    A file gets it without the terminal's library, whose import takes longer than many a log, and which is asked only
    where a text holds characters that it alone can measure.
    """
    blocks = list(_summary(analysis, verbose=verbose))
    text = None if file.isatty() or any(map(os.environ.get, _AS_IF_TERMINAL)) else plain(blocks, _PLAIN_WIDTH)
    if text is not None:
        file.write(text)
        file.flush()
        return
    from loganalyzer.report.terminal import rendering

    rendering.draw(blocks, rendering.console(file))


def _summary(analysis: Analysis, *, verbose: bool) -> Iterator[Block]:
    yield _headline(analysis)
    if not analysis.runs.is_empty():
        yield _BLANK
        yield from _runs(analysis)
    yield from _findings(analysis, verbose=verbose)
    yield from _not_checked(analysis, verbose=verbose)
    if verbose and not analysis.sources.is_empty():
        yield _BLANK
        yield from _coverage(analysis)
        yield Line((("unknown lines are normal: other nodes print them; near misses are not (LOG001)", "dim"),))


def _headline(analysis: Analysis) -> Line:
    counts = {name: analysis.totals.severity(name) for name in SEVERE}
    found = [plural(number, name) for name, number in counts.items() if number]
    where = f"{plural(analysis.totals.runs, 'run')} in {plural(analysis.totals.inputs, 'file')}"
    rest = "no problems found" if analysis.verdict == "pass" else ", ".join(found)
    if analysis.verdict == "no-runs":
        rest = _instead(analysis)
    elif analysis.verdict != "fail" and not analysis.complete:
        rest = "; ".join([*found, *analysis.totals.gaps()])
    return Line((_verdict(analysis), (f"  {where}: {rest}", "")))


def _instead(analysis: Analysis) -> str:
    """What is there where no run is, or what a run would print."""
    others = other_stages(analysis)
    if others:
        return f"{printable(others)}; only WanVideo runs are checked"
    return "a log of WanVideo sampling prints 'Sampling … frames in … windows' and progress bars to stderr"


def _verdict(analysis: Analysis) -> Words:
    word, style = _VERDICTS[analysis.verdict]
    if analysis.verdict == "pass" and not analysis.complete:
        return f"{word} (incomplete)", "bold yellow"
    return word, style


def _runs(analysis: Analysis) -> Iterator[Block]:
    names = ("run", "status", "mode", "frames", "windows", "missing", "peak GiB", "s/step", "total")
    shown = analysis.runs.head(MOST_RUNS)
    medians = _medians(analysis.steps, shown)
    left_out = analysis.totals.runs - shown.height
    cells = tuple(_run_cells(row, medians.get(row["run_id"])) for row in shown.iter_rows(named=True))
    yield Grid(names, left=names[:3], rows=cells)
    if left_out > 0:
        yield _left_out(f"{plural(left_out, 'more run')}: {_elsewhere(analysis.totals.runs)}")


def _left_out(what: str) -> Line:
    return Line(((f"… and {what}", "dim"),), indent=2)


def _elsewhere(runs: int) -> str:
    """Where the other ones of so many runs are."""
    if runs <= worst_runs.MAX_RUNS:
        return "see the report"
    return f"the report has the gravest {worst_runs.MAX_RUNS}, --json and --tables have all"


def _medians(steps: pl.DataFrame, runs: pl.DataFrame) -> dict[str, float]:
    """The median step of each of these runs."""
    own = pl.col("run_id").is_in(runs["run_id"].implode())
    single = steps.filter(own & (pl.col("method") != "average"))
    return dict(group_agg(single, ["run_id"], pl.col("duration_s").median()).rows())


def _run_cells(row: dict[str, Any], median: float | None) -> list[Words]:
    status = {"completed": "green", "failed": "red"}.get(row["status"], "yellow")
    seen, expected = row["observed_windows"], row["expected_windows"]
    windows = "–" if expected is None and seen is None else f"{_dash(seen)}/{_dash(expected)}"
    stream = f" [{row['stream']}]" if row["stream"] else ""
    peak = "–" if row["peak_allocated_gib"] is None else f"{row['peak_allocated_gib']:.2f}"
    if row["peak_covers"] not in (None, *TRUE_PEAKS):
        peak += " (decode)" if row["peak_covers"] == "last-decode" else " (residue)"
    return [
        (f"{_file(row['source'])}:{_dash(row['line'])}{one_line(stream)}", ""),
        (printable(_dash(row["status"])), status),
        (printable(words.mode(row["mode"] or "unknown", row["producer"])), ""),
        (_dash(row["audio_frames"]), ""),
        (windows, ""),
        (_dash(row["missing_frames"]), "red" if row["missing_frames"] and row["producer"] != "autosampler" else ""),
        (peak, ""),
        ("–" if median is None else f"{median:.2f}", ""),
        (duration(row["total_s"]), ""),
    ]


def _file(source: str | None) -> str:
    """The name of an input's file; documents of strangers may lack it."""
    return "–" if source is None else one_line(PurePath(source).name)


def _dash(value: object) -> str:
    return "–" if value is None else str(value)


def _findings(analysis: Analysis, *, verbose: bool) -> Iterator[Line]:
    shown = analysis.findings if verbose else analysis.findings.filter(pl.col("severity") != "info")
    if shown.is_empty():
        return
    parts = shown.with_columns(follows(shown)).group_by("rule", "name", "severity", "follows", maintain_order=True)
    for (rule, name, severity, is_consequence), rows in parts:
        yield _BLANK
        title = printable(f"  {_dash(rule)} {_dash(name)}{' (follows from the failure)' if is_consequence else ''}")
        yield Line(((printable(str(severity)), _STYLES.get(str(severity), "")), (title, "")))
        for row in rows.head(MOST_PER_RULE).iter_rows(named=True):
            place = f"{_file(row['source'])}:{_dash(row['line'])}"
            yield Line(((place, "bold"), (f"  {printable(_dash(row['message']))}", "")), indent=2)
            if not is_consequence:
                yield Line((("fix  ", "dim"), (printable(_dash(row["fix"])), "")), indent=6)
        number = analysis.totals.rule(rule)
        if number > MOST_PER_RULE:
            yield _left_out(f"{number - MOST_PER_RULE:,} more in the report")


def _not_checked(analysis: Analysis, *, verbose: bool) -> Iterator[Line]:
    skipped = analysis.totals.not_checked
    if skipped.is_empty():
        return
    if not verbose:
        lacking = sorted(set(skipped.filter(_kind() == "log")["rule"].drop_nulls()))
        if lacking:
            yield _BLANK
            said = f"not checked in some runs: {', '.join(lacking)} (reasons: -v, or the report)"
            yield Line(((printable(said), "dim"),))
        return
    for kind, title in _KINDS.items():
        rows = skipped.filter(_kind() == kind)
        if rows.is_empty():
            continue
        yield _BLANK
        yield Line(((title, "dim"),))
        counts = rows.group_by("rule", "reason", maintain_order=True).agg(pl.col("count").sum())
        for row in counts.iter_rows(named=True):
            said = f"{row['rule']}  {row['reason']} ({plural(row['count'], 'run')})"
            yield Line(((printable(said), "dim"),), indent=2)


def _kind() -> pl.Expr:
    """Why a rule did not judge; documents of earlier versions do not say."""
    return pl.col("kind").fill_null("log")


def _coverage(analysis: Analysis) -> Iterator[Block]:
    """How many lines of each input were recognised, nearly so, and not at all."""
    names = ("input", "lines", "recognised", "near", "unknown")
    columns = analysis.sources.select("source", "lines", "records", "near", "unknown")
    rows = [
        [(_file(source), ""), *((_dash(count) if count is None else f"{count:,}", "") for count in counts)]
        for source, *counts in columns.head(MOST_RUNS).rows()
    ]
    yield Grid(names, left=("input",), rows=tuple(rows))
    left_out = analysis.totals.inputs - len(rows)
    if left_out > 0:
        yield _left_out(f"{plural(left_out, 'more input')}: see the report")
