"""How many more nights a change that lasts will take until it is red: an estimate from the series' own scatter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from loganalyzer.regression.nights import Follower
from loganalyzer.regression.scan import BLOCK
from loganalyzer.regression.series import Numbers

DRAWS: Final = 5
"""Futures that are played; their median is the estimate."""
LOOKS: Final = (1, 2, 4, 6, 8, 10, 13, 17, 22, 30, 40)
"""Nights of a future after which the scan is asked. A change that is not red by the last takes at least so many."""
_SEED: Final = 20261126


def nights_until_red(follower: Follower, after: int, confirmed: Callable[[Numbers], bool]) -> int:
    """Median nights until a series is red, by the follower or because the scan has `confirmed` it.

    The last `after` nights are taken for a new level. The nights to come are drawn from the series' own deviations
    around its levels before and after the change, in blocks of neighbors, so that they stay as correlated.
    """
    values = np.array(follower.values)
    before, newest = values[:-after], values[-after:]
    residuals = np.concatenate([before - np.median(before), newest - newest.mean()])
    draw = np.random.Generator(np.random.PCG64([_SEED, len(values), after]))
    begins = draw.integers(0, len(residuals), (DRAWS, -(-LOOKS[-1] // BLOCK)))
    places = (begins[:, :, None] + np.arange(BLOCK)) % len(residuals)
    futures = newest.mean() + residuals[places.reshape(DRAWS, -1)]
    return int(np.median([_red(follower.copy(), future, confirmed) for future in futures]))


def _red(follower: Follower, future: Numbers, confirmed: Callable[[Numbers], bool]) -> int:
    for count, value in enumerate(future[: LOOKS[-1]].tolist(), 1):
        if follower.step(value).word == "worse":
            return count
        if count in LOOKS and confirmed(np.array(follower.values)):
            return count
    return LOOKS[-1]
