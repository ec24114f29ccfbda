"""Tests two samples with the exact permutation test on the difference of their mean ranks.

It uses ranks instead of values so that the distance of an outlier does not matter.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, combinations
from math import comb

import numpy as np

from loganalyzer.regression.scan import permutation_p
from loganalyzer.regression.series import ROUNDING, Numbers, Places

_MOST_EXACT = 5000
"""Up to this number, all assignments of runs to the two samples are tested; otherwise _SAMPLED random ones (seeded)."""
_SAMPLED = 1999
_SEED = 20250905


def smallest_p(base_n: int, head_n: int) -> float:
    """The two-sided p-value of samples without overlap: the smallest that a test of so few values can give."""
    return min(1.0, 2 / comb(base_n + head_n, base_n))


def difference_p(base: Numbers, head: Numbers) -> float:
    """The two-sided p-value of the difference between two samples, shapes (n,) and (m,), not empty."""
    ranked = mean_ranks(np.concatenate((base, head)))
    base_n, head_n = len(base), len(head)
    smaller = min(base_n, head_n)
    own = ranked[:base_n] if base_n <= head_n else ranked[base_n:]
    observed = float(abs(own.mean() - ranked.mean()))
    drawn = np.abs(ranked[_assignments(len(ranked), smaller)].mean(axis=1) - ranked.mean())
    if comb(len(ranked), smaller) > _MOST_EXACT:
        return permutation_p(observed, drawn)
    return float(np.mean(drawn >= observed - ROUNDING * len(ranked)))


def mean_ranks(values: Numbers) -> Numbers:
    """Ranks from 1, shape (n,). Equal values share their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean_ranks: Numbers = (last - (counts - 1) / 2)[place]
    return mean_ranks


@lru_cache(maxsize=64)
def _assignments(count: int, smaller: int) -> Places:
    """Positions of the smaller sample among `count`, shape (ways, smaller): all, or a seeded random selection."""
    ways = comb(count, smaller)
    if ways <= _MOST_EXACT:
        listed = chain.from_iterable(combinations(range(count), smaller))
        return np.fromiter(listed, dtype=np.intp, count=ways * smaller).reshape(ways, smaller)
    chance = np.random.Generator(np.random.PCG64([_SEED, count, smaller]))
    return np.argsort(chance.random((_SAMPLED, count)), axis=1)[:, :smaller]
