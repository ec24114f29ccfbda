"""What GitHub Actions reads: annotations as workflow commands, and a step summary of bounded size."""

from __future__ import annotations

import re
from typing import Any, Final

import polars as pl

from loganalyzer.comparison.model import Comparison
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.metrics import METRICS

LARGEST: Final = 512 * 1024
"""Bytes of a step summary: above 1 MiB GitHub shows nothing at all, and other steps write to it too."""
MOST: Final = 10
"""Annotations of a kind that GitHub shows for a step."""
_CUT: Final = "\n\n*Cut here: the whole is in the report.*\n"
_FENCE: Final = re.compile(r"^(`{3,})")


def analysis_annotations(analysis: Analysis) -> list[str]:
    """One workflow command per finding, the gravest first; those that GitHub would not show are counted in a notice."""
    lines: list[str] = []
    for severity in ("error", "warning"):
        rows = analysis.findings.filter(pl.col("severity") == severity)
        lines += [_finding(row) for row in rows.head(MOST).iter_rows(named=True)]
        number = analysis.totals.severity(severity)
        if number > MOST:
            lines.append(command("notice", f"{number - MOST:,} more findings of severity {severity}: see the report"))
    lines += [command("error", problem, title="input could not be read") for problem in analysis.problems[:MOST]]
    return lines


def _finding(row: dict[str, Any]) -> str:
    text = f"{row['message']}\nmeasured: {row['observed']}\nexpected: {row['expected']}\nfix: {row['fix']}"
    title = f"{row['rule']} {row['name']}"
    return command(row["severity"], text, title=title, file=row["source"], line=row["line"])


def comparison_annotations(comparison: Comparison) -> list[str]:
    """One error per metric that is worse, under the rule REG002."""
    worse = [one for one in comparison.metrics if one.verdict == "regressed"]
    lines = [
        command("error", f"{METRICS[one.metric].title}: {one.reason}", title="REG002 metric-regressed")
        for one in worse[:MOST]
    ]
    if comparison.verdict == "incomparable":
        lines.append(command("error", comparison.reason, title="not comparable"))
    return lines


def command(kind: str, message: str, **properties: str | int | None) -> str:
    """A workflow command, escaped as GitHub reads it: log text can neither end it nor begin another."""
    given = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items() if value is not None)
    return f"::{kind}{' ' if given else ''}{given}::{_message(message)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def summary(markdown: str, room: int = LARGEST) -> str:
    """`markdown` in at most `room` bytes of UTF-8: cut at a line's end, an open fence closed, with a note."""
    if len(markdown.encode()) <= room:
        return markdown
    if room <= len(_CUT.encode()):
        return ""
    kept: list[str] = []
    left, fence = room - len(_CUT.encode()), ""
    for line in markdown.splitlines(keepends=True):
        left -= len(line.encode())
        opened = _fence(fence, line)
        if left < len(opened) + 1:
            break
        kept.append(line)
        fence = opened
    closed = [f"{fence}\n"] if fence else []
    return "".join([*kept, *closed]) + _CUT


def _fence(fence: str, line: str) -> str:
    """The fence that is open behind this line; empty where none is."""
    if fence:
        return "" if line.rstrip() == fence else fence
    found = _FENCE.match(line)
    return found[1] if found else ""
