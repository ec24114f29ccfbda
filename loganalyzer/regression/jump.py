"""Are the newest nights worse than what a series normally does? Runs in, the verdict of process control out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from loganalyzer.regression.control import (
    FEWEST_NIGHTS,
    MOST_NIGHTS,
    Floors,
    Reference,
    Rule,
    limit,
    median_limit,
    pooled_share,
)
from loganalyzer.regression.nights import ADOPTED_WORSE, Follower, NightWord, State
from loganalyzer.regression.series import Numbers, change_percent, is_measurement, numbers

NORMAL_SCATTERS: Final = 3.0
"""Scatters on either side of the level that the normal range covers: 997 of 1,000 nights of gaussian noise."""
MOST_POOLED: Final = 12
"""Runs of one night at most. More at the same time are an import of old logs: each then counts as a night."""
MOST_FOLLOWED: Final = MOST_NIGHTS + ADOPTED_WORSE
"""Latest nights that are followed: a full reference, and the longest spell after it."""
FALSE_RED: Final = 0.003
"""Share of normal nights that are red at most, whatever the noise (simulated: docs/false-alarms.md)."""


@dataclass(frozen=True, eq=False)
class Night:
    """Runs of one night: their median, how many they are, and the place of the first of them in the series."""

    value: float
    runs: int
    first: int


@dataclass(frozen=True)
class Range:
    """What is normal for one night, in the metric's unit, and how many nights say so."""

    level: float
    low: float
    high: float
    scatter: float
    nights: int


@dataclass(frozen=True, eq=False)
class Jump:
    """The newest nights against the normal range.

    Attributes:
        word: `unknown` with fewer than FEWEST_NIGHTS nights before.
        normal: the normal range; None where it is unknown.
        tonight: the newest night's value.
        since: place in the series of the spell's first run; None outside a spell.
        spell: nights of the present spell, and their median.
        rule: by which the spell was found, and its limits for each night and for their median, in the metric's unit.
        ended: places of the last spell for the worse that is over: its first run, and the first normal run after it.
        back: nights since then.
        missing: nights still missing for a verdict.
        follower: to go on with, for forecasts.
        runs: runs of a night, median.
    """

    word: NightWord
    normal: Range | None
    tonight: float
    since: int | None
    spell: tuple[int, float] | None
    rule: tuple[Rule, float, float] | None
    ended: tuple[int, int] | None
    back: int
    missing: int
    follower: Follower
    runs: float

    @property
    def percent(self) -> float | None:
        """Tonight's deviation from the normal level in percent of it."""
        return None if self.normal is None else change_percent(self.normal.level, self.tonight)

    @property
    def scatters(self) -> float:
        """Tonight's deviation from the normal level in scatters; infinite where there is none."""
        if self.normal is None:
            return 0.0
        distance = abs(self.tonight - self.normal.level)
        return distance / self.normal.scatter if self.normal.scatter else float("inf")


def watch(
    values: Iterable[float | None],
    nights: Sequence[object] | None = None,
    *,
    higher_is_better: bool = False,
    floors: Floors | None = None,
) -> Jump:
    """The verdict on the newest of `values`, oldest first.

    `nights` says of each run to which night it belongs; without it each run is a night. Runs without a number are left
    out.
    """
    floors = floors or Floors()
    pooled = pool(numbers(values), nights)[-MOST_FOLLOWED:]
    follower, sign = Follower(floors), -1.0 if higher_is_better else 1.0
    usual = float(np.median([night.runs for night in pooled])) if pooled else 1.0
    states = [follower.step(sign * night.value, pooled_share(night.runs, usual)) for night in pooled]
    if not states:
        return Jump("unknown", None, float("nan"), None, None, None, None, 0, FEWEST_NIGHTS + 1, follower, 1.0)
    state, newest = states[-1], pooled[-1]
    spell = state.word in {"worse", "better"} and state.since is not None
    since = state.since if spell else None
    level = None if since is None else float(np.median([night.value for night in pooled[since:]]))
    return Jump(
        state.word,
        _range(state.reference, sign, floors),
        newest.value,
        None if since is None else pooled[since].first,
        None if since is None or level is None else (len(pooled) - since, level),
        _rule(state, floors),
        None if state.ended is None else (pooled[state.ended[0]].first, pooled[state.ended[1] + 1].first),
        0 if state.ended is None else len(pooled) - 1 - state.ended[1],
        max(0, FEWEST_NIGHTS + 1 - len(pooled)),
        follower,
        usual,
    )


def pool(values: Numbers, nights: Sequence[object] | None = None) -> list[Night]:
    """The nights of a series: medians of the runs of each, in the order of their first runs.

    Runs of one night stand together. More than MOST_POOLED of them, or runs of which all are of one night, tell nothing
    of nights: each counts for itself.
    """
    usable = np.flatnonzero(is_measurement(values))
    if nights is None or len(set(nights)) < 2:
        return [Night(float(values[place]), 1, int(place)) for place in usable]
    groups: dict[object, list[int]] = {}
    for place in usable.tolist():
        groups.setdefault(nights[place], []).append(place)
    found = []
    for places in groups.values():
        if len(places) > MOST_POOLED:
            found += [Night(float(values[place]), 1, place) for place in places]
        else:
            found.append(Night(float(np.median(values[places])), len(places), places[0]))
    return found


def _range(reference: Reference | None, sign: float, floors: Floors) -> Range | None:
    if reference is None:
        return None
    level = sign * reference.level
    reach = max(NORMAL_SCATTERS * reference.scatter * reference.widening, floors.least)
    return Range(level, level - reach, level + reach, reference.scatter, len(reference.nights))


def _rule(state: State, floors: Floors) -> tuple[Rule, float, float] | None:
    if state.rule is None or state.reference is None:
        return None
    reference = state.reference if state.word == "worse" else state.reference.mirrored
    return state.rule, limit(reference, state.rule, floors), median_limit(reference, state.rule, floors)
