"""Prints the results of `loganalyze history` in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from typing import IO, Final

import polars as pl
from rich.table import Table
from rich.text import Text

from loganalyzer.common.formatting import duration, one_line, plural, printable
from loganalyzer.history.series import Series
from loganalyzer.report.series_key import key_words
from loganalyzer.report.terminal.rendering import console

_STYLES: Final = {"regressed": "bold red", "suspected": "bold yellow", "improved": "green", "unknown": "dim"}
_SPARKS: Final = "▁▂▃▄▅▆▇█"
MOST_POINTS: Final = 40


def print_runs(listed: pl.DataFrame, file: IO[str]) -> None:
    """Prints one line per run, oldest first."""
    out = console(file)
    if listed.is_empty():
        out.print("no runs")
        return
    table = _new_table("run", "at", "label", "key", numbers=("s/window", "peak GiB", "missing"))
    for row in listed.iter_rows(named=True):
        windows = row["observed_windows"]
        per_window = row["total_s"] / windows if row["total_s"] and windows else None
        table.add_row(
            Text(row["run_id"]),
            Text(_time_text(row["at"])),
            Text(one_line(row["label"] or "–")),
            Text(key_words(row)),
            Text("–" if per_window is None else f"{per_window:.2f}"),
            Text("–" if row["peak_allocated_gib"] is None else f"{row['peak_allocated_gib']:.2f}"),
            Text("–" if row["missing_frames"] is None else str(row["missing_frames"])),
        )
    out.print(table)
    out.print(plural(listed.height, "run"))


def print_run(listed: pl.DataFrame, recorded: pl.DataFrame, findings: pl.DataFrame, file: IO[str]) -> None:
    """Prints one run: its source, its metrics, its findings."""
    out = console(file)
    row = listed.row(0, named=True)
    out.print(Text(f"{row['run_id']}  {row['status']}  {key_words(row)}"))
    source = one_line(PurePath(row["source"]).name)
    details = [f"label {row['label']}"] if row["label"] else []
    details += [f"commit {row['commit']}"] if row["commit"] else []
    details += [f"added {_time_text(row['added_at'])}"]
    out.print(Text(printable(f"{source}:{row['line']}, {_time_text(row['at'])}, {', '.join(details)}")))
    out.print(Text(f"windows {row['observed_windows']}/{row['expected_windows']}, {duration(row['total_s'])}"))
    table = _new_table("metric", "basis", numbers=("value",))
    for one in recorded.iter_rows(named=True):
        table.add_row(one["metric"], printable(one["basis"] or ""), f"{one['value']:.4g} {one['unit']}")
    out.print(table)
    for one in findings.iter_rows(named=True):
        out.print(Text(printable(f"{one['severity']}  {one['rule']} {one['name']}: {one['message']}")))


def print_trend(series: Sequence[Series], file: IO[str]) -> None:
    """Prints one block per kind of run, with a line per metric and its reason, the worst first."""
    out = console(file)
    if not series:
        out.print("no runs")
    for key in dict.fromkeys(tuple(one.key.items()) for one in series):
        out.print(Text(key_words(dict(key)), style="bold"))
        table = _new_table("metric", "trend", "verdict", "reason")
        for one in series:
            if tuple(one.key.items()) == key:
                word = one.verdict.verdict
                basis = f" ({one.basis})" if one.basis else ""
                table.add_row(
                    Text(printable(f"{one.metric.title}{basis}")),
                    Text(sparkline([point.value for point in one.points])),
                    Text(word, style=_STYLES.get(word, "")),
                    Text(printable(f"{one.verdict.reason}{_first_affected(one)}")),
                )
        out.print(table)
        out.print()


def _first_affected(series: Series) -> str:
    change = series.verdict.change
    if change is None:
        return "" if series.back is None else f" Back to normal since {_time_text(series.back.at)}."
    point = series.at(change)
    return f" First affected run: {point.run_id} of {_time_text(point.at)}."


def sparkline(values: Sequence[float]) -> str:
    """The latest values (at most 40) as block characters, scaled between the lowest and the highest."""
    shown = values[-MOST_POINTS:]
    low, high = min(shown), max(shown)
    if high - low <= 1e-9 * abs(high):
        return _SPARKS[3] * len(shown)
    return "".join(_SPARKS[round((value - low) / (high - low) * 7)] for value in shown)


def _time_text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _new_table(*names: str, numbers: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in names:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right")
    return table
