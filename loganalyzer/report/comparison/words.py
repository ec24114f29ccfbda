"""Formats the values of a comparison, for the terminal, Markdown and HTML."""

from __future__ import annotations

from typing import Any, Final

from loganalyzer.comparison.model import Comparison, Difference, MetricChange
from loganalyzer.tables.metrics import METRICS

VERDICTS: Final = {
    "regressed": "REGRESSED",
    "improved": "IMPROVED",
    "same": "SAME",
    "incomparable": "NOT COMPARABLE",
}


def headline(comparison: Comparison) -> str:
    """`base → head: reason`."""
    return f"{comparison.base} → {comparison.head}: {comparison.reason}"


def metric_name(one: MetricChange) -> str:
    """The metric's name, with the basis of its values in parentheses."""
    mark = "averages" if one.estimated and one.basis is None else one.basis
    return METRICS[one.metric].title + (f" ({mark})" if mark else "")


def format_value(value: float | None, unit: str) -> str:
    """`5.21 s`; a dash if it is unknown."""
    return "–" if value is None else f"{value:.4g} {unit}"


def format_change(one: MetricChange) -> str:
    """`+13.5 %`; a dash if it is unknown."""
    return "–" if one.change_percent is None else f"{one.change_percent:+.1f} %"


def format_noise(one: MetricChange) -> str:
    """The scatter of single values, `1.2 %`; a dash if it is unknown."""
    return "–" if one.noise_percent is None else f"{one.noise_percent:.1f} %"


def format_counts(one: MetricChange) -> str:
    """The number of values of base and of head, `5 / 3`."""
    return f"{one.base_n} / {one.head_n}"


def format_values(difference: Difference, which: str) -> str:
    """The values of base or head, separated by commas."""
    given: tuple[Any, ...] = difference.base if which == "base" else difference.head
    return ", ".join("unknown" if value is None else str(value) for value in given) or "unknown"
