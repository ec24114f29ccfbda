"""Writes the findings as Markdown, for a ticket or the summary of a CI job. It does not import the plotting library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loganalyzer.report.facts import Places, collect_runs
from loganalyzer.report.formats.interface import Result
from loganalyzer.report.page import findings
from loganalyzer.report.page.overview import build_overview, build_run_table
from loganalyzer.report.page_markdown import render_markdown
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.spool import Spool
from loganalyzer.tables.worst_runs import select_worst_runs

MOST_RUNS: Final = 200
"""Runs considered. The text shows only a few of them."""


class MarkdownDocument:
    """The findings as Markdown, of the worst runs."""

    def __init__(self, _spool: Spool) -> None:
        """Needs no spool: the result has everything."""

    def add(self, part: Analysis) -> None:
        """Needs no rows: the result has everything."""

    def finish(self, result: Result) -> Iterator[str]:
        """The text of the document."""
        yield render_analysis(result.analysis, result.settings)


def render_analysis(analysis: Analysis, settings: Settings) -> str:
    """The Markdown text: verdict, one row per run, the most severe findings with their log lines."""
    analysis = select_worst_runs(analysis, MOST_RUNS)
    places = Places(analysis.sources["source"].drop_nulls())
    runs = collect_runs(analysis, places)
    groups = findings.group_findings(analysis, {}, places, settings.patterns)
    first_screen = build_overview(analysis, groups, findings.first_steps(groups), left_out=())
    table = build_run_table(runs, analysis.totals.runs, {}, settings, pictures=False)
    return render_markdown(first_screen, table, groups, analysis.totals.runs)
