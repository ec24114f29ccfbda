"""Prints the result of `loganalyze compare` in the terminal."""

from __future__ import annotations

from typing import IO, Final

import polars as pl
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from loganalyzer.common.formatting import plural, printable
from loganalyzer.comparison.model import Comparison, MetricChange
from loganalyzer.report.comparison import words
from loganalyzer.report.series_key import key_words
from loganalyzer.report.terminal.rendering import console

_STYLES: Final = {
    "regressed": "bold red",
    "improved": "bold green",
    "same": "green",
    "incomparable": "bold yellow",
    "unknown": "yellow",
}
MOST_FINDINGS: Final = 10


def print_comparison(comparison: Comparison, file: IO[str], *, verbose: bool = False) -> None:
    """Prints verdict, differences, metrics per key, and the findings that are new, gone and still present."""
    out = console(file)
    style = _STYLES[comparison.verdict]
    out.print(Text.assemble((words.VERDICTS[comparison.verdict], style), "  ", printable(words.headline(comparison))))
    _print_differences(comparison, out)
    for key in dict.fromkeys(tuple(one.key.items()) for one in comparison.metrics):
        rows = [one for one in comparison.metrics if tuple(one.key.items()) == key]
        out.print()
        out.print(Text(key_words(dict(key)), style="bold"))
        out.print(Padding(_metric_table(rows), (0, 0, 0, 2), expand=False))
        for one in rows:
            if verbose or one.verdict in ("regressed", "unknown"):
                line = Text(printable(f"{words.metric_name(one)}: {one.reason}"), style="dim")
                out.print(Padding(line, (0, 0, 0, 2), expand=False))
    for name, frame in (("new", comparison.new), ("gone", comparison.gone), ("still present", comparison.still)):
        _print_findings(name, frame, out, verbose=verbose)
    for note in comparison.notes:
        out.print(Text(printable(note), style="dim"))


def _print_differences(comparison: Comparison, out: Console) -> None:
    if not comparison.differences:
        return
    table = _new_table("field", "base", "head")
    for one in comparison.differences:
        field = f"{one.field} *" if one.decides else one.field
        table.add_row(field, *(Text(printable(words.format_values(one, which))) for which in ("base", "head")))
    out.print(Padding(table, (1, 0, 0, 2), expand=False))
    if any(one.decides for one in comparison.differences):
        out.print(Text("  * runs that differ here are not compared", style="dim"))


def _metric_table(rows: list[MetricChange]) -> Table:
    table = _new_table("metric")
    for name in ("base", "head", "change", "noise", "values"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for one in rows:
        table.add_row(
            Text(printable(words.metric_name(one))),
            words.format_value(one.base, one.unit),
            words.format_value(one.head, one.unit),
            words.format_change(one),
            words.format_noise(one),
            words.format_counts(one),
            Text(one.verdict, style=_STYLES[one.verdict]),
        )
    return table


def _print_findings(name: str, frame: pl.DataFrame, out: Console, *, verbose: bool) -> None:
    shown = frame if verbose else frame.filter(pl.col("severity") != "info")
    if shown.is_empty():
        return
    out.print()
    out.print(Text(f"{name}: {plural(shown.height, 'finding')}", style="bold"))
    for row in shown.head(MOST_FINDINGS).iter_rows(named=True):
        times = f" ({row['count']} times)" if row["count"] > 1 else ""
        line = f"{row['severity']}  {row['rule']} {row['name']}{times}: {row['message']}"
        out.print(Padding(Text(printable(line)), (0, 0, 0, 2), expand=False))
    if shown.height > MOST_FINDINGS:
        out.print(f"  … and {shown.height - MOST_FINDINGS} more")


def _new_table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in names:
        table.add_column(name, overflow="fold")
    return table
