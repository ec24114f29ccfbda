"""All confirmed changes of one series: the scan finds the best split, then looks again in each of its parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from loganalyzer.regression import creep, spells
from loganalyzer.regression.scan import BLOCK, RESOLUTION, Step, scan
from loganalyzer.regression.series import Numbers, Series, change_percent, deviation, is_large

MINIMUM_RUNS = 8
"""No stretch of fewer runs is judged."""
FLOOR_PERCENT = 2.0
"""The smallest change that counts as one."""
LEVEL = 0.025
"""Two-sided p-value up to which a change is confirmed: it holds false alarms on correlated noise below 3 %."""
STEP_WEIGHT = 2
SPELL_WEIGHT = 3
CREEP_WEIGHT = 6
"""Three questions are asked of a series: a half of LEVEL goes to steps, a third to spells, a sixth to creep."""
SPELL_DEVIATIONS = 2.0
"""Run-to-run deviations by which a spell must differ: correlated noise wanders off and back by less."""
CLEAR_PERCENT = 10.0
CLEAR_DEVIATIONS = 8.0
"""A step beyond both, with a block of runs on either side, needs no permutations (regression-statistics trial)."""


@dataclass(frozen=True)
class Change:
    """A change of level.

    `index`: position, in the series as given, of the first run on the new level (of a creep: of its first run);
    `before`, `after`: the mean levels, spikes left out, in the metric's unit (of a creep: best stable and present);
    `change_percent`: of the size of `before`, None where that is 0; `worse`: by the metric's direction;
    `kind`: `step`, `creep` or `jump` (found by process control, see `nightly`); `runs_after`: runs since;
    `p`: two-sided p-value, corrected for having looked everywhere.
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
    slow = _creep(values, whole.best) if whole else None
    if slow is not None:
        change, deviates = slow
        return Found((_placed(change, series, higher_is_better),), change.p, deviates)
    p = min(1.0, whole.best.p * STEP_WEIGHT) if whole else 1.0
    steps = _prune(values, dict(_split(values, 0)))
    found = tuple(_placed(change, series, higher_is_better) for change in _levels(values, steps))
    return Found(found, p, noise(values, sorted(steps)))


def segments(count: int, splits: list[int]) -> list[tuple[int, int]]:
    """Start and end (exclusive) of the stretches between the splits of a series of `count` values."""
    return list(pairwise([0, *splits, count]))


def noise(values: Numbers, splits: list[int]) -> float:
    """Run-to-run deviation around the levels between the splits, in the metric's unit."""
    stretches = segments(len(values), splits)
    return deviation(np.concatenate([values[a:b] - values[a:b].mean() for a, b in stretches]), len(stretches))


def _split(values: Numbers, offset: int) -> Iterator[tuple[int, float]]:
    """Index and p-value of each confirmed split of `values`, which begin at `offset`: a cut, then within its parts."""
    splits, p = _cut(values)
    if not splits:
        return
    yield from ((offset + split, p) for split in splits)
    for start, end in segments(len(values), splits):
        yield from _split(values[start:end], offset + start)


def _cut(values: Numbers) -> tuple[list[int], float]:
    """Where to cut a stretch, once or (around a spell) twice, and the p-value; nowhere if chance explains it all."""
    scanned = scan(values, BLOCK, BLOCK)
    if scanned is None:
        return [], 1.0
    step = scanned.best
    if step.p * STEP_WEIGHT <= LEVEL:
        return [step.index], step.p * STEP_WEIGHT
    if _stands_out(values, [step.index], CLEAR_PERCENT, CLEAR_DEVIATIONS):
        return [step.index], RESOLUTION
    return _spell(values)


def _spell(values: Numbers) -> tuple[list[int], float]:
    """Where a spell begins and ends, and its p-value; as `_cut`."""
    found = spells.ends(values)
    if found is None or not _stands_out(values, [*found], FLOOR_PERCENT, SPELL_DEVIATIONS):
        return [], 1.0
    p = spells.p_value(values) * SPELL_WEIGHT
    if p <= LEVEL:
        return [*found], p
    return ([*found], RESOLUTION) if _stands_out(values, [*found], CLEAR_PERCENT, CLEAR_DEVIATIONS) else ([], 1.0)


def _stands_out(values: Numbers, splits: list[int], floor: float, deviations: float) -> bool:
    """Whether every step at the splits reaches `floor` percent and is beyond so many run-to-run deviations."""
    levels = [float(values[start:end].mean()) for start, end in segments(len(values), splits)]
    smallest = min(abs(after - before) for before, after in pairwise(levels))
    large = all(is_large(change_percent(before, after), floor) for before, after in pairwise(levels))
    return large and smallest > deviations * noise(values, splits)


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


def _creep(values: Numbers, step: Step) -> tuple[Change, float] | None:
    """A drift of the whole series that no single step explains as well, and the deviation around it.

    Positions as in `_levels`.
    """
    line = creep.trend(values)
    if line is None or line.rise != step.rise:
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
