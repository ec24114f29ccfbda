"""Estimates after how many more nights a lasting change will be confirmed, from the scatter of the series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from loganalyzer.regression.nights import Follower
from loganalyzer.regression.scan import BLOCK
from loganalyzer.regression.series import Numbers

FUTURES: Final = 5
"""Number of simulated futures. The estimate is their median."""
CHECKED_NIGHTS: Final = (1, 2, 4, 6, 8, 10, 13, 17, 22, 30, 40)
"""Nights of a future after which the scan runs. A change that is not confirmed by the last takes at least that long."""
_SEED: Final = 20261126


def nights_until_confirmed(follower: Follower, after: int, confirmed: Callable[[Numbers], bool]) -> int:
    """The median number of nights until a change is confirmed, by the follower or by the scan (`confirmed`).

    The last `after` nights are assumed to be the new level. Future nights are drawn from the deviations of the series
    around its levels before and after the change, in blocks of consecutive nights to keep their correlation.
    """
    values = np.array(follower.values)
    before, newest = values[:-after], values[-after:]
    residuals = np.concatenate([before - np.median(before), newest - newest.mean()])
    draw = np.random.Generator(np.random.PCG64([_SEED, len(values), after]))
    begins = draw.integers(0, len(residuals), (FUTURES, -(-CHECKED_NIGHTS[-1] // BLOCK)))
    places = (begins[:, :, None] + np.arange(BLOCK)) % len(residuals)
    futures = newest.mean() + residuals[places.reshape(FUTURES, -1)]
    return int(np.median([_nights_to_red(follower.copy(), future, confirmed) for future in futures]))


def _nights_to_red(follower: Follower, future: Numbers, confirmed: Callable[[Numbers], bool]) -> int:
    for count, value in enumerate(future[: CHECKED_NIGHTS[-1]].tolist(), 1):
        if follower.step(value).word == "worse":
            return count
        if count in CHECKED_NIGHTS and confirmed(np.array(follower.values)):
            return count
    return CHECKED_NIGHTS[-1]
