"""The page model of an analysis: every string finished, so that the templates only place them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loganalyzer.report import words
from loganalyzer.report.facts import Places, gather, gravest
from loganalyzer.report.model import Page
from loganalyzer.report.page import closing, details, findings
from loganalyzer.report.page.overview import overview, run_table
from loganalyzer.report.page.trends import trends
from loganalyzer.report.page_markdown import markdown

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
    """Everything that the page shows.

    Args:
        analysis: the tables.
        settings: what they were made with.
        generated_at: the time of writing, an argument so that the same input gives the same bytes.
    """
    places = Places(analysis.sources["source"].drop_nulls())
    runs = gather(analysis, places)
    detailed = gravest(runs, details.MOST_RUNS)
    links = {facts.run["run_id"]: f"#{facts.anchor}" for facts in detailed}
    groups = findings.groups(analysis, links, places, settings.patterns)
    seen = overview(analysis, groups, findings.first(groups), left_out=_left_out(runs, analysis.totals.runs))
    table = run_table(runs, analysis.totals.runs, links, settings)
    names = {facts.run["run_id"]: facts.place for facts in runs}
    lacking = {kind: closing.not_checked(analysis, names, places, kind) for kind in closing.CAPTIONS}
    return Page(
        title=f"{seen.mark.word}: {seen.headline}",
        generated_at=generated_at.strftime("%Y-%m-%d %H:%M:%S %Z").strip(),
        overview=seen,
        runs=table,
        groups=groups,
        details=_details(detailed, settings),
        details_rest=_beyond(len(runs)),
        trends=trends(analysis),
        not_checked=lacking["log"],
        not_configured=lacking["configuration"],
        not_applicable=lacking["not-applicable"],
        near_misses=closing.near_misses(analysis, places),
        inputs=closing.inputs(analysis),
        problems=tuple(words.visible(text) for text in analysis.problems),
        notes=tuple(words.visible(text) for text in analysis.notes),
        masked=closing.masked(analysis),
        unmasked=closing.UNMASKED[settings.redact],
        parameters=closing.parameters(settings),
        legend=closing.legend(settings),
        ticket=markdown(seen, table, groups, analysis.totals.runs),
    )


def _details(runs: Sequence[RunFacts], settings: Settings) -> tuple[Run, ...]:
    drawn = {facts.anchor for facts in gravest(runs, details.MOST_WITH_FIGURES)}
    few = len(runs) <= details.FEW
    return tuple(
        details.detail(facts, settings, drawn=facts.anchor in drawn, few=few, alone=len(runs) == 1) for facts in runs
    )


def _left_out(runs: Sequence[RunFacts], number: int) -> tuple[str, ...]:
    """What many runs leave no room for, said on the first screen; the page holds `runs` of so many."""
    said: tuple[str, ...] = ()
    if number > len(runs):
        said = (f"Of {number:,} runs the page holds the gravest {len(runs):,}; the counts are those of all.",)
    if len(runs) <= details.MOST_WITH_FIGURES:
        return said
    drawn = f"Drawings are shown for {details.MOST_WITH_FIGURES} of {len(runs):,} runs, the gravest first."
    return (*said, f"{drawn} {_beyond(len(runs))}".strip())


def _beyond(runs: int) -> str:
    left = runs - details.MOST_RUNS
    if left <= 0:
        return ""
    return f"{left:,} runs have a row only: give their log alone to see them in full."
