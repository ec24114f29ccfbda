"""Two runs side by side: drawings of the same kind next to each other, settings in one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from loganalyzer.comparison.model import Side
from loganalyzer.report import words
from loganalyzer.report.facts import Places, RunFacts, gather
from loganalyzer.report.model import Cell, Column, Figure, Pair, Table
from loganalyzer.report.page.details import figures_of, settings_of
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.metrics import KEY

MOST_PAIRS: Final = 3
_OWN: Final = frozenset({"Log", "From line", "To line", "Run"})
"""What two runs never share, and what is said in the heading."""


@dataclass(frozen=True, slots=True)
class RunPair:
    """A run of the base and one of the head, of one kind where there is such a pair."""

    title: str
    table: Table
    figures: tuple[Figure, ...]


def run_pairs(base: Side, head: Side, settings: Settings) -> tuple[RunPair, ...]:
    """The latest runs of each kind that both sides have; else the latest of each. Nothing where a side is history."""
    if base.analysis is None or head.analysis is None:
        return ()
    before, after = _runs(base.analysis), _runs(head.analysis)
    paired = list(_paired(before, after)) or [(before[-1], after[-1])]
    return tuple(_pair(number, one, other, settings) for number, (one, other) in enumerate(paired[:MOST_PAIRS], 1))


def _runs(found: Analysis) -> tuple[RunFacts, ...]:
    return gather(found, Places(found.sources["source"].drop_nulls()))


def _paired(before: Sequence[RunFacts], after: Sequence[RunFacts]) -> Iterator[tuple[RunFacts, RunFacts]]:
    latest = [{tuple(facts.run[name] for name in KEY): facts for facts in side} for side in (before, after)]
    for key, facts in latest[0].items():
        if key in latest[1]:
            yield facts, latest[1][key]


def _pair(number: int, base: RunFacts, head: RunFacts, settings: Settings) -> RunPair:
    named = {"base": replace(base, anchor=f"base-{number}"), "head": replace(head, anchor=f"head-{number}")}
    drawn = {
        side: {figure.title: figure for figure in figures_of(facts, settings) if figure.title != "Memory growth"}
        for side, facts in named.items()
    }
    titles = dict.fromkeys(title for figures in drawn.values() for title in figures)
    figures = tuple(
        replace(drawn[side][title], title=f"{title}, {side}")
        for title in titles
        for side in named
        if title in drawn[side]
    )
    return RunPair(f"{base.place} and {head.place}", _settings(base, head, settings), figures)


def _settings(base: RunFacts, head: RunFacts, settings: Settings) -> Table:
    """What either log tells, a row each; rows that differ are marked."""
    told = [
        {pair.term: pair.text for pair in (*_outcome(facts), *settings_of(facts, settings)) if pair.term not in _OWN}
        for facts in (base, head)
    ]
    rows = []
    for term in dict.fromkeys([*told[0], *told[1]]):
        one, other = (side.get(term, words.NOTHING) for side in told)
        if (one, other) != (words.NOTHING, words.NOTHING):
            rows.append((Cell(term), Cell(one), Cell(other, note="" if one == other else "differs")))
    return Table("Base and head, what the logs tell", (Column("What"), Column("Base"), Column("Head")), tuple(rows))


def _outcome(facts: RunFacts) -> tuple[Pair, ...]:
    run = facts.run
    return (
        Pair("Status", words.told(run["status"])),
        Pair("Windows seen", words.count(run["observed_windows"])),
        Pair("Frames without audio", words.count(run["missing_frames"])),
        Pair("Peak allocated", words.gib(run["peak_allocated_gib"])),
        Pair("Peak reserved", words.gib(run["peak_reserved_gib"])),
        Pair("Median step", words.step(facts.median_step)),
    )
