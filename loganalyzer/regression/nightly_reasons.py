"""Writes the sentences that compare the newest nights with the normal range."""

from __future__ import annotations

from loganalyzer.common.formatting import plural
from loganalyzer.regression import reasons
from loganalyzer.regression.changes import Change
from loganalyzer.regression.control import ESTABLISHED_NIGHTS
from loganalyzer.regression.jump import FALSE_ALARM_RATE, Jump, NormalRange


def worse(jump: Jump, unit: str) -> str:
    """The reason for a change for the worse: tonight's value, the normal range, the rule, and its false alarm rate."""
    return f"Worse {_amount_text(jump)}: {_tonight_text(jump, unit)}. {_rule_text(jump, unit)} {_certainty_text(jump)}"


def better(jump: Jump, unit: str) -> str:
    """The reason for a change for the better: tonight's value and the normal range."""
    return f"Better {_amount_text(jump)}: {_tonight_text(jump, unit)}."


def normal(jump: Jump, unit: str) -> str:
    """Tonight's value and the normal range."""
    return f"{_tonight_text(jump, unit, start=True)}."


def suspected(change: Change, needed: int, *, at_least: bool) -> str:
    """The reason for a suspected change, and how many more runs would confirm it."""
    amount = reasons.amount(change)
    bound = "at least" if at_least else "about"
    return (
        f"Perhaps worse {amount}. This may still be noise. If the change lasts, {bound} "
        f"{plural(needed, 'more run')} will confirm it."
    )


def too_few(nights: int, missing: int, dropped: int) -> str:
    """Why there is no verdict yet: the number of nights, and how many are still needed."""
    counted = f"Only {plural(nights, 'night')}: {missing} more needed for a verdict."
    return counted + reasons.dropped_values(dropped)


def _amount_text(jump: Jump) -> str:
    nights, level = jump.spell or (0, jump.tonight)
    before = jump.normal.level if jump.normal else level
    percent = None if before == 0 else (level - before) / abs(before) * 100
    return f"{reasons.percent(percent)} for {plural(nights, 'night')}"


def _tonight_text(jump: Jump, unit: str, *, start: bool = False) -> str:
    """Tonight's value, the normal range, and the distance from it."""
    word = "Tonight" if start else "tonight"
    value = f"{word} {_value_text(jump.tonight, unit)}"
    if jump.normal is None:
        return value
    limits = jump.normal
    span = (
        f"normal {limits.low:.4g}–{_value_text(limits.high, unit)} (median {limits.level:.4g}, {_nights_text(limits)})"
    )
    return f"{value}, {span}{_distance_text(jump, limits, unit)}"


def _nights_text(limits: NormalRange) -> str:
    return plural(limits.nights, "night")


def _distance_text(jump: Jump, limits: NormalRange, unit: str) -> str:
    if limits.low <= jump.tonight <= limits.high:
        return ""
    above = jump.tonight > limits.high
    distance = jump.tonight - limits.high if above else limits.low - jump.tonight
    scatters = f", {jump.scatters:.0f} times the scatter from the median" if limits.scatter else ""
    return f": {_value_text(distance, unit)} {'above' if above else 'below'} the range{scatters}"


def _rule_text(jump: Jump, unit: str) -> str:
    if jump.rule is None or jump.normal is None:
        return ""
    rule, night_limit, median_limit = jump.rule
    if rule.nights == 1:
        return f"One night counts if it is more than {_value_text(night_limit, unit)} off the median."
    sequence = f"{rule.nights} consecutive nights count if {rule.nights - rule.allowed} of them are"
    of_median = f" and their median is {_value_text(median_limit, unit)} off" if median_limit > night_limit else ""
    return f"{sequence} more than {_value_text(night_limit, unit)} off the median{of_median}."


def _certainty_text(jump: Jump) -> str:
    chance = f"The limits allow about {1000 * FALSE_ALARM_RATE:.0f} false alarms in 1,000 nights."
    count = jump.normal.nights if jump.normal else 0
    return (
        f"{chance} They are wider than usual because there are fewer than {ESTABLISHED_NIGHTS} nights."
        if count < ESTABLISHED_NIGHTS
        else chance
    )


def _value_text(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".rstrip()
