"""`loganalyze history` in the terminal."""

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


def write_runs(listed: pl.DataFrame, file: IO[str]) -> None:
    """One line per run, oldest first."""
    out = console(file)
    if listed.is_empty():
        out.print("no runs")
        return
    table = _table("run", "at", "label", "key", numbers=("s/window", "peak GiB", "missing"))
    for row in listed.iter_rows(named=True):
        windows = row["observed_windows"]
        per_window = row["total_s"] / windows if row["total_s"] and windows else None
        table.add_row(
            Text(row["run_id"]),
            Text(_time(row["at"])),
            Text(one_line(row["label"] or "–")),
            Text(key_words(row)),
            Text("–" if per_window is None else f"{per_window:.2f}"),
            Text("–" if row["peak_allocated_gib"] is None else f"{row['peak_allocated_gib']:.2f}"),
            Text("–" if row["missing_frames"] is None else str(row["missing_frames"])),
        )
    out.print(table)
    out.print(plural(listed.height, "run"))


def write_run(listed: pl.DataFrame, recorded: pl.DataFrame, findings: pl.DataFrame, file: IO[str]) -> None:
    """One run: where it comes from, its figures, what was found."""
    out = console(file)
    row = listed.row(0, named=True)
    out.print(Text(f"{row['run_id']}  {row['status']}  {key_words(row)}"))
    source = one_line(PurePath(row["source"]).name)
    noted = [f"label {row['label']}"] if row["label"] else []
    noted += [f"commit {row['commit']}"] if row["commit"] else []
    noted += [f"added {_time(row['added_at'])}"]
    out.print(Text(printable(f"{source}:{row['line']}, {_time(row['at'])}, {', '.join(noted)}")))
    out.print(Text(f"windows {row['observed_windows']}/{row['expected_windows']}, {duration(row['total_s'])}"))
    table = _table("metric", "of", numbers=("value",))
    for one in recorded.iter_rows(named=True):
        table.add_row(one["metric"], printable(one["basis"] or ""), f"{one['value']:.4g} {one['unit']}")
    out.print(table)
    for one in findings.iter_rows(named=True):
        out.print(Text(printable(f"{one['severity']}  {one['rule']} {one['name']}: {one['message']}")))


def write_trend(series: Sequence[Series], file: IO[str]) -> None:
    """One block per kind of run; a line per metric, worst news first, with the reason."""
    out = console(file)
    if not series:
        out.print("no runs")
    for key in dict.fromkeys(tuple(one.key.items()) for one in series):
        out.print(Text(key_words(dict(key)), style="bold"))
        table = _table("metric", "course", "verdict", "why")
        for one in series:
            if tuple(one.key.items()) == key:
                word = one.verdict.verdict
                basis = f" ({one.basis})" if one.basis else ""
                table.add_row(
                    Text(printable(f"{one.metric.title}{basis}")),
                    Text(course([point.value for point in one.points])),
                    Text(word, style=_STYLES.get(word, "")),
                    Text(printable(f"{one.verdict.reason}{_begun(one)}")),
                )
        out.print(table)
        out.print()


def _begun(series: Series) -> str:
    change = series.verdict.change
    if change is None:
        return "" if series.back is None else f" Back to normal since {_time(series.back.at)}."
    point = series.at(change)
    return f" First affected run: {point.run_id} of {_time(point.at)}."


def course(values: Sequence[float]) -> str:
    """The latest values as a line of blocks, from the lowest to the highest."""
    shown = values[-MOST_POINTS:]
    low, high = min(shown), max(shown)
    if high - low <= 1e-9 * abs(high):
        return _SPARKS[3] * len(shown)
    return "".join(_SPARKS[round((value - low) / (high - low) * 7)] for value in shown)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _table(*names: str, numbers: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in names:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right")
    return table
