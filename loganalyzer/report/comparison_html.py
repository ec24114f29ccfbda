"""A comparison as one HTML file, with its JSON document inside; offline, like the report."""

from __future__ import annotations

from datetime import datetime

from loganalyzer.comparison.model import Comparison
from loganalyzer.report import html
from loganalyzer.report.comparison_document import to_json
from loganalyzer.report.comparison_page import build


def render(comparison: Comparison, generated_at: datetime) -> str:
    """The whole page."""
    return html.filled("comparison.html.j2", build(comparison, generated_at), to_json(comparison))
