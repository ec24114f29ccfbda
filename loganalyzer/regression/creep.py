"""Slow creep: a rise too slow for any step, seen in the trend of all runs, measured against the best stable level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loganalyzer.regression.scan import BLOCK, arrangements, chance, is_constant
from loganalyzer.regression.series import Numbers

STABLE_RUNS = 8
"""Neighbouring runs whose mean counts as a level."""
SLOW_RUNS = 2 * STABLE_RUNS
"""A slope lasts so many runs at least: what is quicker is a step."""
GAIN = 6.0
"""Noise variances by which a slope must fit better than a step: a likelihood ratio of e³ = 20."""


@dataclass(frozen=True)
class Trend:
    """The straight line through a series: `total` is its rise from first to last run, in the metric's unit."""

    rise: bool
    total: float
    p: float


@dataclass(frozen=True)
class Slope:
    """A level that turns into a straight slope: `begin` is where, `left` the sum of squares it leaves unexplained."""

    begin: int
    left: float


def trend(values: Numbers) -> Trend | None:
    """The trend of `values` (shape (n,)) against block permutations; None for constant series."""
    count = len(values)
    if count < SLOW_RUNS or is_constant(values):
        return None
    time = np.arange(count) - (count - 1) / 2
    centred = values - values.mean()
    observed = float(centred @ time)
    permuted = centred[arrangements(count, BLOCK)] @ time
    p = min(1.0, 2 * min(chance(observed, permuted), chance(-observed, -permuted)))
    return Trend(observed > 0, observed / float(time @ time) * (count - 1), p)


def levels(values: Numbers) -> Numbers:
    """Means of all stretches of STABLE_RUNS neighboring runs, shape (n − STABLE_RUNS + 1,)."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    means: Numbers = (sums[STABLE_RUNS:] - sums[:-STABLE_RUNS]) / STABLE_RUNS
    return means


def drift(values: Numbers, rise: bool) -> tuple[float, float]:
    """The level that a rise started from (the lowest stable one; for a fall the highest) and the present level.

    `values`: shape (n,), at least two stretches of STABLE_RUNS.
    """
    means = levels(values)
    earlier = means[:-STABLE_RUNS]
    return float(earlier.min() if rise else earlier.max()), float(means[-1])


def slope(values: Numbers) -> Slope:
    """The best level that turns into a straight slope, through `values`, shape (n,), n at least SLOW_RUNS."""
    count = len(values)
    begins = np.arange(count - SLOW_RUNS + 1)
    lines = np.maximum(0, np.arange(count)[:, None] - begins).astype(np.float64)
    lines -= lines.mean(axis=0)
    centred = values - values.mean()
    steepness = centred @ lines / (lines**2).sum(axis=0)
    residuals = centred[:, None] - lines * steepness
    left = (residuals**2).sum(axis=0)
    best = int(left.argmin())
    return Slope(best, float(left[best]))


def is_gradual(values: Numbers, split: int, line: Slope) -> bool:
    """Whether the slope explains the series better than the step at `split`, by more than noise would have it."""
    before, after = values[:split], values[split:]
    by_step = float(((before - before.mean()) ** 2).sum() + ((after - after.mean()) ** 2).sum())
    return by_step - line.left > GAIN * line.left / len(values)
