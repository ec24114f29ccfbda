"""Builds the page model of an analysis. All strings are formatted here; the templates only lay them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loganalyzer.report import words
from loganalyzer.report.facts import Places, collect_runs, most_severe
from loganalyzer.report.model import Page
from loganalyzer.report.page import closing, details, findings
from loganalyzer.report.page.overview import build_overview, build_run_table
from loganalyzer.report.page.trends import build_trends
from loganalyzer.report.page_markdown import render_markdown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from loganalyzer.report.facts import RunFacts
    from loganalyzer.report.model import Run
    from loganalyzer.settings.model import Settings
    from loganalyzer.tables.analysis import Analysis


def build_page(
    analysis: Analysis,
    settings: Settings,
    generated_at: datetime,
) -> Page:
    """The page model.

    Args:
        analysis: the tables.
        settings: the settings that produced them.
        generated_at: the time of writing. It is an argument so that the same input gives the same bytes.
    """
    places = Places(analysis.sources["source"].drop_nulls())
    runs = collect_runs(analysis, places)
    detailed = most_severe(runs, details.MOST_RUNS)
    links = {facts.run["run_id"]: f"#{facts.anchor}" for facts in detailed}
    groups = findings.group_findings(analysis, links, places, settings.patterns)
    first_screen = build_overview(
        analysis, groups, findings.first_steps(groups), left_out=_limit_notices(runs, analysis.totals.runs)
    )
    table = build_run_table(runs, analysis.totals.runs, links, settings)
    names = {facts.run["run_id"]: facts.place for facts in runs}
    skipped = {kind: closing.not_checked_table(analysis, names, places, kind) for kind in closing.CAPTIONS}
    return Page(
        title=f"{first_screen.mark.word}: {first_screen.headline}",
        generated_at=generated_at.strftime("%Y-%m-%d %H:%M:%S %Z").strip(),
        overview=first_screen,
        runs=table,
        groups=groups,
        details=_build_runs(detailed, settings),
        details_rest=_rows_only_text(len(runs)),
        trends=build_trends(analysis.trends),
        not_checked=skipped["log"],
        not_configured=skipped["configuration"],
        not_applicable=skipped["not-applicable"],
        near_misses=closing.near_miss_table(analysis, places),
        inputs=closing.input_table(analysis),
        problems=tuple(words.visible(text) for text in analysis.problems),
        notes=tuple(words.visible(text) for text in analysis.notes),
        masked=closing.mask_table(analysis),
        unmasked=closing.NO_MASKS[settings.redact],
        parameters=closing.parameter_pairs(settings),
        legend=closing.glossary(settings),
        ticket=render_markdown(first_screen, table, groups, analysis.totals.runs),
    )


def _build_runs(runs: Sequence[RunFacts], settings: Settings) -> tuple[Run, ...]:
    drawn = {facts.anchor for facts in most_severe(runs, details.MOST_WITH_FIGURES)}
    return tuple(details.build_run(facts, settings, drawn=facts.anchor in drawn, number=len(runs)) for facts in runs)


def _limit_notices(runs: Sequence[RunFacts], number: int) -> tuple[str, ...]:
    """Notices for the first screen about what the page omits. `number` counts all runs, `runs` are on the page."""
    notices: tuple[str, ...] = ()
    if number > len(runs):
        notices = (f"This page shows the {len(runs):,} worst of {number:,} runs. The counts include all runs.",)
    if len(runs) <= details.MOST_WITH_FIGURES:
        return notices
    drawn = f"Only the {details.MOST_WITH_FIGURES} worst of {len(runs):,} runs have figures."
    return (*notices, f"{drawn} {_rows_only_text(len(runs))}".strip())


def _rows_only_text(runs: int) -> str:
    left = runs - details.MOST_RUNS
    if left <= 0:
        return ""
    return f"{left:,} runs have only a table row. To see one in full, analyze its log alone."
