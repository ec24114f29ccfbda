"""The sentences that say how the newest nights compare with the normal range."""

from __future__ import annotations

from loganalyzer.common.formatting import plural
from loganalyzer.regression import reasons
from loganalyzer.regression.changes import Change
from loganalyzer.regression.control import ESTABLISHED
from loganalyzer.regression.jump import FALSE_RED, Jump, Range


def worse(jump: Jump, unit: str) -> str:
    """Tonight's value, the normal range, how far outside, for how long, and how sure that is."""
    return f"Worse {_amount(jump)}: {_tonight(jump, unit)}. {_rule(jump, unit)} {_certainty(jump)}"


def better(jump: Jump, unit: str) -> str:
    """The same for a change for the better."""
    return f"Better {_amount(jump)}: {_tonight(jump, unit)}."


def normal(jump: Jump, unit: str) -> str:
    """The normal range, and where tonight lies."""
    return f"{_tonight(jump, unit, start=True)}."


def suspected(change: Change, needed: int, *, at_least: bool) -> str:
    """The change that may be chance, and how many runs will probably tell."""
    amount = reasons.amount(change)
    bound = "at least" if at_least else "about"
    return (
        f"Perhaps worse {amount}. This may still be noise. If the change lasts, it will be confirmed after "
        f"{bound} {plural(needed, 'more run')}."
    )


def too_few(nights: int, missing: int, dropped: int) -> str:
    """How many nights there are, and how many are missing."""
    counted = f"Only {plural(nights, 'night')}: {missing} more needed before anything is judged."
    return counted + reasons.dropped(dropped)


def _amount(jump: Jump) -> str:
    nights, level = jump.spell or (0, jump.tonight)
    before = jump.normal.level if jump.normal else level
    percent = None if before == 0 else (level - before) / abs(before) * 100
    return f"{reasons.percent(percent)} for {plural(nights, 'night')}"


def _tonight(jump: Jump, unit: str, *, start: bool = False) -> str:
    """Tonight's value beside the normal range."""
    word = "Tonight" if start else "tonight"
    found = f"{word} {_value(jump.tonight, unit)}"
    if jump.normal is None:
        return found
    limits = jump.normal
    span = f"normal {limits.low:.4g}–{_value(limits.high, unit)} (median {limits.level:.4g}, {_nights(limits)})"
    return f"{found}, {span}{_outside(jump, limits, unit)}"


def _nights(limits: Range) -> str:
    return plural(limits.nights, "night")


def _outside(jump: Jump, limits: Range, unit: str) -> str:
    if limits.low <= jump.tonight <= limits.high:
        return ""
    above = jump.tonight > limits.high
    distance = jump.tonight - limits.high if above else limits.low - jump.tonight
    scatters = f", {jump.scatters:.0f} times the scatter from the median" if limits.scatter else ""
    return f": {_value(distance, unit)} {'above' if above else 'below'} the range{scatters}"


def _rule(jump: Jump, unit: str) -> str:
    if jump.rule is None or jump.normal is None:
        return ""
    rule, reach, median_reach = jump.rule
    if rule.nights == 1:
        return f"One night counts when more than {_value(reach, unit)} off the median."
    row = f"{rule.nights} nights in a row count when {rule.nights - rule.allowed} of them are"
    of_median = f" and their median is {_value(median_reach, unit)} off" if median_reach > reach else ""
    return f"{row} more than {_value(reach, unit)} off the median{of_median}."


def _certainty(jump: Jump) -> str:
    chance = f"The limits aim at {1000 * FALSE_RED:.0f} false red nights in 1,000."
    count = jump.normal.nights if jump.normal else 0
    return f"{chance} Limits are wider than usual: fewer than {ESTABLISHED} nights." if count < ESTABLISHED else chance


def _value(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".rstrip()
