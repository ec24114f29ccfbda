"""The summary in the terminal: verdict, one line per run, findings with their fixes."""

from __future__ import annotations

from functools import partial
from pathlib import PurePath
from typing import IO, Any, Final

import polars as pl
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from loganalyzer.analysis import Analysis
from loganalyzer.totals import GRAVE
from loganalyzer.units import duration, one_line, plural, printable

_VERDICTS: Final = {
    "pass": ("PASS", "bold green"),
    "warn": ("WARN", "bold yellow"),
    "fail": ("FAIL", "bold red"),
    "no-runs": ("NO RUN FOUND", "bold red"),
}
_STYLES: Final = {"error": "bold red", "warning": "bold yellow", "info": "cyan"}
_PLAIN_WIDTH: Final = 120
_console: Final = partial(Console, highlight=False, markup=False, emoji=False)
"""No text has markup of ours, and the table of emoji takes longer to load than a summary to write."""
MOST_RUNS: Final = 30
MOST_PER_RULE: Final = 5


def console(file: IO[str]) -> Console:
    """A console on `file`: coloured and as wide as the terminal, or plain where there is none."""
    terminal = _console(file=file)
    return terminal if terminal.is_terminal else _console(file=file, width=_PLAIN_WIDTH, no_color=True)


def write(analysis: Analysis, out: Console, *, verbose: bool = False) -> None:
    """Print the summary; `verbose` adds informative findings, what was not checked, and the lines read."""
    out.print(_headline(analysis))
    if not analysis.runs.is_empty():
        out.print()
        out.print(_runs(analysis))
    _findings(analysis, out, verbose=verbose)
    _not_checked(analysis, out, verbose=verbose)
    if verbose and not analysis.sources.is_empty():
        out.print()
        out.print(_coverage(analysis))
        out.print(Text("unknown lines are normal: other nodes print them; near misses are not (LOG001)", style="dim"))


def _headline(analysis: Analysis) -> Text:
    word, style = _VERDICTS[analysis.verdict]
    counts = {name: analysis.totals.severity(name) for name in GRAVE}
    found = [plural(number, name) for name, number in counts.items() if number]
    where = f"{plural(analysis.totals.runs, 'run')} in {plural(analysis.totals.inputs, 'file')}"
    rest = "nothing to complain about" if analysis.verdict == "pass" else ", ".join(found)
    if analysis.verdict == "no-runs":
        rest = "a log of WanVideo sampling prints 'Sampling … frames in … windows' and progress bars to stderr"
    return Text.assemble((word, style), f"  {where}: {rest}")


def _runs(analysis: Analysis) -> Padding:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("run", overflow="fold")
    for name in ("status", "mode"):
        table.add_column(name)
    for name in ("frames", "windows", "missing", "peak GiB", "s/step", "total"):
        table.add_column(name, justify="right")
    shown = analysis.runs.head(MOST_RUNS)
    own = pl.col("run_id").is_in(shown["run_id"].implode())
    medians = dict(
        analysis.steps.filter(own & (pl.col("method") != "average"))
        .group_by("run_id")
        .agg(pl.col("duration_s").median())
        .rows()
    )
    for row in shown.iter_rows(named=True):
        table.add_row(*_run_cells(row, medians.get(row["run_id"])))
    left_out = analysis.totals.runs - min(analysis.runs.height, MOST_RUNS)
    if left_out > 0:
        table.add_row(f"… and {plural(left_out, 'more run')}: see the report")
    return Padding(table, (0, 0, 0, 2), expand=False)


def _run_cells(row: dict[str, Any], median: float | None) -> list[Text]:
    status = {"completed": "green", "failed": "red"}.get(row["status"], "yellow")
    seen, expected = row["observed_windows"], row["expected_windows"]
    windows = "–" if expected is None and seen is None else f"{_dash(seen)}/{_dash(expected)}"
    stream = f" [{row['stream']}]" if row["stream"] else ""
    peak = "–" if row["peak_allocated_gib"] is None else f"{row['peak_allocated_gib']:.2f}"
    if row["peak_covers"] not in (None, "stage"):
        peak += " (decode)" if row["peak_covers"] == "last-decode" else " (residue)"
    missing = Text(_dash(row["missing_frames"]), style="red" if row["missing_frames"] else "")
    return [
        Text(f"{_file(row['source'])}:{_dash(row['line'])}{one_line(stream)}"),
        Text(printable(_dash(row["status"])), style=status),
        Text(printable(row["mode"] or "unknown")),
        Text(_dash(row["audio_frames"])),
        Text(windows),
        missing,
        Text(peak),
        Text("–" if median is None else f"{median:.2f}"),
        Text(duration(row["total_s"])),
    ]


def _file(source: str | None) -> str:
    """The name of an input's file; documents of strangers may lack it."""
    return "–" if source is None else one_line(PurePath(source).name)


def _dash(value: object) -> str:
    return "–" if value is None else str(value)


def _findings(analysis: Analysis, out: Console, *, verbose: bool) -> None:
    shown = analysis.findings if verbose else analysis.findings.filter(pl.col("severity") != "info")
    for (rule, name, severity), rows in shown.group_by("rule", "name", "severity", maintain_order=True):
        out.print()
        title = printable(f"  {_dash(rule)} {_dash(name)}")
        out.print(Text.assemble((printable(str(severity)), _STYLES.get(str(severity), "")), title))
        for row in rows.head(MOST_PER_RULE).iter_rows(named=True):
            place = f"{_file(row['source'])}:{_dash(row['line'])}"
            out.print(
                Padding(
                    Text.assemble((place, "bold"), "  ", printable(_dash(row["message"]))), (0, 0, 0, 2), expand=False
                )
            )
            out.print(
                Padding(Text.assemble(("fix  ", "dim"), printable(_dash(row["fix"]))), (0, 0, 0, 6), expand=False)
            )
        number = analysis.totals.rule(rule)
        if number > MOST_PER_RULE:
            out.print(
                Padding(
                    Text(f"… and {number - MOST_PER_RULE:,} more in the report", style="dim"),
                    (0, 0, 0, 2),
                    expand=False,
                )
            )


def _not_checked(analysis: Analysis, out: Console, *, verbose: bool) -> None:
    skipped = analysis.totals.not_checked
    if skipped.is_empty():
        return
    rules = skipped["rule"].drop_nulls().unique().sort().to_list()
    out.print()
    if not verbose:
        out.print(
            Text(printable(f"not checked in some runs: {', '.join(rules)} (reasons: -v, or the report)"), style="dim")
        )
        return
    out.print(Text("not checked", style="dim"))
    for row in skipped.group_by("rule", "reason", maintain_order=True).agg(pl.col("count").sum()).iter_rows(named=True):
        out.print(
            Padding(
                Text(printable(f"{row['rule']}  {row['reason']} ({plural(row['count'], 'run')})"), style="dim"),
                (0, 0, 0, 2),
            )
        )


def _coverage(analysis: Analysis) -> Padding:
    """How many lines of each input were recognised, nearly so, and not at all."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("input", overflow="fold")
    for name in ("lines", "recognised", "near", "unknown"):
        table.add_column(name, justify="right")
    columns = analysis.sources.select("source", "lines", "records", "near", "unknown")
    for source, *counts in columns.head(MOST_RUNS).rows():
        cells = [Text(_dash(count) if count is None else f"{count:,}") for count in counts]
        table.add_row(Text(_file(source)), *cells)
    left_out = analysis.totals.inputs - min(analysis.sources.height, MOST_RUNS)
    if left_out > 0:
        table.add_row(f"… and {plural(left_out, 'more input')}: see the report")
    return Padding(table, (0, 0, 0, 2), expand=False)
