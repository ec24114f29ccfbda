"""Renders the trends of a history as a single HTML file with their JSON document embedded. It works offline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loganalyzer.common.formatting import plural
from loganalyzer.history.series import Series
from loganalyzer.history.trends import tabulate_series
from loganalyzer.report.history.document import trend_document
from loganalyzer.report.model import Mark, Trends
from loganalyzer.report.page import html
from loganalyzer.report.page.trends import build_trends

MOST_POINTS: Final = 400
"""Number of latest runs drawn per series: a year of nights, and some."""
MOST_DRAWN: Final = 24
_MARKS: Final = {"regressed": "error", "suspected": "warning"}


@dataclass(frozen=True, slots=True)
class TrendPage:
    """Everything that the template shows."""

    title: str
    mark: Mark
    reason: str
    period: str
    trends: Trends | None
    generated_at: str


def render_trends(series: Sequence[Series], generated_at: datetime) -> str:
    """The trends of all series on one page, the worst first."""
    table = tabulate_series(series, most_points=MOST_POINTS)
    return html.fill_template(
        "history.html.j2",
        _build_page(series, build_trends(table, most_drawn=MOST_DRAWN), generated_at),
        trend_document(series),
    )


def _build_page(series: Sequence[Series], trends: Trends | None, generated_at: datetime) -> TrendPage:
    verdicts = [one.verdict.verdict for one in series]
    worst = next((word for word in _MARKS if word in verdicts), None)
    counted = [f"{verdicts.count(word)} {word}" for word in _MARKS if word in verdicts]
    reason = f"{', '.join(counted) or 'none regressed'} of {plural(len(series), 'metric')}" if series else "no runs"
    moments = [point.at for one in series for point in one.points]
    return TrendPage(
        title=f"trends: {reason}",
        mark=Mark(worst or ("normal" if series else "empty"), _MARKS.get(worst or "", "ok" if series else "muted")),
        reason=reason,
        period=f"{min(moments):%Y-%m-%d} to {max(moments):%Y-%m-%d}" if moments else "",
        trends=trends,
        generated_at=f"{generated_at:%Y-%m-%d %H:%M} UTC",
    )
