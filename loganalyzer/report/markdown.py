"""The findings as Markdown, for a ticket or a job's summary; draws nothing, so it needs no plotting library."""

from __future__ import annotations

from loganalyzer.analysis import Analysis
from loganalyzer.report import findings
from loganalyzer.report.facts import Places, gather
from loganalyzer.report.overview import overview, run_table
from loganalyzer.report.ticket_text import markdown
from loganalyzer.settings import Settings


def render(analysis: Analysis, settings: Settings) -> str:
    """Verdict, one row per run, the gravest findings with their lines."""
    places = Places(analysis.sources["source"].drop_nulls())
    runs = gather(analysis, places)
    groups = findings.groups(analysis, {}, places, settings.patterns)
    seen = overview(analysis, groups, findings.first(groups), left_out=())
    return markdown(seen, run_table(runs, {}, settings, pictures=False), groups)
