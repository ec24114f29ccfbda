"""Two samples of one metric, base and head: did it change between them?

With three base runs or more that give one value each, the head is held against the base as `history trend` and the
nightly check hold the newest nights against the nights before (`control`), so the same runs get the same verdict. From
`ENOUGH_RUNS` runs on, where the change-point scan finds smaller changes too, so does the permutation test here.

With fewer runs, the verdict needs two things: the exact permutation test puts the samples apart at 1 % (where so few
runs cannot reach that, as far as they can: no run of one side among those of the other), and the medians are apart by
more than a floor:

| runs on the side with fewer | floor: the larger of |
|---|---|
| enough for the test (5 against 5, 4 against 6, 3 against 9, …) | 2 %, the scatter of single runs |
| 3 and more | 3 %, 4 times the scatter |
| 2 | 10 %, 8 times the scatter |
| 1 | 10 %, 8 times the other side's scatter, where it has any |

Medians less than 2 % apart are the `same`. What is further apart and cannot be proved is `unknown`, unless enough runs
say that chance explains it well. Caution has its reason: a limit of 10 % on single runs flagged 13 % of no-change
comparisons on hosted machines, and one code's single runs were found 84 % apart, its medians of five 1 %
(regression-statistics trial).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from loganalyzer.common.formatting import plural
from loganalyzer.regression import reasons
from loganalyzer.regression.changes import FLOOR_PERCENT
from loganalyzer.regression.control import FEWEST_NIGHTS, RULES, Floors, Reference, exceeds, median_limit, rule_for
from loganalyzer.regression.ranks import difference_p, smallest_p
from loganalyzer.regression.series import (
    ROUNDING,
    Numbers,
    change_percent,
    deviation,
    is_large,
    is_measurement,
    numbers,
)
from loganalyzer.regression.verdicts import ENOUGH_AROUND, ENOUGH_RUNS

PairWord = Literal["regressed", "improved", "same", "unknown"]

LEVEL = 0.01
"""Two-sided p-value up to which two samples differ."""
CERTAIN = 0.005
"""The same for many runs that the rules of process control do not call different."""
DOUBT = 0.05
"""Two-sided p-value beyond which chance explains a difference well."""
_GAUSSIAN = 1.4826
"""Standard deviation ÷ median distance from the median, gaussian noise."""


@dataclass(frozen=True)
class Comparison:
    """`base` and `head` are medians; percentages are None where there is none (no values, or a median of 0).

    `noise_percent`: deviation of single values within the samples, in percent of the base; None with no sample of two.
    `dropped`: values left out that were None, NaN or infinite. `p` is None where nothing could be permuted.
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
    """What medians must be apart by: percent, and multiples of the scatter; `enough` where the test can reach LEVEL."""

    percent: float
    scatter: float
    enough: bool = False


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two samples of finite values, shape (n,) each, not empty, and how many independent runs each comes from."""

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
        """Deviation of single values around their sample's median, in the metric's unit; None without two values."""
        if max(len(self.base), len(self.head)) < 2:
            return None
        samples = [side for side in (self.base, self.head) if len(side) > 1]
        if min(map(len, samples)) >= 5:
            return _GAUSSIAN * float(np.median(np.concatenate([np.abs(side - np.median(side)) for side in samples])))
        return deviation(np.concatenate([side - side.mean() for side in samples]), len(samples))

    @property
    def noise_percent(self) -> float | None:
        level = abs(self.medians[0])
        return self.noise / level * 100 if self.noise is not None and level else None

    @property
    def one_value_a_run(self) -> bool:
        return self.runs == (len(self.base), len(self.head))

    @property
    def has_reference(self) -> bool:
        """Whether the base shows what is normal."""
        return self.one_value_a_run and self.runs[0] >= FEWEST_NIGHTS

    @property
    def floor(self) -> Floor:
        fewest = min(self.runs)
        one_value_a_run = self.one_value_a_run
        if one_value_a_run and fewest > 1 and smallest_p(*self.runs) <= LEVEL:
            return Floor(FLOOR_PERCENT, 1.0, enough=True)
        percent, scatter = (3.0, 4.0) if fewest > 2 else (10.0, 8.0)
        return Floor(percent, scatter if one_value_a_run else 1.0)


def compare(
    base: Iterable[float | None],
    head: Iterable[float | None],
    *,
    higher_is_better: bool = False,
    runs: tuple[int, int] | None = None,
    floors: Floors | None = None,
) -> Comparison:
    """The verdict on two samples; the same values in any order always give the same one.

    Each value should be one run's, best its median where it gave many (its single steps). Where all are given, `runs`
    says how many runs the values of either side come from: values of one run share its conditions, so one run against
    one run stays just that, and five against five are judged as few. `floors`: the least difference that counts.
    """
    measured = numbers(base), numbers(head)
    before, after = (np.sort(side[is_measurement(side)]) for side in measured)
    counts = (len(before), len(after))
    dropped = len(measured[0]) + len(measured[1]) - sum(counts)
    note = reasons.dropped(dropped)
    if not all(counts):
        old, new = (float(np.median(side)) if len(side) else None for side in (before, after))
        reason = f"No values of {'the base' if not counts[0] else 'the head'}.{note}"
        return Comparison("unknown", reason, old, new, None, None, *counts, dropped, None)
    pair = _Pair(before, after, (min(counts[0], runs[0]), min(counts[1], runs[1])) if runs else counts)
    p = difference_p(before, after)
    if pair.has_reference:
        verdict, reason = _judge_as_nights(pair, p, higher_is_better, floors or Floors())
    else:
        verdict, reason = _judge(pair, p, higher_is_better)
    return Comparison(verdict, reason + note, *pair.medians, pair.percent, pair.noise_percent, *counts, dropped, p)


def _judge_as_nights(pair: _Pair, p: float, higher_is_better: bool, floors: Floors) -> tuple[PairWord, str]:
    """The word and its reason where the base is a reference."""
    sign = -1 if higher_is_better else 1
    reference = Reference.of(sign * pair.base, floors, ordered=False)
    for word, seen, head in (
        ("regressed", reference, sign * pair.head),
        ("improved", reference.mirrored, -sign * pair.head),
    ):
        if any(exceeds(seen, rule, head, floors) for rule in RULES if rule.nights <= len(head)):
            name = "Worse" if word == "regressed" else "Better"
            return word, f"{name} {_figures(pair)}."  # type: ignore[return-value]
    (before, after), noise = pair.medians, pair.noise or 0.0
    if not is_large(pair.percent, FLOOR_PERCENT):
        return "same", f"Medians differ by less than {FLOOR_PERCENT:g} %: {_figures(pair)}."
    if pair.floor.enough and (abs(after - before) < max(noise, floors.least) or p > DOUBT):
        return "same", f"Medians differ {_figures(pair)}: no more than the runs' own scatter explains."
    if p <= CERTAIN and sum(pair.runs) >= ENOUGH_RUNS and min(pair.runs) >= ENOUGH_AROUND:
        better = (after > before) == higher_is_better
        return ("improved" if better else "regressed"), f"{'Better' if better else 'Worse'} {_figures(pair)}."
    rule = rule_for(pair.runs[1])
    reach = median_limit(reference, rule, floors)
    counted = "one run counts when" if rule.nights == 1 else f"{plural(rule.nights, 'run')} count when their median is"
    return "unknown", (
        f"Medians differ {_figures(pair)}. This may be noise: against {plural(pair.runs[0], 'run')}, {counted} "
        f"more than {reach:.3g} off the median. More runs would tell."
    )


def _judge(pair: _Pair, p: float, higher_is_better: bool) -> tuple[PairWord, str]:
    """The word and its reason."""
    (before, after), floor = pair.medians, pair.floor
    if not is_large(pair.percent, FLOOR_PERCENT):
        return "same", f"Medians differ by less than {FLOOR_PERCENT:g} %: {_figures(pair)}."
    apart = p <= max(LEVEL, smallest_p(len(pair.base), len(pair.head))) * (1 + ROUNDING)
    scattered = abs(after - before) < floor.scatter * (pair.noise or 0.0)
    if apart and not scattered and is_large(pair.percent, floor.percent):
        better = (after > before) == higher_is_better
        single = f" A single run is judged only beyond {floor.percent:g} %: it may be off by as much by chance."
        reason = f"{'Better' if better else 'Worse'} {_figures(pair)}.{single if min(pair.runs) == 1 else ''}"
        return ("improved" if better else "regressed"), reason
    if floor.enough and (scattered or p > DOUBT):
        return "same", f"Medians differ {_figures(pair)}: no more than the runs' own scatter explains."
    return "unknown", f"Medians differ {_figures(pair)}. {_caution(pair)}"


def _figures(pair: _Pair) -> str:
    before, after = pair.medians
    scatter = "" if pair.noise_percent is None else f", values scatter by {pair.noise_percent:.1f} %"
    return f"{reasons.percent(pair.percent)}, {before:.4g} → {after:.4g}{scatter}"


def _caution(pair: _Pair) -> str:
    """Why a difference is not called one, and what would help."""
    runs, floor = pair.runs, pair.floor
    if floor.enough:
        return "Chance explains that too rarely to say the same, too often to say changed: more runs would tell."
    counted = "one run against one run" if runs == (1, 1) else f"{runs[0]} against {runs[1]} runs"
    scatter = f" and {floor.scatter:g} times the scatter" if pair.noise is not None else ""
    return (
        f"With {counted}, only a difference beyond {floor.percent:g} %{scatter}, without overlap, is told from noise; "
        "five runs on either side are judged from 2 % on."
    )
