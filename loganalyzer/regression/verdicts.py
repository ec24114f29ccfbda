"""One series of runs → one verdict, with its reason in plain words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from loganalyzer.regression import reasons
from loganalyzer.regression.changes import FLOOR_PERCENT, MINIMUM_RUNS, Change, Found, find
from loganalyzer.regression.jump import Jump
from loganalyzer.regression.scan import BLOCK, scan
from loganalyzer.regression.series import Series, change_percent, clean, is_large

Word = Literal["regressed", "suspected", "same", "improved", "unknown"]

SUSPICION = 0.04
"""Two-sided p-value of the scan of single runs up to which a rise is suspected."""
SUSPICION_MARGIN = 3
"""Fewest runs after a suspected change: before that, nothing quiet finds it (regression-statistics trial)."""
ENOUGH_RUNS = 40
ENOUGH_AROUND = 10
"""Runs in all, and on either side, with which a 5 % step in 1 % noise is confirmed nine times in ten (calibration)."""
MORE_RUNS = 80
FEWEST_AROUND = 5
"""With 5 to 9 runs on one side it takes so many in all; with fewer, blocks cannot confirm it in any number."""


@dataclass(frozen=True)
class Verdict:
    """What is to be said about one metric of one key.

    `change`: what the verdict rests on, if anything; `changes`: all confirmed ones, in order;
    `noise_percent`: run-to-run deviation in percent of the present level, None where that is 0 or unknown;
    `runs`: measurements judged; `runs_needed`: how many more until there is a verdict (`unknown`, `suspected`), else 0;
    `dropped`: None, NaN or infinite ones; `p`: two-sided p-value of what the verdict says, to judge several together;
    `jump`: the newest nights against the normal range, where that was asked (`nightly.combine`).
    """

    verdict: Word
    reason: str
    change: Change | None
    changes: tuple[Change, ...]
    noise_percent: float | None
    runs: int
    runs_needed: int
    dropped: int
    p: float
    jump: Jump | None = None


def judge(values: Iterable[float | None], *, higher_is_better: bool = False) -> Verdict:
    """The verdict on one series, oldest run first; the same values always give the same verdict.

    The latest confirmed change decides: `regressed` if it was for the worse, else `improved`; a change for the worse
    that only the scan of single runs sees since then is `suspected`.
    """
    series = clean(values)
    if series.runs < MINIMUM_RUNS:
        missing = MINIMUM_RUNS - series.runs
        return _verdict("unknown", reasons.too_few(series.runs, missing), None, (series, Found((), 1.0, 0.0)), missing)
    found = find(series, higher_is_better)
    last = found.changes[-1] if found.changes else None
    if last is not None and last.worse:
        return _verdict("regressed", reasons.regressed(last, _noise(series, found)), last, (series, found))
    suspected = _suspected(series, last, higher_is_better)
    if suspected is not None:
        needed = _runs_needed(len(series.values) - suspected.runs_after, suspected.runs_after)
        return _verdict("suspected", reasons.suspected(suspected, needed), suspected, (series, found), needed)
    if last is not None:
        return _verdict("improved", reasons.improved(last), last, (series, found))
    return _verdict("same", reasons.same(series.runs, _noise(series, found), len(series.spikes)), None, (series, found))


def _verdict(
    word: Word, reason: str, change: Change | None, evidence: tuple[Series, Found], needed: int = 0
) -> Verdict:
    series, found = evidence
    p = change.p if change is not None else found.p
    reason += reasons.dropped(series.dropped)
    return Verdict(word, reason, change, found.changes, _noise(series, found), series.runs, needed, series.dropped, p)


def _noise(series: Series, found: Found) -> float | None:
    """Run-to-run deviation in percent of the present level."""
    if series.runs < MINIMUM_RUNS:
        return None
    level = found.changes[-1].after if found.changes else float(series.values.mean())
    return change_percent(level, level + found.noise) if level else None


def _suspected(series: Series, last: Change | None, higher_is_better: bool) -> Change | None:
    """A change for the worse since the last confirmed one that the scan of single runs sees."""
    start = int(np.searchsorted(series.positions, last.index)) if last is not None else 0
    values = series.values[start:]
    scanned = scan(values, 1, SUSPICION_MARGIN) if len(values) >= MINIMUM_RUNS else None
    if scanned is None:
        return None
    step = scanned.down if higher_is_better else scanned.up
    if step.p > SUSPICION:
        return None
    before, after = float(values[: step.index].mean()), float(values[step.index :].mean())
    percent = change_percent(before, after)
    is_history = step.index < FEWEST_AROUND and len(values) >= ENOUGH_RUNS
    if is_history or not is_large(percent, FLOOR_PERCENT):
        return None
    place = int(series.positions[start + step.index])
    return Change(place, before, after, percent, True, "step", len(values) - step.index, step.p)


def _runs_needed(before: int, after: int) -> int:
    """How many more runs would confirm a change that lasts, at least: one more block, whatever there is."""
    total = ENOUGH_RUNS if before >= ENOUGH_AROUND else MORE_RUNS
    return max(total - before - after, ENOUGH_AROUND - after, BLOCK)
