"""Renders a comparison as a single HTML file with its JSON document embedded. Like the report, it works offline."""

from __future__ import annotations

from datetime import datetime

from loganalyzer.comparison.model import Comparison, RunSet
from loganalyzer.report.comparison.document import to_json
from loganalyzer.report.comparison.page import build_comparison_page
from loganalyzer.report.comparison.runs import run_pairs
from loganalyzer.report.page import html
from loganalyzer.settings.model import Settings


def render_comparison(
    comparison: Comparison, generated_at: datetime, run_sets: tuple[RunSet, RunSet], settings: Settings
) -> str:
    """The page as HTML. `run_sets` are the compared runs, base and head, for the figures."""
    page = build_comparison_page(comparison, generated_at, run_pairs(*run_sets, settings))
    return html.fill_template("comparison.html.j2", page, to_json(comparison))
