"""Renders a comparison as Markdown for a pull request or a ticket. Text from logs is escaped."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.common.formatting import printable
from loganalyzer.comparison.model import Comparison, Difference, MetricChange
from loganalyzer.report.comparison import words
from loganalyzer.report.page_markdown import escape_markdown
from loganalyzer.report.series_key import key_words

MOST_FINDINGS: Final = 20
TableRow = tuple[str, ...]


def render(comparison: Comparison) -> str:
    """The Markdown text: verdict, differences, a table of metrics per key, findings."""
    parts = [f"**{words.VERDICTS[comparison.verdict]}: {_escape(words.headline(comparison))}**"]
    if comparison.differences:
        parts.append(
            _markdown_table(("field", "base", "head"), [_difference_cells(one) for one in comparison.differences])
        )
    for key in dict.fromkeys(tuple(one.key.items()) for one in comparison.metrics):
        parts.append(f"### {_escape(key_words(dict(key)))}")
        parts.append(_metric_section([one for one in comparison.metrics if tuple(one.key.items()) == key]))
    for name, frame in (("New", comparison.new), ("Gone", comparison.gone), ("Still present", comparison.still)):
        parts += _finding_section(name, frame.filter(pl.col("severity") != "info"))
    parts += [_escape(note) for note in comparison.notes]
    return "\n\n".join(parts) + "\n"


def _difference_cells(one: Difference) -> TableRow:
    field = _escape(f"{one.field} *" if one.decides else one.field)
    return field, _escape(words.format_values(one, "base")), _escape(words.format_values(one, "head"))


def _metric_section(rows: list[MetricChange]) -> str:
    cells: list[TableRow] = [
        (
            _escape(words.metric_name(one)),
            words.format_value(one.base, one.unit),
            words.format_value(one.head, one.unit),
            words.format_change(one),
            words.format_noise(one),
            words.format_counts(one),
            f"**{one.verdict}**" if one.verdict == "regressed" else one.verdict,
        )
        for one in rows
    ]
    table = _markdown_table(("metric", "base", "head", "change", "noise", "values", "verdict"), cells)
    explained = [one for one in rows if one.verdict in ("regressed", "unknown")]
    reasons = [f"- {_escape(words.metric_name(one))}: {_escape(one.reason)}" for one in explained]
    return "\n\n".join([table, "\n".join(reasons)]) if reasons else table


def _finding_section(name: str, frame: pl.DataFrame) -> list[str]:
    if frame.is_empty():
        return []
    lines = [
        f"- {row['severity']} {row['rule']} {_escape(row['name'])}: {_escape(row['message'])}"
        for row in frame.head(MOST_FINDINGS).iter_rows(named=True)
    ]
    if frame.height > MOST_FINDINGS:
        lines.append(f"- … and {frame.height - MOST_FINDINGS} more")
    return [f"### {name}", "\n".join(lines)]


def _markdown_table(head: tuple[str, ...], rows: list[TableRow]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *rows))


def _escape(text: str) -> str:
    return escape_markdown(printable(text))
