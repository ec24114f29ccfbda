"""Finds the best split of a series into two levels, and how often chance gives an equally good split.

The statistic is that of a t-test with a common variance at the best split. Permuting keeps the sum of squares, so
ordering permutations by t is the same as ordering them by the difference of the means times √(k(n−k)/n). One cumulative
sum gives that for all splits of all permutations. Using the best split of each permutation corrects for testing all
splits: a detector without this correction had 4–48 % false alarms at a nominal 0.1 % (regression-statistics trial).

If consecutive runs are correlated (warm GPUs, busy hosts), permuting single runs gives 22 % false alarms. Permuting
blocks of four consecutive runs keeps the correlation and gives 3 % (same trial). The start of the blocks is drawn for
each permutation, so that the verdict does not depend on the position of a change relative to the blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from loganalyzer.regression.series import ROUNDING, Numbers, Places

BLOCK = 4
"""Consecutive runs that are permuted together to confirm a change."""
PERMUTATIONS = 1999
RESOLUTION = 2 / (PERMUTATIONS + 1)
"""The smallest possible two-sided p-value with this number of permutations."""
_SEED = 20250905
_MOST_CACHED_RUNS = 128
"""Permutations of this many runs take 2 MB. Those of longer series are not cached."""


@dataclass(frozen=True)
class Step:
    """A split: `index` of the first value on the new level, whether the level rises, and the two-sided p-value."""

    index: int
    rise: bool
    p: float


@dataclass(frozen=True)
class ScannedSteps:
    """The best split upward and the best one downward; `best` is the less likely one by chance."""

    up: Step
    down: Step
    best: Step


def scan(values: Numbers, block: int, margin: int) -> ScannedSteps | None:
    """The steps that are least likely by chance; None for constant series and for series shorter than two margins.

    `values`: shape (n,), finite; `block`: number of runs permuted together; `margin`: minimum number of runs before
    and after a split.
    """
    count = len(values)
    centered = values - values.mean() if count else values
    if count < 2 * margin or is_constant(values):
        return None
    splits = np.arange(margin, count - margin + 1)
    observed = _standardized_rises(centered, splits)
    permuted = _standardized_rises(centered[permuted_orders(count, block)], splits)
    up = permutation_p(observed.max(), permuted.max(axis=1))
    down = permutation_p(-observed.min(), -permuted.min(axis=1))
    higher = Step(int(splits[observed.argmax()]), True, min(1.0, 2 * up))
    lower = Step(int(splits[observed.argmin()]), False, min(1.0, 2 * down))
    rises = (higher.p, -observed.max()) < (lower.p, observed.min())
    return ScannedSteps(higher, lower, higher if rises else lower)


def is_constant(values: Numbers) -> bool:
    """Whether all values are equal except for rounding."""
    return float(np.ptp(values)) <= ROUNDING * float(np.abs(values).max())


def permutation_p(observed: float, permuted: Numbers) -> float:
    """The one-sided p-value: the fraction of orders, including the observed one, that reach `observed` or more.

    `permuted`: shape (permutations,). Values that differ only by rounding count as equal.
    """
    slack = ROUNDING * float(np.abs(permuted).max())
    return (1 + int(np.count_nonzero(permuted >= observed - slack))) / (len(permuted) + 1)


def permuted_orders(count: int, block: int) -> Places:
    """Permutations of `count` runs, shape (PERMUTATIONS, count): shuffled blocks of runs in their original order.

    Equal arguments give equal permutations on every machine.
    """
    return _cached_orders(count, block) if count <= _MOST_CACHED_RUNS else _draw_orders(count, block)


@lru_cache(maxsize=32)
def _cached_orders(count: int, block: int) -> Places:
    return _draw_orders(count, block)


def _draw_orders(count: int, block: int) -> Places:
    draw = np.random.Generator(np.random.PCG64([_SEED, count, block]))
    begins = draw.integers(0, block, PERMUTATIONS)
    of_block = (np.arange(count) + begins[:, None]) // block
    keys = draw.integers(0, 1 << 39, (PERMUTATIONS, count // block + 2))
    shuffled = np.sort((np.take_along_axis(keys, of_block, axis=1) << 24) + np.arange(count), axis=1)
    return (shuffled & ((1 << 24) - 1)).astype(np.intp)


def _standardized_rises(centered: Numbers, splits: Places) -> Numbers:
    """For each split (last axis), the rise of the level after it, as a multiple of one run's deviation.

    `centered`: shape (…, n), mean 0; `splits`: shape (k,), each from 1 to n − 1.
    """
    count = centered.shape[-1]
    sums = np.cumsum(centered, axis=-1)[..., splits - 1]
    rises: Numbers = -sums / np.sqrt(splits * (count - splits) / count)
    return rises
