"""All confirmed changes of one series: the scan finds the best split, then looks again on either side of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from loganalyzer.regression import creep
from loganalyzer.regression.scan import BLOCK, RESOLUTION, Step, scan
from loganalyzer.regression.series import Numbers, Series, change_percent, deviation, is_large

MINIMUM_RUNS = 8
"""No stretch of fewer runs is judged."""
FLOOR_PERCENT = 2.0
"""The smallest change that counts as one."""
LEVEL = 0.02
"""Two-sided p-value up to which a change is confirmed: it holds false alarms on correlated noise below 3 %."""
STEP_WEIGHT = 4 / 3
CREEP_WEIGHT = 4.0
"""Two questions are asked of a series: three quarters of LEVEL go to steps, a quarter to creep."""
CLEAR_PERCENT = 10.0
CLEAR_DEVIATIONS = 8.0
"""A step beyond both, with a block of runs on either side, needs no permutations (regression-statistics trial)."""


@dataclass(frozen=True)
class Change:
    """A change of level.

    `index`: position, in the series as given, of the first run on the new level (of a creep: of its first run);
    `before`, `after`: the mean levels, spikes left out, in the metric's unit (of a creep: best stable and present);
    `change_percent`: of the size of `before`, None where that is 0; `worse`: by the metric's direction;
    `kind`: `step` or `creep`; `runs_after`: runs since; `p`: two-sided p-value, corrected for having looked everywhere.
    """

    index: int
    before: float
    after: float
    change_percent: float | None
    worse: bool
    kind: str
    runs_after: int
    p: float


@dataclass(frozen=True)
class Found:
    """The confirmed changes in order, the p-value of the whole series, and the run-to-run deviation around its levels.

    `noise` is in the metric's unit; around the slope where the series creeps.
    """

    changes: tuple[Change, ...]
    p: float
    noise: float


def find(series: Series, higher_is_better: bool) -> Found:
    """The confirmed changes of a cleaned series of at least MINIMUM_RUNS values."""
    values = series.values
    whole = scan(values, BLOCK, BLOCK)
    p = min(1.0, whole.p * STEP_WEIGHT) if whole else 1.0
    slow = _creep(values, whole)
    if slow is not None:
        change, deviates = slow
        return Found((_placed(change, series, higher_is_better),), change.p, deviates)
    steps = _prune(values, dict(_split(values, 0, whole)))
    found = tuple(_placed(change, series, higher_is_better) for change in _levels(values, steps))
    return Found(found, p, noise(values, sorted(steps)))


def segments(count: int, splits: list[int]) -> list[tuple[int, int]]:
    """Start and end (exclusive) of the stretches between the splits of a series of `count` values."""
    return list(pairwise([0, *splits, count]))


def noise(values: Numbers, splits: list[int]) -> float:
    """Run-to-run deviation around the levels between the splits, in the metric's unit."""
    stretches = segments(len(values), splits)
    return deviation(np.concatenate([values[a:b] - values[a:b].mean() for a, b in stretches]), len(stretches))


def _split(values: Numbers, offset: int, step: Step | None) -> Iterator[tuple[int, float]]:
    """Index and p-value of each confirmed split, by halving; `step` is the best split of `values`."""
    if step is None or len(values) < MINIMUM_RUNS:
        return
    p = min(1.0, step.p * STEP_WEIGHT)
    if p > LEVEL:
        if not is_clear(values, step.index):
            return
        p = RESOLUTION
    yield offset + step.index, p
    for start, half in ((offset, values[: step.index]), (offset + step.index, values[step.index :])):
        yield from _split(half, start, scan(half, BLOCK, BLOCK))


def is_clear(values: Numbers, split: int) -> bool:
    """Whether the step is beyond CLEAR_PERCENT and CLEAR_DEVIATIONS, so that few runs suffice."""
    before, after = float(values[:split].mean()), float(values[split:].mean())
    beyond = abs(after - before) > CLEAR_DEVIATIONS * noise(values, [split])
    return beyond and is_large(change_percent(before, after), CLEAR_PERCENT)


def _prune(values: Numbers, splits: dict[int, float]) -> dict[int, float]:
    """Without the splits whose change is below the floor, the smallest taken away first."""
    while splits:
        places = sorted(splits)
        means = [float(values[a:b].mean()) for a, b in segments(len(values), places)]
        sizes = [change_percent(before, after) for before, after in pairwise(means)]
        small = [(abs(size), place) for size, place in zip(sizes, places, strict=True) if size is not None]
        if not small or is_large(min(small)[0], FLOOR_PERCENT):
            break
        splits = {place: p for place, p in splits.items() if place != min(small)[1]}
    return splits


def _levels(values: Numbers, splits: dict[int, float]) -> Iterator[Change]:
    """The splits as changes; positions are those of the cleaned series, `worse` says higher."""
    places = sorted(splits)
    means = [float(values[a:b].mean()) for a, b in segments(len(values), places)]
    for place, (before, after) in zip(places, pairwise(means), strict=True):
        percent = change_percent(before, after)
        yield Change(place, before, after, percent, after > before, "step", len(values) - place, splits[place])


def _creep(values: Numbers, step: Step | None) -> tuple[Change, float] | None:
    """A drift of the whole series that no single step explains as well, and the deviation around it.

    Positions as in `_levels`.
    """
    line = creep.trend(values)
    if line is None or step is None or line.rise != step.rise:
        return None
    p = min(1.0, line.p * CREEP_WEIGHT)
    slope = creep.slope(values)
    if p > LEVEL or not creep.is_gradual(values, step.index, slope):
        return None
    before, after = creep.drift(values, line.rise)
    percent, by_line = change_percent(before, after), change_percent(before, before + line.total)
    rises = (after > before) == line.rise
    if not (rises and is_large(percent, FLOOR_PERCENT) and is_large(by_line, FLOOR_PERCENT)):
        return None
    begin = max(1, slope.begin)
    change = Change(begin, before, after, percent, line.rise, "creep", len(values) - begin, p)
    return change, float(np.sqrt(slope.left / (len(values) - 3)))


def _placed(change: Change, series: Series, higher_is_better: bool) -> Change:
    """The change in terms of the series as given, and of the metric's direction."""
    place = int(series.positions[change.index])
    after = int(np.count_nonzero(series.positions >= place))
    return replace(change, index=place, runs_after=after, worse=change.worse != higher_is_better)
