"""A comparison as Markdown, for a pull request or a ticket; foreign text cannot break out of it."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.common.formatting import printable
from loganalyzer.comparison.model import Comparison, Difference, MetricChange
from loganalyzer.report.comparison import words
from loganalyzer.report.page_markdown import escaped
from loganalyzer.report.series_key import key_words

MOST_FINDINGS: Final = 20
Cells = tuple[str, ...]


def render(comparison: Comparison) -> str:
    """Verdict, differences, a table of metrics for each key, findings."""
    parts = [f"**{words.VERDICTS[comparison.verdict]}: {_safe(words.headline(comparison))}**"]
    if comparison.differences:
        parts.append(_table(("differs", "base", "head"), [_difference(one) for one in comparison.differences]))
    for key in dict.fromkeys(tuple(one.key.items()) for one in comparison.metrics):
        parts.append(f"### {_safe(key_words(dict(key)))}")
        parts.append(_metrics([one for one in comparison.metrics if tuple(one.key.items()) == key]))
    for name, frame in (("New", comparison.new), ("Gone", comparison.gone), ("Still there", comparison.still)):
        parts += _findings(name, frame.filter(pl.col("severity") != "info"))
    parts += [_safe(note) for note in comparison.notes]
    return "\n\n".join(parts) + "\n"


def _difference(one: Difference) -> Cells:
    field = _safe(f"{one.field} *" if one.decides else one.field)
    return field, _safe(words.values(one, "base")), _safe(words.values(one, "head"))


def _metrics(rows: list[MetricChange]) -> str:
    cells: list[Cells] = [
        (
            _safe(words.metric(one)),
            words.figure(one.base, one.unit),
            words.figure(one.head, one.unit),
            words.change(one),
            words.noise(one),
            words.counts(one),
            f"**{one.verdict}**" if one.verdict == "regressed" else one.verdict,
        )
        for one in rows
    ]
    table = _table(("metric", "base", "head", "change", "noise", "values", "verdict"), cells)
    told = [one for one in rows if one.verdict in ("regressed", "unknown")]
    why = [f"- {_safe(words.metric(one))}: {_safe(one.reason)}" for one in told]
    return "\n\n".join([table, "\n".join(why)]) if why else table


def _findings(name: str, frame: pl.DataFrame) -> list[str]:
    if frame.is_empty():
        return []
    lines = [
        f"- {row['severity']} {row['rule']} {_safe(row['name'])}: {_safe(row['message'])}"
        for row in frame.head(MOST_FINDINGS).iter_rows(named=True)
    ]
    if frame.height > MOST_FINDINGS:
        lines.append(f"- … and {frame.height - MOST_FINDINGS} more")
    return [f"### {name}", "\n".join(lines)]


def _table(head: tuple[str, ...], rows: list[Cells]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *rows))


def _safe(text: str) -> str:
    return escaped(printable(text))
