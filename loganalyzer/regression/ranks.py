"""The exact permutation test of two samples, on the difference of their mean ranks.

Ranks instead of the values themselves: one run far off on either side then counts for one run, not for its distance.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, combinations
from math import comb

import numpy as np

from loganalyzer.regression.scan import chance
from loganalyzer.regression.series import ROUNDING, Numbers, Places

_EXACT = 5000
"""Up to so many ways of dealing the runs out into two samples, all are looked at; beyond, _DRAWN seeded ones."""
_DRAWN = 1999
_SEED = 20250905


def smallest_p(base_n: int, head_n: int) -> float:
    """The two-sided p-value of samples that do not overlap at all: no test of so few values can give less."""
    return min(1.0, 2 / comb(base_n + head_n, base_n))


def difference_p(base: Numbers, head: Numbers) -> float:
    """How often chance puts samples so far apart, two-sided; shapes (n,) and (m,), neither empty."""
    ranked = ranks(np.concatenate((base, head)))
    base_n, head_n = len(base), len(head)
    smaller = min(base_n, head_n)
    own = ranked[:base_n] if base_n <= head_n else ranked[base_n:]
    observed = float(abs(own.mean() - ranked.mean()))
    drawn = np.abs(ranked[_dealt(len(ranked), smaller)].mean(axis=1) - ranked.mean())
    if comb(len(ranked), smaller) > _EXACT:
        return chance(observed, drawn)
    return float(np.mean(drawn >= observed - ROUNDING * len(ranked)))


def ranks(values: Numbers) -> Numbers:
    """Ranks from 1, equal values sharing their mean rank; shape (n,)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean_ranks: Numbers = (last - (counts - 1) / 2)[place]
    return mean_ranks


@lru_cache(maxsize=64)
def _dealt(count: int, smaller: int) -> Places:
    """Places that the smaller sample may hold among `count`, shape (ways, smaller); seeded where not all are listed."""
    ways = comb(count, smaller)
    if ways <= _EXACT:
        listed = chain.from_iterable(combinations(range(count), smaller))
        return np.fromiter(listed, dtype=np.intp, count=ways * smaller).reshape(ways, smaller)
    chance = np.random.Generator(np.random.PCG64([_SEED, count, smaller]))
    return np.argsort(chance.random((_DRAWN, count)), axis=1)[:, :smaller]
