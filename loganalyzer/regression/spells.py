"""Spells: a level left and found again later, which no single split shows (worse, and mended; better, and lost again).

Two cuts are sought at once, so that the stretch between them differs most from all the rest, and are held against the
same in block permutations (circular binary segmentation, Olshen et al. 2004). Both ends of the series count as rest.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from loganalyzer.regression.scan import BLOCK, arrangements, chance, is_constant
from loganalyzer.regression.series import Numbers, Places

Size = TypeVar("Size", float, Numbers)

FEWEST_RUNS = 3 * BLOCK
"""A block before, within and after."""
_GRID = 30
_FINE_GRID = 400
"""Places at which permutations are cut, and those at which the ends of the series' own spell are sought, at most."""


def ends(values: Numbers) -> tuple[int, int] | None:
    """Start and end (exclusive) of the stretch that differs most from the rest; None for series short or constant.

    `values`: shape (n,), finite.
    """
    count = len(values)
    if count < FEWEST_RUNS or is_constant(values):
        return None
    step = -(-count // _FINE_GRID)
    places = np.arange(BLOCK, count - BLOCK + 1, step)
    first, last = np.triu_indices(len(places), k=-(-BLOCK // step))
    sums = np.cumsum(values - values.mean())[places - 1]
    best = int(
        (np.abs(sums[last] - sums[first]) / _unit((places[last] - places[first]).astype(np.float64), count)).argmax()
    )
    return int(places[first[best]]), int(places[last[best]])


def p_value(values: Numbers) -> float:
    """How often chance has a stretch differ so much, two-sided; for series of which `ends` finds one."""
    centred, count = values - values.mean(), len(values)
    places = np.arange(BLOCK, count - BLOCK + 1, max(2, -(-count // _GRID)))
    observed = float(_largest(centred[None, :], places)[0])
    return chance(observed, _largest(centred[arrangements(count, BLOCK)], places))


def _largest(centred: Numbers, places: Places) -> Numbers:
    """The largest contrast of a stretch between two of `places` (shape (k,), evenly spaced) with the rest; shape (m,).

    `centred`: shape (m, n), mean 0 along n. Stretches of equal length are compared at once, length after length.
    """
    count = centred.shape[1]
    sums = np.ascontiguousarray(np.cumsum(centred, axis=1)[:, places - 1].T)
    largest = np.zeros(len(centred))
    for reach in range(1, len(places)):
        length = int(places[reach] - places[0])
        if length >= BLOCK:
            contrasts = np.abs(sums[reach:] - sums[:-reach]).max(axis=0)
            np.maximum(largest, contrasts / _unit(float(length), count), out=largest)
    return largest


def _unit(length: Size, count: int) -> Size:
    """Divides a stretch's sum into a contrast: the difference of means as a multiple of one run's deviation."""
    unit: Size = (length * (count - length) / count) ** 0.5
    return unit
