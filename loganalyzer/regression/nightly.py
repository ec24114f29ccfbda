"""Combines two verdicts on a series: the change-point scan covers weeks, process control the newest nights."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from loganalyzer.regression import forecast, nightly_reasons
from loganalyzer.regression.changes import Change
from loganalyzer.regression.control import MOST_NIGHTS
from loganalyzer.regression.jump import FALSE_ALARM_RATE, Jump
from loganalyzer.regression.series import Numbers, change_percent
from loganalyzer.regression.verdicts import Verdict, Word, judge

CERTAIN_P: Final = 0.008
CERTAIN_SCATTERS: Final = 1.8
"""Two-sided p-value, and size in run-to-run scatters, of a change that is `regressed` without process control.

The scan's own limit of 0.025 suits a single test. A nightly job tests every night: with that limit, correlated noise
gave false alarms on 5 of 1,000 nights; with both limits here, on 1.3 (2,400 series, 1,400 of them not used to choose
the limits). Nine of ten changes of 5 % in 2 % noise pass the limits after twenty nights.
"""
DATE_TOLERANCE: Final = 3
"""Number of runs by which the scan and process control may disagree about the date of one change."""


def combine(scanned: Verdict, jump: Jump, offset: int = 0, unit: str = "") -> Verdict:
    """The combined verdict on one series.

    Worse newest nights are `regressed` at once, as a change of kind `jump`. Once the scan dates the change, its own
    change replaces the jump. A regression found by the scan no longer counts once it has ended. `offset` is the index,
    in the runs that `jump` covers, of the first run that the scan covers.
    """
    if jump.word == "unknown":
        return _unknown(scanned, jump)
    if jump.word == "worse":
        return _worse(scanned, jump, offset, unit)
    if jump.word == "better":
        return _better(scanned, jump, offset, unit)
    if scanned.verdict in {"regressed", "suspected"}:
        return _normal_but_scanned(scanned, jump, offset, unit)
    reason = nightly_reasons.normal(jump, unit)
    if scanned.verdict == "unknown":
        return replace(scanned, verdict="same", reason=reason, runs_needed=0, jump=jump)
    return replace(scanned, reason=f"{scanned.reason} {reason}", jump=jump)


def _unknown(scanned: Verdict, jump: Jump) -> Verdict:
    if scanned.verdict != "unknown":
        return replace(scanned, jump=jump)
    nights = len(jump.follower.values)
    reason = nightly_reasons.too_few(nights, jump.missing, scanned.dropped)
    return replace(scanned, reason=reason, runs_needed=jump.missing, jump=jump)


def _worse(scanned: Verdict, jump: Jump, offset: int, unit: str) -> Verdict:
    change = _spell_change(jump, scanned.runs + scanned.dropped, offset, worse=True)
    is_dated = scanned.change is not None and scanned.change.index >= change.index - DATE_TOLERANCE
    if scanned.verdict == "regressed" and is_dated:
        return replace(scanned, reason=f"{scanned.reason} {nightly_reasons.normal(jump, unit)}", jump=jump)
    return _jump_verdict(scanned, jump, change, nightly_reasons.worse(jump, unit))


def _better(scanned: Verdict, jump: Jump, offset: int, unit: str) -> Verdict:
    if scanned.verdict == "improved":
        return replace(scanned, reason=f"{scanned.reason} {nightly_reasons.normal(jump, unit)}", jump=jump)
    change = _spell_change(jump, scanned.runs + scanned.dropped, offset, worse=False)
    return _jump_verdict(scanned, jump, change, nightly_reasons.better(jump, unit))


def _jump_verdict(scanned: Verdict, jump: Jump, change: Change, reason: str) -> Verdict:
    """The verdict of process control, with the earlier changes that the scan confirmed."""
    earlier = tuple(one for one in scanned.changes if one.index < change.index - DATE_TOLERANCE)
    word: Word = "regressed" if change.worse else "improved"
    changed = replace(scanned, verdict=word, reason=reason, change=change, changes=(*earlier, change))
    return replace(changed, runs_needed=0, p=FALSE_ALARM_RATE, jump=jump)


def _normal_but_scanned(scanned: Verdict, jump: Jump, offset: int, unit: str) -> Verdict:
    """The verdict if the scan finds a change for the worse but the newest nights are normal."""
    change = scanned.change
    if change is None:
        return replace(scanned, jump=jump)
    if _is_over(change, jump, offset):
        reason = nightly_reasons.normal(jump, unit)
        return replace(scanned, verdict="same", reason=reason, change=None, runs_needed=0, jump=jump)
    if _is_certain(scanned):
        return replace(scanned, reason=f"{scanned.reason} {nightly_reasons.normal(jump, unit)}", jump=jump)
    nights = forecast.nights_until_confirmed(
        jump.follower, max(1, round(change.runs_after / jump.runs)), confirmed_by_scan
    )
    needed = max(1, round(nights * jump.runs))
    reason = nightly_reasons.suspected(change, needed, at_least=nights >= forecast.CHECKED_NIGHTS[-1])
    changes = scanned.changes if scanned.verdict == "suspected" else scanned.changes[:-1]
    return replace(scanned, verdict="suspected", reason=reason, changes=changes, runs_needed=needed, jump=jump)


def _is_certain(scanned: Verdict) -> bool:
    """Whether the scan alone makes the series `regressed`."""
    change = scanned.change
    if scanned.verdict != "regressed" or change is None:
        return False
    scatter = (scanned.noise_percent or 0.0) / 100 * abs(change.after)
    return change.p <= CERTAIN_P and abs(change.after - change.before) >= CERTAIN_SCATTERS * scatter


def confirmed_by_scan(values: Numbers) -> bool:
    """Whether the scan alone makes a series of nights `regressed`, with higher being worse."""
    latest = values[-MOST_NIGHTS:]
    return _is_certain(judge(latest))


def _is_over(change: Change, jump: Jump, offset: int) -> bool:
    """Whether the change started with a spell that has ended."""
    if jump.ended is None:
        return False
    first, back = (place - offset for place in jump.ended)
    return first - DATE_TOLERANCE <= change.index <= back


def _spell_change(jump: Jump, count: int, offset: int, *, worse: bool) -> Change:
    """The present spell as a change of level; `count`: number of runs that the scan covers."""
    if jump.since is None or jump.spell is None or jump.normal is None:
        raise ValueError("no spell")  # cannot happen: worse and better nights are part of a spell
    index = jump.since - offset
    before, after = jump.normal.level, jump.spell[1]
    percent = change_percent(before, after)
    return Change(index, before, after, percent, worse, "jump", count - index, FALSE_ALARM_RATE)
