"""Calculates the tick positions and labels of axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def ticks(highest: float, most: int) -> tuple[float, ...]:
    """Round values from 0 to `highest`, at most `most` of them above 0, in steps of 1, 2 or 5 times a power of ten."""
    if not math.isfinite(highest) or highest <= 0:
        return (0.0,)
    rough = highest / most
    power = 10.0 ** math.floor(math.log10(rough))
    size = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return tuple(size * index for index in range(math.floor(highest / size * (1 + 1e-9)) + 1))


def ticks_between(low: float, high: float, most: int) -> tuple[float, ...]:
    """Round values from `low` to `high`, about `most` of them, in steps of 1, 2 or 5 times a power of ten."""
    extent = high - low
    if not math.isfinite(extent) or extent <= 0:
        return (low,)
    size = ticks(extent, most)[-1] / max(1, len(ticks(extent, most)) - 1)
    first = math.ceil(low / size * (1 - 1e-12))
    return tuple(size * index for index in range(first, math.floor(high / size) + 1))


def every_nth(items: Sequence[Item], most: int) -> tuple[Item, ...]:
    """Every n-th item from the first, so that at most `most` remain."""
    every = max(1, math.ceil(len(items) / most))
    return tuple(items[::every])


def tick_label(value: float) -> str:
    """The value of a tick without trailing zeros."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")
