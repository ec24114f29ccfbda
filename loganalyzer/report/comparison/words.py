"""How a comparison's figures are written, in the terminal as in Markdown."""

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


def metric(one: MetricChange) -> str:
    """Its name, with what it is compared for."""
    mark = "averages" if one.estimated and one.basis is None else one.basis
    return METRICS[one.metric].title + (f" ({mark})" if mark else "")


def figure(value: float | None, unit: str) -> str:
    """`5.21 s`; a dash where it is unknown."""
    return "–" if value is None else f"{value:.4g} {unit}"


def change(one: MetricChange) -> str:
    """`+13.5 %`; a dash where there is none."""
    return "–" if one.change_percent is None else f"{one.change_percent:+.1f} %"


def noise(one: MetricChange) -> str:
    """`1.2 %`, the scatter of single values."""
    return "–" if one.noise_percent is None else f"{one.noise_percent:.1f} %"


def counts(one: MetricChange) -> str:
    """How many values are behind either side."""
    return f"{one.base_n} / {one.head_n}"


def values(difference: Difference, side: str) -> str:
    """The values of one side."""
    given: tuple[Any, ...] = difference.base if side == "base" else difference.head
    return ", ".join("unknown" if value is None else str(value) for value in given) or "unknown"
