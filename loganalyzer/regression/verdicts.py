"""Judges one series of runs and explains the verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from loganalyzer.regression import reasons
from loganalyzer.regression.changes import FLOOR_PERCENT, MIN_RUNS, Change, ScanResult, find_changes
from loganalyzer.regression.jump import Jump
from loganalyzer.regression.scan import BLOCK, scan
from loganalyzer.regression.series import Series, change_percent, clean_series, is_large

Word = Literal["regressed", "suspected", "same", "improved", "unknown"]

SUSPICION = 0.04
"""Two-sided p-value of the scan of single runs up to which a rise is suspected."""
SUSPICION_MARGIN = 3
"""Minimum number of runs after a suspected change: with fewer, every method gives false alarms (regression-statistics
trial)."""
ENOUGH_RUNS = 40
ENOUGH_AROUND = 10
"""Runs in total, and before and after a change, that confirm 5 % steps in 1 % noise nine times in ten (calibration)."""
MORE_RUNS = 80
MIN_AROUND = 5
"""With 5–9 runs before or after the change, MORE_RUNS in total are needed; with fewer, blocks cannot confirm it."""


@dataclass(frozen=True)
class Verdict:
    """The verdict on one metric of one key.

    Attributes:
        verdict: the verdict.
        reason: why, for people.
        change: the change that the verdict reports, if any.
        changes: all confirmed changes, in order.
        noise_percent: run-to-run deviation in percent of the present level; None if that is 0 or unknown.
        runs: number of measurements judged.
        runs_needed: number of runs still needed for a verdict (`unknown`, `suspected`), otherwise 0.
        dropped: number of values that were None, NaN or infinite.
        p: two-sided p-value of the verdict, for judging several metrics together.
        jump: the newest nights compared with the normal range, if requested (`nightly.combine`).
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
    """The verdict on one series, oldest run first. The same values always give the same verdict.

    The latest confirmed change decides: `regressed` if it is for the worse, otherwise `improved`. A later change for
    the worse that only the scan of single runs finds is `suspected`.
    """
    series = clean_series(values)
    if series.runs < MIN_RUNS:
        missing = MIN_RUNS - series.runs
        return _make_verdict(
            "unknown", reasons.too_few(series.runs, missing), None, (series, ScanResult((), 1.0, 0.0)), missing
        )
    found = find_changes(series, higher_is_better)
    last = found.changes[-1] if found.changes else None
    if last is not None and last.worse:
        return _make_verdict("regressed", reasons.regressed(last, _noise_percent(series, found)), last, (series, found))
    suspected = _find_suspected(series, last, higher_is_better)
    if suspected is not None:
        needed = _runs_needed(len(series.values) - suspected.runs_after, suspected.runs_after)
        return _make_verdict("suspected", reasons.suspected(suspected, needed), suspected, (series, found), needed)
    if last is not None:
        return _make_verdict("improved", reasons.improved(last), last, (series, found))
    return _make_verdict(
        "same", reasons.same(series.runs, _noise_percent(series, found), len(series.spikes)), None, (series, found)
    )


def _make_verdict(
    word: Word, reason: str, change: Change | None, evidence: tuple[Series, ScanResult], needed: int = 0
) -> Verdict:
    series, found = evidence
    p = change.p if change is not None else found.p
    reason += reasons.dropped_values(series.dropped)
    return Verdict(
        word, reason, change, found.changes, _noise_percent(series, found), series.runs, needed, series.dropped, p
    )


def _noise_percent(series: Series, found: ScanResult) -> float | None:
    """Run-to-run deviation in percent of the present level."""
    if series.runs < MIN_RUNS:
        return None
    level = found.changes[-1].after if found.changes else float(series.values.mean())
    return change_percent(level, level + found.noise) if level else None


def _find_suspected(series: Series, last: Change | None, higher_is_better: bool) -> Change | None:
    """A change for the worse after the last confirmed one, found by the scan of single runs; None if there is none."""
    start = int(np.searchsorted(series.positions, last.index)) if last is not None else 0
    values = series.values[start:]
    scanned = scan(values, 1, SUSPICION_MARGIN) if len(values) >= MIN_RUNS else None
    if scanned is None:
        return None
    step = scanned.down if higher_is_better else scanned.up
    if step.p > SUSPICION:
        return None
    before, after = float(values[: step.index].mean()), float(values[step.index :].mean())
    percent = change_percent(before, after)
    is_history = step.index < MIN_AROUND and len(values) >= ENOUGH_RUNS
    if is_history or not is_large(percent, FLOOR_PERCENT):
        return None
    place = int(series.positions[start + step.index])
    return Change(place, before, after, percent, True, "step", len(values) - step.index, step.p)


def _runs_needed(before: int, after: int) -> int:
    """The minimum number of further runs that can confirm a lasting change; at least one block."""
    total = ENOUGH_RUNS if before >= ENOUGH_AROUND else MORE_RUNS
    return max(total - before - after, ENOUGH_AROUND - after, BLOCK)
