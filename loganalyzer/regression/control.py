"""Computes the normal level and scatter of a series, and the limits beyond which new nights count as worse.

This is statistical process control. The reference consists of earlier nights: its level is their median, its scatter
their standard deviation without outliers. Run rules (`RULES`) judge the newest nights: one night far outside, or two,
three, five or eight consecutive nights outside by less. Each night of a sequence must exceed the limit by itself, so
that single outliers cannot add up.

The rules were chosen by simulation (benchmarks/first_night.py; results in docs/false-alarms.md), where they were
compared with a CUSUM and a Shewhart chart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from loganalyzer.regression.series import Numbers

MIN_NIGHTS: Final = 3
"""Nights that a reference needs before anything is judged."""
MOST_NIGHTS: Final = 60
"""Maximum number of nights in a reference: the latest normal ones."""
ESTABLISHED_NIGHTS: Final = 20
"""Shorter references use the wider floors. If 5 % of all nights are outliers, they contain at most one of them."""
MIN_SCATTER: Final = 0.3
"""Minimum scatter, in percent of the level: a few equal nights do not prove that there is no scatter."""
MIN_SCATTER_SHORT: Final = 0.7
"""Minimum scatter for sequences of nights while the reference is short, in percent of the level.

A few correlated nights underestimate the scatter.
"""
OUTLIER_SCATTERS: Final = 4.0
"""Distance from the median, in scatters, beyond which a night is an outlier and is excluded from the scatter."""
SPIKE_SCATTERS: Final = 3.5
SPIKE_PERCENT: Final = 4.0
"""A night above the median by more than both (in scatters, in percent) shows that the series has spikes.

The wider floors then apply.
"""
TAIL_FACTOR: Final = 1.25
"""A single night counts only if it exceeds the reference's largest deviation by this factor."""
NIGHT_SHARE: Final = 0.5
"""Fraction of the variance that the runs of one night share. The rest decreases with the number of runs."""
STEADY_PERCENT: Final = 1.0
"""Floor of steady metrics (memory) in percent of the level, for sequences of any length."""
STEADY_MAX_SCATTERS: Final = 6.0
"""Maximum distance, in scatters, that a rule requires of a night of a steady metric."""
STEADY_MIN_SCATTER: Final = 0.05
"""MIN_SCATTER for steady metrics."""
STEADY_SHORT_FACTOR: Final = 2.3
"""Factor on the minimum deviation of a steady metric, for one night with a short reference.

A short reference may not contain all allocator steps. For memory the result is 0.345 GiB, so that 0.4 GiB is reported
at once.
"""
LONG_SEQUENCE: Final = 5
"""Sequences of at least this length assume a correlation at the upper bound of its estimate."""
ASSUMED_CORRELATION: Final = (0.3, 0.1)
"""Minimum correlation of consecutive nights for long sequences: with fewer than MANY_NIGHTS nights, and with more."""
FEW_NIGHTS: Final = 10
"""With fewer nights, sequences of three assume that correlation too: correlated nights give a poor level estimate."""
MANY_NIGHTS: Final = 30
"""Nights from which an estimated correlation is usable (standard error 0.18)."""
MIN_CORRELATION: Final = -0.2
MAX_CORRELATION: Final = 0.9
"""Estimated correlations are clipped to these bounds, because few nights give poor estimates."""
_STANDARD_ERRORS: Final = 1.28
"""Standard errors from an estimated correlation to its bounds (80 % interval)."""
_MAD_TO_DEVIATION: Final = 1.4826
_CLIP_SCATTERS: Final = 3.0


@dataclass(frozen=True)
class Rule:
    """How far a number of newest nights must be outside the normal level.

    Attributes:
        nights: length of the sequence.
        allowed: nights of the sequence that may be inside.
        scatters: minimum distance from the level, in scatters of the reference.
        fresh: minimum distance in percent of the level, with a short or spiky reference.
        floor: the same with an established reference.
        quantile: fraction of the reference's own nights that the sequence must exceed.
        median: minimum distance of the sequence's median from the level, in scatters.
    """

    nights: int
    allowed: int
    scatters: float
    fresh: float
    floor: float
    quantile: float
    median: float


RULES: Final = (
    Rule(1, 0, scatters=7.0, fresh=16.0, floor=13.0, quantile=1.0, median=7.0),
    Rule(2, 0, scatters=4.0, fresh=9.0, floor=7.4, quantile=0.97, median=4.0),
    Rule(3, 0, scatters=2.0, fresh=2.8, floor=2.1, quantile=0.93, median=2.7),
    Rule(5, 1, scatters=2.1, fresh=3.5, floor=2.2, quantile=0.9, median=2.5),
    Rule(8, 1, scatters=1.6, fresh=3.0, floor=2.0, quantile=0.9, median=2.3),
)
"""The run rules, chosen by simulation (benchmarks/first_night.py) so that at most 3 in 1,000 nights are false alarms.

One night: 13 % exceeds all but the largest simulated spikes (5–15 %), and still detects a change of 15 % in 1 % noise
at once. 16 % exceeds all of them and applies if the reference is short or contains spikes. Two nights: spikes rarely
exceed 7 % twice in a row, and 7 % is three deviations of 1 % noise below 10 %. Three nights: with 2.3 scatters, a
change of five scatters is outside three times in a row in 95 of 100 series. Five and eight nights detect smaller
changes, even if one night is inside.
"""
RETURN_RULE: Final = RULES[2]
"""The rule whose limit decides whether a night is back inside."""


@dataclass(frozen=True)
class Floors:
    """The minimum deviation of a metric that counts.

    Attributes:
        least: the minimum in the metric's unit.
        steady: whether the metric is almost free of noise. `STEADY_PERCENT` then replaces the floors of the rules.
    """

    least: float = 0.0
    steady: bool = False


@dataclass(frozen=True, eq=False)
class Reference:
    """The normal nights of a series, with higher values being worse.

    Attributes:
        nights: the values, shape (n,), at least one.
        level: their median.
        least: minimum scatter, in percent of the level.
        ordered: whether the values are in chronological order, so that their correlation can be estimated.
    """

    nights: Numbers
    level: float
    least: float = MIN_SCATTER
    ordered: bool = True

    @classmethod
    def of(cls, nights: Numbers, floors: Floors, *, ordered: bool = True) -> Reference:
        """The reference formed by these nights."""
        least = STEADY_MIN_SCATTER if floors.steady else MIN_SCATTER
        return cls(nights, float(np.median(nights)), least, ordered)

    @property
    def mirrored(self) -> Reference:
        """The reference with better and worse swapped."""
        return Reference(-self.nights, -self.level, self.least, self.ordered)

    @cached_property
    def excess(self) -> Numbers:
        """Deviations from the level in ascending order."""
        ordered: Numbers = np.sort(self.nights - self.level)
        return ordered

    @cached_property
    def scatter(self) -> float:
        """Standard deviation of the nights without outliers, in the metric's unit."""
        distance = np.abs(self.excess)
        least = self.least / 100 * abs(self.level)
        robust = max(_MAD_TO_DEVIATION * float(np.median(distance)), least)
        kept = self.excess[distance <= OUTLIER_SCATTERS * robust]
        return max(float(np.sqrt(kept @ kept / (len(kept) - 1))) if len(kept) > 1 else 0.0, least)

    @property
    def widening(self) -> float:
        """Factor that compensates for a scatter estimated from few nights: 2.7 for 3, 1.2 for 10, 1.02 for 60."""
        return 1 + math.pow(3 / max(1, len(self.nights) - 1), 1.3)

    @property
    def has_outliers(self) -> bool:
        """Whether one of the nights was an outlier on the worse side."""
        return float(self.excess[-1]) > max(SPIKE_SCATTERS * self.scatter, SPIKE_PERCENT / 100 * abs(self.level))

    @property
    def is_fresh(self) -> bool:
        """Whether the wider floors apply."""
        return len(self.nights) < ESTABLISHED_NIGHTS or self.has_outliers

    @property
    def _shows_correlation(self) -> bool:
        """Whether the nights suffice to estimate a correlation. Otherwise the assumed correlation applies."""
        return self.ordered and len(self.nights) >= FEW_NIGHTS

    @cached_property
    def correlation(self) -> float:
        """Correlation of consecutive nights, with outliers clipped; 0 if it is unknown."""
        if not self._shows_correlation:
            return 0.0
        bound = _CLIP_SCATTERS * self.scatter
        clipped = np.clip(self.nights - self.level, -bound, bound)
        clipped = clipped - clipped.mean()
        squares = float(clipped @ clipped)
        return float(clipped[1:] @ clipped[:-1]) / squares if squares > 0 else 0.0

    def inflation(self, row: int) -> float:
        """Factor by which correlation increases the deviations of `row` consecutive nights.

        Short sequences use the lower bound of the estimated correlation, long ones the upper bound.
        """
        count = len(self.nights)
        error = _STANDARD_ERRORS / count**0.5 if self._shows_correlation else 0.0
        least = ASSUMED_CORRELATION[count >= MANY_NIGHTS]
        if row >= LONG_SEQUENCE:
            return _mean_inflation(max(self.correlation + error, least))
        return _mean_inflation(max(self.correlation - error, least if row > 2 and count < FEW_NIGHTS else 0.0))

    def median_inflation(self, row: int) -> float:
        """The same for the median of the sequence.

        Short sequences use the estimated correlation, even below 0, but at least the assumed one while the reference is
        short.
        """
        if row >= LONG_SEQUENCE:
            return self.inflation(row)
        if len(self.nights) < ESTABLISHED_NIGHTS:
            return _mean_inflation(max(self.correlation, ASSUMED_CORRELATION[False]))
        return _mean_inflation(self.correlation)


def _mean_inflation(correlation: float) -> float:
    """Standard deviation of the mean of many correlated nights, as a multiple of that of independent nights."""
    bounded = min(MAX_CORRELATION, max(MIN_CORRELATION, correlation))
    return math.sqrt((1 + bounded) / (1 - bounded))


def limit(reference: Reference, rule: Rule, floors: Floors, share: float = 1.0) -> float:
    """How far above the level a night must be to count for the rule, in the metric's unit.

    `share`: the scatter of the newest nights relative to that of the reference (`pooled_share`).
    """
    inflation = 1.0 if rule.nights == 1 else reference.inflation(rule.nights)
    by_scatter = _scatter_count(rule.scatters, floors) * _widened_scatter(reference, rule, share) * inflation
    return max(_rule_floor(reference, rule, floors, share), _reference_tail(reference, rule), by_scatter)


def median_limit(reference: Reference, rule: Rule, floors: Floors, share: float = 1.0) -> float:
    """How far above the level the median of a sequence must be, in the metric's unit; at least the limit per night."""
    inflation = 1.0 if rule.nights == 1 else reference.median_inflation(rule.nights)
    by_scatter = _scatter_count(rule.median, floors) * _widened_scatter(reference, rule, share) * inflation
    return max(limit(reference, rule, floors, share), by_scatter)


def _widened_scatter(reference: Reference, rule: Rule, share: float) -> float:
    """The scatter of the newest nights in the metric's unit, widened while the reference is short."""
    scatter = reference.scatter
    if rule.nights > 1 and len(reference.nights) < ESTABLISHED_NIGHTS and reference.least == MIN_SCATTER:
        scatter = max(scatter, MIN_SCATTER_SHORT / 100 * abs(reference.level))
    return share * scatter * reference.widening


def _rule_floor(reference: Reference, rule: Rule, floors: Floors, share: float) -> float:
    """The floor of the rule, in the metric's unit.

    The wider floor also applies to nights with fewer runs than the reference: averaging removed its spikes.
    """
    size = abs(reference.level) / 100
    if not floors.steady:
        return max(floors.least, size * (rule.fresh if reference.is_fresh or share > 1 else rule.floor))
    unknown = rule.nights == 1 and len(reference.nights) < ESTABLISHED_NIGHTS
    return max(floors.least * (STEADY_SHORT_FACTOR if unknown else 1.0), size * STEADY_PERCENT)


def _reference_tail(reference: Reference, rule: Rule) -> float:
    if rule.nights == 1:
        return TAIL_FACTOR * float(reference.excess[-1])
    return float(reference.excess[int(rule.quantile * (len(reference.nights) - 1))])


def _scatter_count(count: float, floors: Floors) -> float:
    return min(count, STEADY_MAX_SCATTERS) if floors.steady else count


def pooled_share(runs: float, reference_runs: float) -> float:
    """The scatter of nights with `runs` runs, relative to the scatter of nights with `reference_runs`."""
    newest, before = (NIGHT_SHARE + (1 - NIGHT_SHARE) / max(1.0, count) for count in (runs, reference_runs))
    return float((newest / before) ** 0.5)


def direction(level: float, rule: Rule, newest: Sequence[float], floors: Floors) -> int:
    """1 or -1 if the newest nights are far enough above or below the level to exceed any limit; otherwise 0."""
    least = max(floors.least, (STEADY_PERCENT if floors.steady else rule.floor) / 100 * abs(level))
    ordered, inside = sorted(newest), rule.allowed * len(newest) // rule.nights
    if ordered[inside] - level > least:
        return 1
    return -1 if level - ordered[-1 - inside] > least else 0


def exceeds(reference: Reference, rule: Rule, newest: Numbers, floors: Floors, share: float = 1.0) -> bool:
    """Whether the newest nights exceed the limits of the rule. They are at least as many as it needs, in any order."""
    if direction(reference.level, rule, newest.tolist(), floors) <= 0:
        return False
    deciding = float(np.sort(newest)[rule.allowed * len(newest) // rule.nights])
    if deciding - reference.level <= limit(reference, rule, floors, share):
        return False
    return float(np.median(newest)) - reference.level > median_limit(reference, rule, floors, share)


def rule_for(count: int) -> Rule:
    """The rule with the longest sequence that fits into `count` nights (at least 1)."""
    return max((rule for rule in RULES if rule.nights <= count), key=lambda rule: rule.nights)
