"""How many more nights a change that lasts will take until it is red: an estimate from the series' own scatter."""

from __future__ import annotations

from typing import Final

import numpy as np

from loganalyzer.regression.nights import Follower

DRAWS: Final = 15
"""Futures that are played."""
MOST: Final = 40
"""Nights of a future; a change that is not red by then is said to need so many."""
_SEED: Final = 20261126


def nights_until_red(follower: Follower, after: int) -> int:
    """Median nights until the follower calls the series worse, if its last `after` nights are a new level.

    The nights to come are drawn from the series' own deviations around its levels before and after the change.
    """
    values = np.array(follower.values)
    before, newest = values[:-after], values[-after:]
    residuals = np.concatenate([before - np.median(before), newest - newest.mean()])
    draw = np.random.Generator(np.random.PCG64([_SEED, len(values), after]))
    futures = newest.mean() + residuals[draw.integers(0, len(residuals), (DRAWS, MOST))]
    return int(np.median([_red(follower.copy(), future.tolist()) for future in futures]))


def _red(follower: Follower, future: list[float]) -> int:
    for count, value in enumerate(future, 1):
        if follower.step(value).word == "worse":
            return count
    return MOST
