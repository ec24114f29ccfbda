"""Rows chosen and ordered without copying them where nothing changes: a long log has millions."""

from __future__ import annotations

from typing import Final

import polars as pl

_MANY: Final = 50_000


def only(frame: pl.DataFrame, condition: pl.Expr) -> pl.DataFrame:
    """The rows that meet a condition; the frame itself where all do."""
    mask = frame.select(condition).to_series()
    return frame if mask.all() else frame.filter(mask)


def in_order(frame: pl.DataFrame, first: str, second: str) -> pl.DataFrame:
    """Sorted by two columns without nulls, which most frames are already."""
    one, two = pl.col(first), pl.col(second)
    behind = (one < one.shift(1)) | ((one == one.shift(1)) & (two < two.shift(1)))
    return frame.sort(first, second) if frame.select(behind.any()).item() else frame


def distinct(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The different values of `columns`; fast where equal rows stand together, as those of an input do."""
    own = frame.select(columns)
    if own.height < _MANY:
        return own.unique(maintain_order=True)
    changes = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in columns)
    first = pl.int_range(pl.len()) == 0
    return own.filter(changes | first).unique(maintain_order=True)
