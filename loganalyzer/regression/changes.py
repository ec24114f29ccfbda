"""Finds all confirmed changes of one series: the scan splits it at the best place, then scans each part again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from loganalyzer.regression import creep, spells
from loganalyzer.regression.scan import BLOCK, RESOLUTION, Step, scan
from loganalyzer.regression.series import Numbers, Series, change_percent, deviation, is_large

MIN_RUNS = 8
"""Shorter series are not judged."""
FLOOR_PERCENT = 2.0
"""The smallest change that counts."""
LEVEL = 0.025
"""Two-sided p-value up to which a change is confirmed. It keeps false alarms on correlated noise below 3 %."""
STEP_WEIGHT = 2
SPELL_WEIGHT = 3
CREEP_WEIGHT = 6
"""A series is tested three times: steps get one half of LEVEL, spells a third, creep a sixth."""
SPELL_DEVIATIONS = 2.0
"""Minimum size of a spell in run-to-run deviations: correlated noise drifts away and back by less."""
CLEAR_PERCENT = 10.0
CLEAR_DEVIATIONS = 8.0
"""A step larger than both, with a block of runs before and after, needs no permutations (regression-statistics
trial)."""


@dataclass(frozen=True)
class Change:
    """A change of level.

    Attributes:
        index: position in the original series of the first run on the new level (of a creep: of its first run).
        before, after: the mean levels without spikes, in the metric's unit (of a creep: best stable and present).
        change_percent: the change in percent of `before`; None if that is 0.
        worse: whether the change is for the worse, by the metric's direction.
        kind: `step`, `creep` or `jump` (found by process control, see `nightly`).
        runs_after: runs since the change.
        p: two-sided p-value, corrected for testing all positions.
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
class ScanResult:
    """The confirmed changes in order, the p-value of the full series, and the run-to-run deviation around its levels.

    `noise` is in the metric's unit. If the series creeps, it is the deviation around the slope.
    """

    changes: tuple[Change, ...]
    p: float
    noise: float


def find_changes(series: Series, higher_is_better: bool) -> ScanResult:
    """The confirmed changes of a cleaned series of at least MIN_RUNS values."""
    values = series.values
    scanned = scan(values, BLOCK, BLOCK)
    found_creep = _find_creep(values, scanned.best) if scanned else None
    if found_creep is not None:
        change, creep_noise = found_creep
        return ScanResult((_to_original(change, series, higher_is_better),), change.p, creep_noise)
    p = min(1.0, scanned.best.p * STEP_WEIGHT) if scanned else 1.0
    steps = _drop_small_splits(values, dict(_split_recursively(values, 0)))
    changes = tuple(_to_original(change, series, higher_is_better) for change in _step_changes(values, steps))
    return ScanResult(changes, p, noise(values, sorted(steps)))


def segments(count: int, splits: list[int]) -> list[tuple[int, int]]:
    """Start and end (exclusive) of the segments between the splits of a series of `count` values."""
    return list(pairwise([0, *splits, count]))


def noise(values: Numbers, splits: list[int]) -> float:
    """Run-to-run deviation around the levels between the splits, in the metric's unit."""
    parts = segments(len(values), splits)
    return deviation(np.concatenate([values[a:b] - values[a:b].mean() for a, b in parts]), len(parts))


def _split_recursively(values: Numbers, offset: int) -> Iterator[tuple[int, float]]:
    """Index and p-value of each confirmed split of `values`, which start at `offset`; then the splits of each part."""
    splits, p = _find_splits(values)
    if not splits:
        return
    yield from ((offset + split, p) for split in splits)
    for start, end in segments(len(values), splits):
        yield from _split_recursively(values[start:end], offset + start)


def _find_splits(values: Numbers) -> tuple[list[int], float]:
    """The split of a segment (two around a spell), and its p-value; no split if chance explains the segment."""
    scanned = scan(values, BLOCK, BLOCK)
    if scanned is None:
        return [], 1.0
    step = scanned.best
    if step.p * STEP_WEIGHT <= LEVEL:
        return [step.index], step.p * STEP_WEIGHT
    if _stands_out(values, [step.index], CLEAR_PERCENT, CLEAR_DEVIATIONS):
        return [step.index], RESOLUTION
    return _find_spell(values)


def _find_spell(values: Numbers) -> tuple[list[int], float]:
    """The start and end of a spell, and its p-value, in the form of `_find_splits`."""
    found = spells.find_limits(values)
    if found is None or not _stands_out(values, [*found], FLOOR_PERCENT, SPELL_DEVIATIONS):
        return [], 1.0
    p = spells.p_value(values) * SPELL_WEIGHT
    if p <= LEVEL:
        return [*found], p
    return ([*found], RESOLUTION) if _stands_out(values, [*found], CLEAR_PERCENT, CLEAR_DEVIATIONS) else ([], 1.0)


def _stands_out(values: Numbers, splits: list[int], floor: float, deviations: float) -> bool:
    """Whether every step at the splits reaches `floor` percent and exceeds `deviations` run-to-run deviations."""
    levels = [float(values[start:end].mean()) for start, end in segments(len(values), splits)]
    smallest = min(abs(after - before) for before, after in pairwise(levels))
    large = all(is_large(change_percent(before, after), floor) for before, after in pairwise(levels))
    return large and smallest > deviations * noise(values, splits)


def _drop_small_splits(values: Numbers, splits: dict[int, float]) -> dict[int, float]:
    """Removes splits whose change is below the floor, smallest first."""
    while splits:
        places = sorted(splits)
        means = [float(values[a:b].mean()) for a, b in segments(len(values), places)]
        sizes = [change_percent(before, after) for before, after in pairwise(means)]
        small = [(abs(size), place) for size, place in zip(sizes, places, strict=True) if size is not None]
        if not small or is_large(min(small)[0], FLOOR_PERCENT):
            break
        splits = {place: p for place, p in splits.items() if place != min(small)[1]}
    return splits


def _step_changes(values: Numbers, splits: dict[int, float]) -> Iterator[Change]:
    """The splits as changes. Positions refer to the cleaned series; `worse` means higher."""
    places = sorted(splits)
    means = [float(values[a:b].mean()) for a, b in segments(len(values), places)]
    for place, (before, after) in zip(places, pairwise(means), strict=True):
        percent = change_percent(before, after)
        yield Change(place, before, after, percent, after > before, "step", len(values) - place, splits[place])


def _find_creep(values: Numbers, step: Step) -> tuple[Change, float] | None:
    """A drift of the full series that no single step explains equally well, and the deviation around it; else None.

    Positions are as in `_step_changes`.
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


def _to_original(change: Change, series: Series, higher_is_better: bool) -> Change:
    """The change with positions of the original series, and `worse` by the metric's direction."""
    place = int(series.positions[change.index])
    after = int(np.count_nonzero(series.positions >= place))
    return replace(change, index=place, runs_after=after, worse=change.worse != higher_is_better)
