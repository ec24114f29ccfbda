"""Seeded measurements in which nothing changed: what the detectors of regressions are calibrated on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
LEVEL = 20.0
"""Every series stands at this level, as a step of so many seconds or a peak of so many GiB would."""


def gaussian(draw: np.random.Generator, runs: int, percent: float) -> Numbers:
    return LEVEL * (1 + percent / 100 * draw.standard_normal(runs))


def heavy_tails(draw: np.random.Generator, runs: int, unit: float = 3**-0.5) -> Numbers:
    """Student's t with 3 degrees of freedom, of 2 % standard deviation (`unit` 1: of 2 % scale, hence 3.5 %)."""
    deviations: Numbers = 0.02 * unit * draw.standard_t(3, runs)
    return LEVEL * (1 + deviations)


def spikes(draw: np.random.Generator, runs: int) -> Numbers:
    """1 % noise; 5 % of the runs are 5 to 15 % high."""
    high: Numbers = (draw.random(runs) < 0.05) * draw.uniform(0.05, 0.15, runs)
    small: Numbers = 0.01 * draw.standard_normal(runs)
    return LEVEL * (1 + small + high)


def correlated(draw: np.random.Generator, runs: int, memory: float = 0.5, percent: float = 2.0) -> Numbers:
    """AR(1): each run keeps `memory` of the deviation of the run before; `percent` is the series' deviation."""
    fresh: Numbers = draw.standard_normal(runs)
    deviations: Numbers = fresh.copy()
    rest = float(np.sqrt(1 - memory**2))
    for run in range(1, runs):
        deviations[run] = memory * deviations[run - 1] + rest * fresh[run]
    found: Numbers = LEVEL * (1 + percent / 100 * deviations)
    return found


def quantized(draw: np.random.Generator, runs: int, step_percent: float = 1.25) -> Numbers:
    """Constant, but for 10 % of the runs, which are one allocator step higher."""
    higher = (draw.random(runs) < 0.1).astype(np.float64)
    return LEVEL * (1 + step_percent / 100 * higher)


def two_modes(draw: np.random.Generator, runs: int, share: float) -> Numbers:
    """1 % noise around two levels 10 % apart, mixed all along."""
    noise = gaussian(draw, runs, 1)
    return noise * (1 + 0.1 * (draw.random(runs) < share).astype(np.float64))


INDEPENDENT: dict[str, Callable[[np.random.Generator, int], Numbers]] = {
    "gaussian 1 %": lambda draw, runs: gaussian(draw, runs, 1),
    "gaussian 2 %": lambda draw, runs: gaussian(draw, runs, 2),
    "heavy tails (t₃) 2 %": heavy_tails,
    "spikes": spikes,
    "quantized, 10 % one step up": quantized,
}
CORRELATED: dict[str, Callable[[np.random.Generator, int], Numbers]] = {"AR(1) 0.5, 2 %": correlated}
HARDER: dict[str, Callable[[np.random.Generator, int], Numbers]] = {
    "gaussian 5 %": lambda draw, runs: gaussian(draw, runs, 5),
    "heavy tails (t₃), scale 2 %": lambda draw, runs: heavy_tails(draw, runs, 1),
    "quantized, step of 10 %": lambda draw, runs: quantized(draw, runs, 10),
    "two modes, 50 : 50": lambda draw, runs: two_modes(draw, runs, 0.5),
    "two modes, 80 : 20": lambda draw, runs: two_modes(draw, runs, 0.2),
    "AR(1) 0.5, innovations of 2 %": lambda draw, runs: correlated(draw, runs, 0.5, 2 / 0.75**0.5),
    "AR(1) 0.7, 2 %": lambda draw, runs: correlated(draw, runs, 0.7),
}
"""Beyond the trial's five kinds: where the limits are."""


def series(kind: str, seed: int, runs: int = 60) -> Numbers:
    """The `seed`-th series of a kind; the same on every machine."""
    makers = INDEPENDENT | CORRELATED | HARDER
    return makers[kind](np.random.Generator(np.random.PCG64([seed, runs])), runs)


def stepped(kind: str, seed: int, at: int, runs: int = 60, percent: float = 5.0) -> Numbers:
    """The same, `percent` of the level higher from run `at` (from 0) on."""
    return series(kind, seed, runs) + LEVEL * percent / 100 * (np.arange(runs) >= at)


def creeping(kind: str, seed: int, percent_a_run: float, runs: int = 60) -> Numbers:
    """The same, rising by `percent_a_run` of the level from run to run."""
    return series(kind, seed, runs) + LEVEL * percent_a_run / 100 * np.arange(runs)
