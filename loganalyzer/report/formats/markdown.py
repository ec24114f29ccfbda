"""The findings as Markdown, for a ticket or a job's summary; draws nothing, so it needs no plotting library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loganalyzer.report.facts import Places, gather
from loganalyzer.report.formats.interface import Result
from loganalyzer.report.page import findings
from loganalyzer.report.page.overview import overview, run_table
from loganalyzer.report.page_markdown import markdown
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.spool import Spool
from loganalyzer.tables.worst_runs import select_worst_runs

MOST_RUNS: Final = 200
"""Runs that are looked at; the text has room for a few."""


class MarkdownDocument:
    """The findings as Markdown, of the worst runs."""

    def __init__(self, _spool: Spool) -> None:
        """Needs no spool: the result has everything."""

    def add(self, part: Analysis) -> None:
        """Needs no rows: the result has everything."""

    def finish(self, result: Result) -> Iterator[str]:
        """The text of the document."""
        yield render(result.analysis, result.settings)


def render(analysis: Analysis, settings: Settings) -> str:
    """Verdict, one row per run, the gravest findings with their lines."""
    analysis = select_worst_runs(analysis, MOST_RUNS)
    places = Places(analysis.sources["source"].drop_nulls())
    runs = gather(analysis, places)
    groups = findings.groups(analysis, {}, places, settings.patterns)
    seen = overview(analysis, groups, findings.first(groups), left_out=())
    table = run_table(runs, analysis.totals.runs, {}, settings, pictures=False)
    return markdown(seen, table, groups, analysis.totals.runs)
