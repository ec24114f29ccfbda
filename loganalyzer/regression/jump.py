"""Compares the newest nights of a series with its normal range, by process control."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from loganalyzer.regression.control import (
    MIN_NIGHTS,
    MOST_NIGHTS,
    Floors,
    Reference,
    Rule,
    limit,
    median_limit,
    pooled_share,
)
from loganalyzer.regression.nights import ADOPTED_WORSE, Follower, NightState, NightWord
from loganalyzer.regression.series import Numbers, change_percent, is_measurement, to_numbers

NORMAL_SCATTERS: Final = 3.0
"""Half-width of the normal range in scatters: it covers 997 of 1,000 nights of Gaussian noise."""
MOST_POOLED: Final = 12
"""Maximum number of runs in one night. More runs are an import of old logs, and each counts as a night."""
MOST_FOLLOWED: Final = MOST_NIGHTS + ADOPTED_WORSE
"""Number of latest nights considered: a full reference, and the longest spell after it."""
FALSE_ALARM_RATE: Final = 0.003
"""Maximum fraction of normal nights reported as worse, for any noise (simulated: docs/false-alarms.md)."""


@dataclass(frozen=True, eq=False)
class Night:
    """The runs of one night: their median, their number, and the index of the first of them in the series."""

    value: float
    runs: int
    first: int


@dataclass(frozen=True)
class NormalRange:
    """The normal range of one night, in the metric's unit, and the number of nights that it is based on."""

    level: float
    low: float
    high: float
    scatter: float
    nights: int


@dataclass(frozen=True, eq=False)
class Jump:
    """The newest nights compared with the normal range.

    Attributes:
        word: the verdict; `unknown` with fewer than MIN_NIGHTS earlier nights.
        normal: the normal range; None if it is unknown.
        tonight: the value of the newest night.
        since: index in the series of the first run of the spell; None outside a spell.
        spell: number of nights in the present spell, and their median.
        rule: the rule that found the spell, and its limits per night and for the median, in the metric's unit.
        ended: the last `worse` spell that is over: index of its first run, and of the first normal run after it.
        back: nights since then.
        missing: number of nights still needed for a verdict.
        follower: the state of the series, for forecasts.
        runs: median number of runs per night.
    """

    word: NightWord
    normal: NormalRange | None
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
        """Deviation of the newest night from the normal level, in percent of the level."""
        return None if self.normal is None else change_percent(self.normal.level, self.tonight)

    @property
    def scatters(self) -> float:
        """Deviation of the newest night from the normal level, in scatters; infinite if the scatter is 0."""
        if self.normal is None:
            return 0.0
        distance = abs(self.tonight - self.normal.level)
        return distance / self.normal.scatter if self.normal.scatter else float("inf")


def judge_nights(
    values: Iterable[float | None],
    nights: Sequence[object] | None = None,
    *,
    higher_is_better: bool = False,
    floors: Floors | None = None,
) -> Jump:
    """The verdict on the newest of `values`, oldest first.

    `nights` assigns each run to a night; without it, each run is a night. Runs without a value are ignored.
    """
    floors = floors or Floors()
    pooled = pool_nights(to_numbers(values), nights)[-MOST_FOLLOWED:]
    follower, sign = Follower(floors), -1.0 if higher_is_better else 1.0
    runs_per_night = float(np.median([night.runs for night in pooled])) if pooled else 1.0
    states = [follower.step(sign * night.value, pooled_share(night.runs, runs_per_night)) for night in pooled]
    if not states:
        return Jump("unknown", None, float("nan"), None, None, None, None, 0, MIN_NIGHTS + 1, follower, 1.0)
    state, newest = states[-1], pooled[-1]
    spell = state.word in {"worse", "better"} and state.since is not None
    since = state.since if spell else None
    level = None if since is None else float(np.median([night.value for night in pooled[since:]]))
    return Jump(
        state.word,
        _normal_range(state.reference, sign, floors),
        newest.value,
        None if since is None else pooled[since].first,
        None if since is None or level is None else (len(pooled) - since, level),
        _rule_limits(state, floors),
        None if state.ended is None else (pooled[state.ended[0]].first, pooled[state.ended[1] + 1].first),
        0 if state.ended is None else len(pooled) - 1 - state.ended[1],
        max(0, MIN_NIGHTS + 1 - len(pooled)),
        follower,
        runs_per_night,
    )


def pool_nights(values: Numbers, nights: Sequence[object] | None = None) -> list[Night]:
    """The nights of a series, each with the median of its runs, in the order of their first runs.

    If a night has more than MOST_POOLED runs, or if all runs belong to one night, each run counts as a night.
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


def _normal_range(reference: Reference | None, sign: float, floors: Floors) -> NormalRange | None:
    if reference is None:
        return None
    level = sign * reference.level
    half_width = max(NORMAL_SCATTERS * reference.scatter * reference.widening, floors.least)
    return NormalRange(level, level - half_width, level + half_width, reference.scatter, len(reference.nights))


def _rule_limits(state: NightState, floors: Floors) -> tuple[Rule, float, float] | None:
    if state.rule is None or state.reference is None:
        return None
    reference = state.reference if state.word == "worse" else state.reference.mirrored
    return state.rule, limit(reference, state.rule, floors), median_limit(reference, state.rule, floors)
