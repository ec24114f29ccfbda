"""Shows two runs side by side: figures of the same kind next to each other, settings in one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from loganalyzer.comparison.model import RunSet
from loganalyzer.report import words
from loganalyzer.report.facts import Places, RunFacts, collect_runs
from loganalyzer.report.model import Cell, Column, Figure, Pair, Table
from loganalyzer.report.page.details import draw_figures, setting_pairs
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.metrics import KEY

MOST_PAIRS: Final = 3
_NOT_COMPARED: Final = frozenset({"Log", "From line", "To line", "Run"})
"""Terms that always differ between two runs, or that the heading already shows."""


@dataclass(frozen=True, slots=True)
class RunPair:
    """A run of base and a run of head, with the same key if such a pair exists."""

    title: str
    table: Table
    figures: tuple[Figure, ...]


def run_pairs(base: RunSet, head: RunSet, settings: Settings) -> tuple[RunPair, ...]:
    """The latest runs of each key that base and head share; if they share none, the latest run of each.

    Empty if base or head comes from the history.
    """
    if base.analysis is None or head.analysis is None:
        return ()
    before, after = _collect(base.analysis), _collect(head.analysis)
    paired = list(_pair_by_key(before, after)) or [(before[-1], after[-1])]
    return tuple(
        _build_pair(number, one, other, settings) for number, (one, other) in enumerate(paired[:MOST_PAIRS], 1)
    )


def _collect(found: Analysis) -> tuple[RunFacts, ...]:
    return collect_runs(found, Places(found.sources["source"].drop_nulls()))


def _pair_by_key(before: Sequence[RunFacts], after: Sequence[RunFacts]) -> Iterator[tuple[RunFacts, RunFacts]]:
    latest = [{tuple(facts.run[name] for name in KEY): facts for facts in runs} for runs in (before, after)]
    for key, facts in latest[0].items():
        if key in latest[1]:
            yield facts, latest[1][key]


def _build_pair(number: int, base: RunFacts, head: RunFacts, settings: Settings) -> RunPair:
    named = {"base": replace(base, anchor=f"base-{number}"), "head": replace(head, anchor=f"head-{number}")}
    drawn = {
        which: {figure.title: figure for figure in draw_figures(facts, settings) if figure.title != "Memory growth"}
        for which, facts in named.items()
    }
    titles = dict.fromkeys(title for figures in drawn.values() for title in figures)
    figures = tuple(
        replace(drawn[which][title], title=f"{title}, {which}")
        for title in titles
        for which in named
        if title in drawn[which]
    )
    return RunPair(f"{base.place} and {head.place}", _setting_table(base, head, settings), figures)


def _setting_table(base: RunFacts, head: RunFacts, settings: Settings) -> Table:
    """One row per value that is in at least one of the logs. Rows that differ are marked."""
    texts = [
        {
            pair.term: pair.text
            for pair in (*_result_pairs(facts), *setting_pairs(facts, settings))
            if pair.term not in _NOT_COMPARED
        }
        for facts in (base, head)
    ]
    rows = []
    for term in dict.fromkeys([*texts[0], *texts[1]]):
        one, other = (found.get(term, words.DASH) for found in texts)
        if (one, other) != (words.DASH, words.DASH):
            rows.append((Cell(term), Cell(one), Cell(other, note="" if one == other else "differs")))
    return Table("Base and head, from the logs", (Column("Value"), Column("Base"), Column("Head")), tuple(rows))


def _result_pairs(facts: RunFacts) -> tuple[Pair, ...]:
    run = facts.run
    return (
        Pair("Status", words.or_dash(run["status"])),
        Pair("Windows observed", words.count(run["observed_windows"])),
        Pair("Frames without audio", words.count(run["missing_frames"])),
        Pair("Peak allocated", words.gib(run["peak_allocated_gib"])),
        Pair("Peak reserved", words.gib(run["peak_reserved_gib"])),
        Pair("Step median", words.step(facts.median_step)),
    )
