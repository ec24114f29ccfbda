"""A comparison as one HTML file, with its JSON document inside; offline, like the report."""

from __future__ import annotations

from datetime import datetime

from loganalyzer.comparison.model import Comparison, Side
from loganalyzer.report.comparison.document import to_json
from loganalyzer.report.comparison.page import build
from loganalyzer.report.comparison.runs import run_pairs
from loganalyzer.report.page import html
from loganalyzer.settings.model import Settings


def render(comparison: Comparison, generated_at: datetime, sides: tuple[Side, Side], settings: Settings) -> str:
    """The whole page; `sides` are what was compared, base and head, for the drawings."""
    page = build(comparison, generated_at, run_pairs(*sides, settings))
    return html.filled("comparison.html.j2", page, to_json(comparison))
