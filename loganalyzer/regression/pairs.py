"""Compares two samples of one metric, base and head, and decides whether the metric changed.

With at least three base runs that give one value each, head is compared with base in the same way as `history trend`
and the nightly check compare the newest nights with earlier ones (`control`), so the same runs get the same verdict.
From `ENOUGH_RUNS` runs on, the permutation test also finds smaller changes, like the change-point scan.

With fewer runs, a change must meet two conditions. The exact permutation test separates the samples at 1 % (or, if
there are too few runs for that, the samples do not overlap). And the medians differ by more than a floor:

| runs in the smaller sample | floor: the larger of |
|---|---|
| enough for the test (5 and 5, 4 and 6, 3 and 9, …) | 2 %, the scatter of single runs |
| 3 and more | 3 %, 4 times the scatter |
| 2 | 10 %, 8 times the scatter |
| 1 | 10 %, 8 times the scatter of the other sample, if it has any |

Medians that differ by less than 2 % are the `same`. A larger difference without proof is `unknown`, unless there are
enough runs to conclude that chance explains it. The reason for this caution: a limit of 10 % on single runs flagged
13 % of no-change comparisons on hosted machines, and single runs of the same code differed by up to 84 %, its medians
of five by 1 % (regression-statistics trial).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from loganalyzer.common.formatting import plural
from loganalyzer.regression import reasons
from loganalyzer.regression.changes import FLOOR_PERCENT
from loganalyzer.regression.control import MIN_NIGHTS, RULES, Floors, Reference, exceeds, median_limit, rule_for
from loganalyzer.regression.ranks import difference_p, smallest_p
from loganalyzer.regression.series import (
    ROUNDING,
    Numbers,
    change_percent,
    deviation,
    is_large,
    is_measurement,
    to_numbers,
)
from loganalyzer.regression.verdicts import ENOUGH_AROUND, ENOUGH_RUNS

PairWord = Literal["regressed", "improved", "same", "unknown"]

DIFFERENT_P = 0.01
"""Two-sided p-value up to which two samples differ."""
CERTAIN_P = 0.005
"""The same for many runs in which the rules of process control find no difference."""
CHANCE_P = 0.05
"""Two-sided p-value above which chance explains a difference."""
_GAUSSIAN = 1.4826
"""Standard deviation ÷ median distance from the median, for Gaussian noise."""


@dataclass(frozen=True)
class SampleComparison:
    """The verdict on two samples.

    Attributes:
        base, head: medians; None without values.
        change_percent: None without values, or if the base median is 0.
        noise_percent: deviation of single values within the samples, in percent of base; None if no sample has two.
        base_n, head_n: number of values.
        dropped: values that were None, NaN or infinite.
        p: two-sided p-value; None if a sample has no values.
    """

    verdict: PairWord
    reason: str
    base: float | None
    head: float | None
    change_percent: float | None
    noise_percent: float | None
    base_n: int
    head_n: int
    dropped: int
    p: float | None


@dataclass(frozen=True)
class Floor:
    """The minimum difference of medians, in percent and in scatters; `enough` if the test can reach DIFFERENT_P."""

    percent: float
    scatter: float
    enough: bool = False


@dataclass(frozen=True, eq=False)
class _Samples:
    """Two samples of finite values, shape (n,) each, not empty, and the number of independent runs behind each."""

    base: Numbers
    head: Numbers
    runs: tuple[int, int]

    @property
    def medians(self) -> tuple[float, float]:
        return float(np.median(self.base)), float(np.median(self.head))

    @property
    def percent(self) -> float | None:
        before, after = self.medians
        return 0.0 if abs(after - before) <= ROUNDING * abs(before) else change_percent(before, after)

    @property
    def noise(self) -> float | None:
        """Deviation of values around their sample's median, in the metric's unit; None if no sample has two values."""
        if max(len(self.base), len(self.head)) < 2:
            return None
        samples = [values for values in (self.base, self.head) if len(values) > 1]
        if min(map(len, samples)) >= 5:
            distances = [np.abs(values - np.median(values)) for values in samples]
            return _GAUSSIAN * float(np.median(np.concatenate(distances)))
        return deviation(np.concatenate([values - values.mean() for values in samples]), len(samples))

    @property
    def noise_percent(self) -> float | None:
        level = abs(self.medians[0])
        return self.noise / level * 100 if self.noise is not None and level else None

    @property
    def is_one_value_per_run(self) -> bool:
        return self.runs == (len(self.base), len(self.head))

    @property
    def has_reference(self) -> bool:
        """Whether base has enough runs to serve as a reference."""
        return self.is_one_value_per_run and self.runs[0] >= MIN_NIGHTS

    @property
    def floor(self) -> Floor:
        fewest = min(self.runs)
        per_run = self.is_one_value_per_run
        if per_run and fewest > 1 and smallest_p(*self.runs) <= DIFFERENT_P:
            return Floor(FLOOR_PERCENT, 1.0, enough=True)
        percent, scatter = (3.0, 4.0) if fewest > 2 else (10.0, 8.0)
        return Floor(percent, scatter if per_run else 1.0)


def compare_samples(
    base: Iterable[float | None],
    head: Iterable[float | None],
    *,
    higher_is_better: bool = False,
    runs: tuple[int, int] | None = None,
    floors: Floors | None = None,
) -> SampleComparison:
    """The verdict on two samples. The order of the values does not matter.

    Each value should belong to one run, ideally as its median if the run has many (its single steps). If all values of
    the runs are given, `runs` is the number of runs behind each sample: values of one run share its conditions, so they
    count as one run. `floors`: the minimum difference that counts.
    """
    measured = to_numbers(base), to_numbers(head)
    before, after = (np.sort(values[is_measurement(values)]) for values in measured)
    counts = (len(before), len(after))
    dropped = len(measured[0]) + len(measured[1]) - sum(counts)
    note = reasons.dropped_values(dropped)
    if not all(counts):
        old, new = (float(np.median(values)) if len(values) else None for values in (before, after))
        reason = f"{'Base' if not counts[0] else 'Head'} has no values.{note}"
        return SampleComparison("unknown", reason, old, new, None, None, *counts, dropped, None)
    pair = _Samples(before, after, (min(counts[0], runs[0]), min(counts[1], runs[1])) if runs else counts)
    p = difference_p(before, after)
    if pair.has_reference:
        verdict, reason = _judge_as_nights(pair, p, higher_is_better, floors or Floors())
    else:
        verdict, reason = _judge_few_runs(pair, p, higher_is_better)
    return SampleComparison(
        verdict, reason + note, *pair.medians, pair.percent, pair.noise_percent, *counts, dropped, p
    )


def _judge_as_nights(pair: _Samples, p: float, higher_is_better: bool, floors: Floors) -> tuple[PairWord, str]:
    """The verdict and its reason, with base as the reference."""
    sign = -1 if higher_is_better else 1
    reference = Reference.of(sign * pair.base, floors, ordered=False)
    for word, seen, head in (
        ("regressed", reference, sign * pair.head),
        ("improved", reference.mirrored, -sign * pair.head),
    ):
        if any(exceeds(seen, rule, head, floors) for rule in RULES if rule.nights <= len(head)):
            name = "Worse" if word == "regressed" else "Better"
            return word, f"{name} {_difference_text(pair)}."  # type: ignore[return-value]
    (before, after), noise = pair.medians, pair.noise or 0.0
    if not is_large(pair.percent, FLOOR_PERCENT):
        return "same", f"Medians differ by less than {FLOOR_PERCENT:g} %: {_levels_text(pair)}."
    if pair.floor.enough and (abs(after - before) < max(noise, floors.least) or p > CHANCE_P):
        return "same", f"Medians differ {_difference_text(pair)}: within the scatter of the runs."
    if p <= CERTAIN_P and sum(pair.runs) >= ENOUGH_RUNS and min(pair.runs) >= ENOUGH_AROUND:
        better = (after > before) == higher_is_better
        return ("improved" if better else "regressed"), f"{'Better' if better else 'Worse'} {_difference_text(pair)}."
    rule = rule_for(pair.runs[1])
    limit = median_limit(reference, rule, floors)
    compared = "one run counts if it is" if rule.nights == 1 else f"the median of {plural(rule.nights, 'run')} must be"
    return "unknown", (
        f"Medians differ {_difference_text(pair)}. This may be noise: with {plural(pair.runs[0], 'base run')}, "
        f"{compared} more than {limit:.3g} off the base median. Add more runs."
    )


def _judge_few_runs(pair: _Samples, p: float, higher_is_better: bool) -> tuple[PairWord, str]:
    """The verdict and its reason, with too few base runs for a reference."""
    (before, after), floor = pair.medians, pair.floor
    if not is_large(pair.percent, FLOOR_PERCENT):
        return "same", f"Medians differ by less than {FLOOR_PERCENT:g} %: {_levels_text(pair)}."
    is_separate = p <= max(DIFFERENT_P, smallest_p(len(pair.base), len(pair.head))) * (1 + ROUNDING)
    is_within_scatter = abs(after - before) < floor.scatter * (pair.noise or 0.0)
    if is_separate and not is_within_scatter and is_large(pair.percent, floor.percent):
        better = (after > before) == higher_is_better
        single = f" A single run counts only beyond {floor.percent:g} %, because it can be off by that much by chance."
        reason = f"{'Better' if better else 'Worse'} {_difference_text(pair)}.{single if min(pair.runs) == 1 else ''}"
        return ("improved" if better else "regressed"), reason
    if floor.enough and (is_within_scatter or p > CHANCE_P):
        return "same", f"Medians differ {_difference_text(pair)}: within the scatter of the runs."
    return "unknown", f"Medians differ {_difference_text(pair)}. {_explain_unknown(pair)}"


def _difference_text(pair: _Samples) -> str:
    return f"{reasons.percent(pair.percent)}, {_levels_text(pair)}"


def _levels_text(pair: _Samples) -> str:
    before, after = pair.medians
    scatter = "" if pair.noise_percent is None else f", scatter {pair.noise_percent:.1f} %"
    return f"{before:.4g} → {after:.4g}{scatter}"


def _explain_unknown(pair: _Samples) -> str:
    """Why a difference is inconclusive, and what to do."""
    runs, floor = pair.runs, pair.floor
    if floor.enough:
        return "The test neither confirms nor excludes a change. Add more runs."
    counted = "one run each" if runs == (1, 1) else f"{runs[0]} base and {runs[1]} head runs"
    times = "" if floor.scatter == 1 else f"{floor.scatter:g} times "
    scatter = f" and {times}the scatter" if pair.noise is not None else ""
    return (
        f"With {counted}, only a difference of more than {floor.percent:g} %{scatter}, without overlap, can be "
        "distinguished from noise. With five runs each, 2 % is enough."
    )
