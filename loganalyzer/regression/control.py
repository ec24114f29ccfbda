"""Process control: the normal level and scatter of a series, and how far new nights must lie outside to count as worse.

The reference is what the series did before. Its level is the median, its scatter the standard deviation without
outliers. The newest nights are judged by run rules (`RULES`): one night far outside, or two, three, five or eight
nights in a row outside by less. Every night of a row must be outside for itself, so lone outliers cannot add up.

The rules were chosen by simulation (benchmarks/first_night.py; figures in docs/false-alarms.md), beside a
CUSUM and a Shewhart chart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from loganalyzer.regression.series import Numbers

FEWEST_NIGHTS: Final = 3
"""Nights a reference needs before anything is judged."""
MOST_NIGHTS: Final = 60
"""The reference is made of so many latest normal nights at most."""
ESTABLISHED: Final = 20
"""Shorter references have wider floors. They have seen one outlier at most where 5 % of the nights are outliers."""
LEAST_SCATTER: Final = 0.3
"""Smallest scatter assumed, in percent of the level: a few equal nights do not prove that there is no scatter."""
FRESH_SCATTER: Final = 0.7
"""Smallest scatter that rows of nights assume while the reference is short, in percent of the level.

Correlated nights look calmer than they are as long as they are few.
"""
OUTLIER: Final = 4.0
"""Scatters from the median beyond which a night is an outlier that does not count for the scatter."""
SPIKE: Final = 3.5
SPIKE_PERCENT: Final = 4.0
"""A night beyond both, in scatters and in percent above the median, shows that the series has spikes.

The wider floors apply then.
"""
TAIL: Final = 1.25
"""A single night must exceed the reference's largest deviation by this factor: else it is an outlier like others."""
NIGHT_SHARE: Final = 0.5
"""Share of the variance that the runs of one night have in common. The rest shrinks with the number of runs."""
STEADY_PERCENT: Final = 1.0
"""Floor of steady metrics (memory) in percent of the level, for rows of any length."""
STEADY_SCATTERS: Final = 6.0
"""Most scatters that a night of a steady metric must be outside by."""
STEADY_LEAST_SCATTER: Final = 0.05
"""LEAST_SCATTER of steady metrics."""
STEADY_FRESH: Final = 2.3
"""Factor of a steady metric's least deviation for one night with a short reference.

Its allocator steps are not all known yet: of memory, 0.345 GiB, so that 0.4 GiB are red at once.
"""
LONG_ROW: Final = 5
"""From this length on, rows are judged as if nights resembled each other more than has been observed."""
ASSUMED_CORRELATION: Final = (0.3, 0.1)
"""Correlation of one night with the next that long rows assume at least: below TRUSTED nights, and from there on."""
FEW: Final = 10
"""Below so many nights, rows of three assume that correlation too: three correlated nights hardly tell the level."""
TRUSTED: Final = 30
"""Nights from which an estimated correlation is worth something (standard error 0.18)."""
LEAST_CORRELATION: Final = -0.2
MOST_CORRELATION: Final = 0.9
"""Estimates beyond these are taken for these: so few nights hardly tell a correlation."""
_ERRORS: Final = 1.28
"""Standard errors between an estimated correlation and its bounds (80 % interval)."""
_MAD_TO_DEVIATION: Final = 1.4826
_CLIP: Final = 3.0


@dataclass(frozen=True)
class Rule:
    """How far so many newest nights must lie outside.

    Attributes:
        nights: length of the row.
        allowed: nights of the row that may lie inside.
        scatters: least distance from the level in scatters of the reference.
        fresh: least distance in percent of the level, with a short or spiky reference.
        floor: the same with an established reference.
        quantile: share of the reference's own nights that the row must exceed.
        median: least distance of the row's median from the level in scatters.
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
"""The run rules, chosen by simulation (benchmarks/first_night.py) so that at most 3 in 1,000 nights are red by chance.

One night: 13 % is beyond all but the largest spikes of the simulated kinds (5–15 %), and a change of 15 % in 1 % noise
is still seen at once; 16 %, beyond all of them, where the reference cannot know its spikes yet or has seen some.
Two nights: 7 % is rare twice in a row among spikes, and below 10 % by three deviations of 1 % noise. Three nights: 2.3
scatters leave a change of five scatters outside three times in a row in 95 of 100 series. Five and eight nights find
what is smaller; a single night inside does not stop them.
"""
ROW: Final = RULES[2]
"""The rule whose limit says where a night is inside again."""


@dataclass(frozen=True)
class Floors:
    """The least deviation of a metric that counts.

    Attributes:
        least: in the metric's unit.
        steady: whether the metric is nearly free of noise: then `STEADY_PERCENT` replaces the floors of the rules.
    """

    least: float = 0.0
    steady: bool = False


@dataclass(frozen=True, eq=False)
class Reference:
    """What is normal, worse being higher.

    Attributes:
        nights: the values, shape (n,), at least one.
        level: their median.
        least: smallest scatter, in percent of the level.
        ordered: whether the values stand in the order of time, so that they show their correlation.
    """

    nights: Numbers
    level: float
    least: float = LEAST_SCATTER
    ordered: bool = True

    @classmethod
    def of(cls, nights: Numbers, floors: Floors, *, ordered: bool = True) -> Reference:
        """The reference that these nights make."""
        least = STEADY_LEAST_SCATTER if floors.steady else LEAST_SCATTER
        return cls(nights, float(np.median(nights)), least, ordered)

    @property
    def mirrored(self) -> Reference:
        """The same with better and worse exchanged."""
        return Reference(-self.nights, -self.level, self.least, self.ordered)

    @cached_property
    def excess(self) -> Numbers:
        """Deviations from the level, smallest first."""
        ordered: Numbers = np.sort(self.nights - self.level)
        return ordered

    @cached_property
    def scatter(self) -> float:
        """Standard deviation from night to night without outliers, in the metric's unit."""
        distance = np.abs(self.excess)
        least = self.least / 100 * abs(self.level)
        robust = max(_MAD_TO_DEVIATION * float(np.median(distance)), least)
        kept = self.excess[distance <= OUTLIER * robust]
        return max(float(np.sqrt(kept @ kept / (len(kept) - 1))) if len(kept) > 1 else 0.0, least)

    @property
    def widening(self) -> float:
        """Factor that makes up for a scatter estimated from few nights: 2.7 for 3, 1.2 for 10, 1.02 for 60."""
        return 1 + math.pow(3 / max(1, len(self.nights) - 1), 1.3)

    @property
    def has_outliers(self) -> bool:
        """Whether a night was an outlier for the worse."""
        return float(self.excess[-1]) > max(SPIKE * self.scatter, SPIKE_PERCENT / 100 * abs(self.level))

    @property
    def is_fresh(self) -> bool:
        """Whether the wider floors apply."""
        return len(self.nights) < ESTABLISHED or self.has_outliers

    @property
    def _shows_correlation(self) -> bool:
        """Fewer than FEW nights show none: with them, the assumed correlation stands."""
        return self.ordered and len(self.nights) >= FEW

    @cached_property
    def correlation(self) -> float:
        """Correlation of one night with the next, outliers clipped; 0 where it is unknown."""
        if not self._shows_correlation:
            return 0.0
        reach = _CLIP * self.scatter
        clipped = np.clip(self.nights - self.level, -reach, reach)
        clipped = clipped - clipped.mean()
        whole = float(clipped @ clipped)
        return float(clipped[1:] @ clipped[:-1]) / whole if whole > 0 else 0.0

    def inflation(self, row: int) -> float:
        """Factor by which each of so many correlated nights in a row deviates further.

        Short rows correct for the correlation that is more than chance. Long ones correct for as much as there may be.
        """
        count = len(self.nights)
        error = _ERRORS / count**0.5 if self._shows_correlation else 0.0
        least = ASSUMED_CORRELATION[count >= TRUSTED]
        if row >= LONG_ROW:
            return _factor(max(self.correlation + error, least))
        return _factor(max(self.correlation - error, least if row > 2 and count < FEW else 0.0))

    def median_inflation(self, row: int) -> float:
        """The same for the median of the row.

        Short rows correct for the correlation as estimated, below 0 too, but for the assumed one while the reference
        is short.
        """
        if row >= LONG_ROW:
            return self.inflation(row)
        if len(self.nights) < ESTABLISHED:
            return _factor(max(self.correlation, ASSUMED_CORRELATION[False]))
        return _factor(self.correlation)


def _factor(correlation: float) -> float:
    """Standard deviation of the mean of a long row of correlated nights, as a multiple of that of independent ones."""
    bounded = min(MOST_CORRELATION, max(LEAST_CORRELATION, correlation))
    return math.sqrt((1 + bounded) / (1 - bounded))


def limit(reference: Reference, rule: Rule, floors: Floors, share: float = 1.0) -> float:
    """How far above the level a night must lie to count for the rule, in the metric's unit.

    `share`: the scatter of the newest nights as a share of the reference's (`pooled_share`).
    """
    inflation = 1.0 if rule.nights == 1 else reference.inflation(rule.nights)
    reach = _scatters(rule.scatters, floors) * _deviation(reference, rule, share) * inflation
    return max(_floor(reference, rule, floors, share), _tail(reference, rule), reach)


def median_limit(reference: Reference, rule: Rule, floors: Floors, share: float = 1.0) -> float:
    """How far above the level the median of a row must lie, in the metric's unit; at least the limit of each night."""
    inflation = 1.0 if rule.nights == 1 else reference.median_inflation(rule.nights)
    reach = _scatters(rule.median, floors) * _deviation(reference, rule, share) * inflation
    return max(limit(reference, rule, floors, share), reach)


def _deviation(reference: Reference, rule: Rule, share: float) -> float:
    """One scatter of the newest nights, widened for what a few nights do not tell, in the metric's unit."""
    scatter = reference.scatter
    if rule.nights > 1 and len(reference.nights) < ESTABLISHED and reference.least == LEAST_SCATTER:
        scatter = max(scatter, FRESH_SCATTER / 100 * abs(reference.level))
    return share * scatter * reference.widening


def _floor(reference: Reference, rule: Rule, floors: Floors, share: float) -> float:
    """The rule's floor. Nights of fewer runs than those of the reference have spikes that it has averaged out."""
    size = abs(reference.level) / 100
    if not floors.steady:
        return max(floors.least, size * (rule.fresh if reference.is_fresh or share > 1 else rule.floor))
    unknown = rule.nights == 1 and len(reference.nights) < ESTABLISHED
    return max(floors.least * (STEADY_FRESH if unknown else 1.0), size * STEADY_PERCENT)


def _tail(reference: Reference, rule: Rule) -> float:
    if rule.nights == 1:
        return TAIL * float(reference.excess[-1])
    return float(reference.excess[int(rule.quantile * (len(reference.nights) - 1))])


def _scatters(count: float, floors: Floors) -> float:
    return min(count, STEADY_SCATTERS) if floors.steady else count


def pooled_share(runs: float, reference_runs: float) -> float:
    """Scatter of nights of so many runs as a share of the scatter of nights of `reference_runs`."""
    newest, before = (NIGHT_SHARE + (1 - NIGHT_SHARE) / max(1.0, count) for count in (runs, reference_runs))
    return float((newest / before) ** 0.5)


def direction(level: float, rule: Rule, newest: Sequence[float], floors: Floors) -> int:
    """Whether the newest nights are far enough above (1) or below (-1) the level for any limit, or not (0)."""
    least = max(floors.least, (STEADY_PERCENT if floors.steady else rule.floor) / 100 * abs(level))
    ordered, inside = sorted(newest), rule.allowed * len(newest) // rule.nights
    if ordered[inside] - level > least:
        return 1
    return -1 if level - ordered[-1 - inside] > least else 0


def exceeds(reference: Reference, rule: Rule, newest: Numbers, floors: Floors, share: float = 1.0) -> bool:
    """Whether the newest nights, as many as the rule asks for or more, in any order, are worse than its limits."""
    if direction(reference.level, rule, newest.tolist(), floors) <= 0:
        return False
    deciding = float(np.sort(newest)[rule.allowed * len(newest) // rule.nights])
    if deciding - reference.level <= limit(reference, rule, floors, share):
        return False
    return float(np.median(newest)) - reference.level > median_limit(reference, rule, floors, share)


def rule_for(count: int) -> Rule:
    """The rule of the longest row that fits into so many nights, at least 1."""
    return max((rule for rule in RULES if rule.nights <= count), key=lambda rule: rule.nights)
