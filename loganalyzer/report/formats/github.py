"""Writes output for GitHub Actions: annotations as workflow commands, and a step summary of limited size."""

from __future__ import annotations

import re
from typing import Any, Final

import polars as pl

from loganalyzer.comparison.model import Comparison
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.metrics import METRICS

MOST_SUMMARY_BYTES: Final = 512 * 1024
"""Maximum size of a step summary. GitHub rejects more than 1 MiB, and other steps write to the same summary."""
MOST_ANNOTATIONS: Final = 10
"""Annotations of each kind that GitHub shows for a step."""
_TRUNCATED: Final = "\n\n*Truncated. The report has the full text.*\n"
_FENCE: Final = re.compile(r"^(`{3,})")


def analysis_annotations(analysis: Analysis) -> list[str]:
    """One workflow command per error and warning, errors first, and a notice with the number of those not shown."""
    lines: list[str] = []
    for severity in ("error", "warning"):
        rows = analysis.findings.filter(pl.col("severity") == severity)
        lines += [_finding_command(row) for row in rows.head(MOST_ANNOTATIONS).iter_rows(named=True)]
        number = analysis.totals.severity(severity)
        if number > MOST_ANNOTATIONS:
            lines.append(workflow_command("notice", f"{number - MOST_ANNOTATIONS:,} more {severity}s. See the report."))
    lines += [
        workflow_command("error", problem, title="input could not be read")
        for problem in analysis.problems[:MOST_ANNOTATIONS]
    ]
    return lines


def _finding_command(row: dict[str, Any]) -> str:
    text = f"{row['message']}\nobserved: {row['observed']}\nexpected: {row['expected']}\nfix: {row['fix']}"
    title = f"{row['rule']} {row['name']}"
    return workflow_command(row["severity"], text, title=title, file=row["source"], line=row["line"])


def comparison_annotations(comparison: Comparison) -> list[str]:
    """One error per metric that got worse, under the rule REG002."""
    worse = [one for one in comparison.metrics if one.verdict == "regressed"]
    lines = [
        workflow_command("error", f"{METRICS[one.metric].title}: {one.reason}", title="REG002 metric-regressed")
        for one in worse[:MOST_ANNOTATIONS]
    ]
    if comparison.verdict == "incomparable":
        lines.append(workflow_command("error", comparison.reason, title="not comparable"))
    return lines


def workflow_command(kind: str, message: str, **properties: str | int | None) -> str:
    """A workflow command. Its text is escaped, so that log text can neither end it nor start another one."""
    listed = ",".join(
        f"{name}={_escape_property(str(value))}" for name, value in properties.items() if value is not None
    )
    return f"::{kind}{' ' if listed else ''}{listed}::{_escape_message(message)}"


def _escape_message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_message(text).replace(":", "%3A").replace(",", "%2C")


def limit_summary(markdown: str, room: int = MOST_SUMMARY_BYTES) -> str:
    """`markdown` in at most `room` bytes of UTF-8: cut after a line, with an open fence closed and a note added."""
    if len(markdown.encode()) <= room:
        return markdown
    if room <= len(_TRUNCATED.encode()):
        return ""
    kept: list[str] = []
    left, fence = room - len(_TRUNCATED.encode()), ""
    for line in markdown.splitlines(keepends=True):
        left -= len(line.encode())
        opened = _open_fence(fence, line)
        if left < len(opened) + 1:
            break
        kept.append(line)
        fence = opened
    closed = [f"{fence}\n"] if fence else []
    return "".join([*kept, *closed]) + _TRUNCATED


def _open_fence(fence: str, line: str) -> str:
    """The code fence that is open after this line; empty if there is none."""
    if fence:
        return "" if line.rstrip() == fence else fence
    found = _FENCE.match(line)
    return found[1] if found else ""
