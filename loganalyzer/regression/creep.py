"""Finds slow creep: a rise too slow for a step, seen in the trend of all runs, measured from the best stable level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loganalyzer.regression.scan import BLOCK, is_constant, permutation_p, permuted_orders
from loganalyzer.regression.series import Numbers

STABLE_RUNS = 8
"""Consecutive runs whose mean counts as a level."""
SLOW_RUNS = 2 * STABLE_RUNS
"""Minimum length of a slope in runs. Faster changes are steps."""
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
    """A level followed by a straight slope: `begin` is its start, `left` the residual sum of squares."""

    begin: int
    left: float


def trend(values: Numbers) -> Trend | None:
    """The trend of `values` (shape (n,)), tested by block permutations; None for short or constant series."""
    count = len(values)
    if count < SLOW_RUNS or is_constant(values):
        return None
    time = np.arange(count) - (count - 1) / 2
    centered = values - values.mean()
    observed = float(centered @ time)
    permuted = centered[permuted_orders(count, BLOCK)] @ time
    p = min(1.0, 2 * min(permutation_p(observed, permuted), permutation_p(-observed, -permuted)))
    return Trend(observed > 0, observed / float(time @ time) * (count - 1), p)


def levels(values: Numbers) -> Numbers:
    """Means of all sequences of STABLE_RUNS consecutive runs, shape (n − STABLE_RUNS + 1,)."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    means: Numbers = (sums[STABLE_RUNS:] - sums[:-STABLE_RUNS]) / STABLE_RUNS
    return means


def drift(values: Numbers, rise: bool) -> tuple[float, float]:
    """The level at which a rise started (the lowest stable one; for a fall the highest), and the present level.

    `values`: shape (n,), n at least 2 · STABLE_RUNS.
    """
    means = levels(values)
    earlier = means[:-STABLE_RUNS]
    return float(earlier.min() if rise else earlier.max()), float(means[-1])


def slope(values: Numbers) -> Slope:
    """The best fit of a level followed by a straight slope; `values`: shape (n,), n at least SLOW_RUNS."""
    count = len(values)
    begins = np.arange(count - SLOW_RUNS + 1)
    lines = np.maximum(0, np.arange(count)[:, None] - begins).astype(np.float64)
    lines -= lines.mean(axis=0)
    centered = values - values.mean()
    steepness = centered @ lines / (lines**2).sum(axis=0)
    residuals = centered[:, None] - lines * steepness
    left = (residuals**2).sum(axis=0)
    best = int(left.argmin())
    return Slope(best, float(left[best]))


def is_gradual(values: Numbers, split: int, line: Slope) -> bool:
    """Whether the slope fits the series better than the step at `split`, by more than noise explains."""
    before, after = values[:split], values[split:]
    by_step = float(((before - before.mean()) ** 2).sum() + ((after - after.mean()) ** 2).sum())
    return by_step - line.left > GAIN * line.left / len(values)
