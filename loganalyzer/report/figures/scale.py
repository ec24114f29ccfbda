"""Where an axis has its marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def ticks(highest: float, most: int) -> tuple[float, ...]:
    """Round values from 0 up to `highest`, `most` or fewer above 0: steps of 1, 2 or 5 times a power of ten."""
    if not math.isfinite(highest) or highest <= 0:
        return (0.0,)
    rough = highest / most
    power = 10.0 ** math.floor(math.log10(rough))
    size = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return tuple(size * index for index in range(math.floor(highest / size * (1 + 1e-9)) + 1))


def thinned(items: Sequence[Item], most: int) -> tuple[Item, ...]:
    """Every n-th, from the first, so that `most` or fewer remain."""
    every = max(1, math.ceil(len(items) / most))
    return tuple(items[::every])


def plain(value: float) -> str:
    """A tick's value without needless zeros."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")
