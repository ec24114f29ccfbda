"""One verdict from two: the change-point scan looks at weeks, process control at the newest nights."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from loganalyzer.regression import forecast, nightly_reasons
from loganalyzer.regression.changes import Change
from loganalyzer.regression.control import MOST_NIGHTS
from loganalyzer.regression.jump import FALSE_RED, Jump
from loganalyzer.regression.series import Numbers, change_percent
from loganalyzer.regression.verdicts import Verdict, Word, judge

CERTAIN: Final = 0.008
CERTAIN_SCATTERS: Final = 1.8
"""Two-sided p-value, and size in run-to-run scatters, of a change that is red though process control does not see it.

The scan's own 0.025 is right for one look. A job looks every night: with it, correlated noise made the scan alone red
on 5 of 1,000 nights, with both limits on 1.3 (2,400 series, of which 1,400 took no part in the choice). Nine of ten
changes of 5 % in 2 % noise pass them twenty nights after.
"""
NEAR: Final = 3
"""Runs by which the scan and process control may date one change differently."""


def combine(scanned: Verdict, jump: Jump, offset: int = 0, unit: str = "") -> Verdict:
    """The verdict of both on one series.

    A worse newest night is `regressed` at once, as a change of kind `jump`, until the scan has dated the change: then
    the scan's own is given. A scan's regression that has ended since is none any more. The first run that the
    scan judged is at place `offset` of those that `jump` counts.
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
    change = _change(jump, scanned.runs + scanned.dropped, offset, worse=True)
    dated = scanned.change is not None and scanned.change.index >= change.index - NEAR
    if scanned.verdict == "regressed" and dated:
        return replace(scanned, reason=f"{scanned.reason} {nightly_reasons.normal(jump, unit)}", jump=jump)
    return _jumped(scanned, jump, change, nightly_reasons.worse(jump, unit))


def _better(scanned: Verdict, jump: Jump, offset: int, unit: str) -> Verdict:
    if scanned.verdict == "improved":
        return replace(scanned, reason=f"{scanned.reason} {nightly_reasons.normal(jump, unit)}", jump=jump)
    change = _change(jump, scanned.runs + scanned.dropped, offset, worse=False)
    return _jumped(scanned, jump, change, nightly_reasons.better(jump, unit))


def _jumped(scanned: Verdict, jump: Jump, change: Change, reason: str) -> Verdict:
    """The verdict of process control, after the changes that the scan has confirmed before."""
    earlier = tuple(one for one in scanned.changes if one.index < change.index - NEAR)
    word: Word = "regressed" if change.worse else "improved"
    changed = replace(scanned, verdict=word, reason=reason, change=change, changes=(*earlier, change))
    return replace(changed, runs_needed=0, p=FALSE_RED, jump=jump)


def _normal_but_scanned(scanned: Verdict, jump: Jump, offset: int, unit: str) -> Verdict:
    """The scan sees a change for the worse, and the newest nights are normal."""
    change = scanned.change
    if change is None:
        return replace(scanned, jump=jump)
    if _is_over(change, jump, offset):
        reason = nightly_reasons.normal(jump, unit)
        return replace(scanned, verdict="same", reason=reason, change=None, runs_needed=0, jump=jump)
    if _is_certain(scanned):
        return replace(scanned, reason=f"{scanned.reason} {nightly_reasons.normal(jump, unit)}", jump=jump)
    nights = forecast.nights_until_red(jump.follower, max(1, round(change.runs_after / jump.runs)), confirmed_by_scan)
    needed = max(1, round(nights * jump.runs))
    reason = nightly_reasons.suspected(change, needed, at_least=nights >= forecast.LOOKS[-1])
    changes = scanned.changes if scanned.verdict == "suspected" else scanned.changes[:-1]
    return replace(scanned, verdict="suspected", reason=reason, changes=changes, runs_needed=needed, jump=jump)


def _is_certain(scanned: Verdict) -> bool:
    """Whether the scan's verdict is red without process control."""
    change = scanned.change
    if scanned.verdict != "regressed" or change is None:
        return False
    scatter = (scanned.noise_percent or 0.0) / 100 * abs(change.after)
    return change.p <= CERTAIN and abs(change.after - change.before) >= CERTAIN_SCATTERS * scatter


def confirmed_by_scan(values: Numbers) -> bool:
    """Whether the scan alone makes a series of nights red, worse being higher."""
    latest = values[-MOST_NIGHTS:]
    return _is_certain(judge(latest))


def _is_over(change: Change, jump: Jump, offset: int) -> bool:
    """Whether the change began with a spell that has ended."""
    if jump.ended is None:
        return False
    first, back = (place - offset for place in jump.ended)
    return first - NEAR <= change.index <= back


def _change(jump: Jump, count: int, offset: int, *, worse: bool) -> Change:
    """The present spell as a change of level; `count`: runs that the scan judged."""
    if jump.since is None or jump.spell is None or jump.normal is None:
        raise ValueError("no spell")  # never: a worse or better night is part of one
    index = jump.since - offset
    before, after = jump.normal.level, jump.spell[1]
    percent = change_percent(before, after)
    return Change(index, before, after, percent, worse, "jump", count - index, FALSE_RED)
