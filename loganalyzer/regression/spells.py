"""Finds spells: temporary changes of level, which a single split does not show.

It searches for the two splits whose segment differs most from the rest, and compares the difference with that of block
permutations (circular binary segmentation, Olshen et al. 2004). Both ends of the series belong to the rest.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from loganalyzer.regression.scan import BLOCK, is_constant, permutation_p, permuted_orders
from loganalyzer.regression.series import Numbers, Places

Size = TypeVar("Size", float, Numbers)

MIN_RUNS = 3 * BLOCK
"""One block before, one within and one after the spell."""
_GRID = 30
_FINE_GRID = 400
"""Maximum number of split positions for permutations, and for finding the limits of the spell itself."""


def find_limits(values: Numbers) -> tuple[int, int] | None:
    """Start and end (exclusive) of the segment that differs most from the rest; None for short or constant series.

    `values`: shape (n,), finite.
    """
    count = len(values)
    if count < MIN_RUNS or is_constant(values):
        return None
    step = -(-count // _FINE_GRID)
    places = np.arange(BLOCK, count - BLOCK + 1, step)
    first, last = np.triu_indices(len(places), k=-(-BLOCK // step))
    sums = np.cumsum(values - values.mean())[places - 1]
    best = int(
        (
            np.abs(sums[last] - sums[first]) / _contrast_unit((places[last] - places[first]).astype(np.float64), count)
        ).argmax()
    )
    return int(places[first[best]]), int(places[last[best]])


def p_value(values: Numbers) -> float:
    """The two-sided p-value of the spell; only for series in which `find_limits` finds one."""
    centered, count = values - values.mean(), len(values)
    places = np.arange(BLOCK, count - BLOCK + 1, max(2, -(-count // _GRID)))
    observed = float(_largest_contrasts(centered[None, :], places)[0])
    return permutation_p(observed, _largest_contrasts(centered[permuted_orders(count, BLOCK)], places))


def _largest_contrasts(centered: Numbers, places: Places) -> Numbers:
    """The largest contrast between a segment and the rest, shape (m,). Segments are between two of `places`.

    `centered`: shape (m, n), mean 0 along n; `places`: shape (k,), evenly spaced. All segments of the same length are
    compared at once.
    """
    count = centered.shape[1]
    sums = np.ascontiguousarray(np.cumsum(centered, axis=1)[:, places - 1].T)
    largest = np.zeros(len(centered))
    for distance in range(1, len(places)):
        length = int(places[distance] - places[0])
        if length >= BLOCK:
            contrasts = np.abs(sums[distance:] - sums[:-distance]).max(axis=0)
            np.maximum(largest, contrasts / _contrast_unit(float(length), count), out=largest)
    return largest


def _contrast_unit(length: Size, count: int) -> Size:
    """The divisor that turns a segment's sum into a difference of means, as a multiple of one run's deviation."""
    unit: Size = (length * (count - length) / count) ** 0.5
    return unit
