"""Rows chosen and ordered without copying them where nothing changes: a long log has millions."""

from __future__ import annotations

import polars as pl


def only(frame: pl.DataFrame, condition: pl.Expr) -> pl.DataFrame:
    """The rows that meet a condition; the frame itself where all do."""
    mask = frame.select(condition).to_series()
    return frame if mask.all() else frame.filter(mask)


def in_order(frame: pl.DataFrame, first: str, second: str) -> pl.DataFrame:
    """Sorted by two columns without nulls, which most frames are already."""
    one, two = pl.col(first), pl.col(second)
    behind = (one < one.shift(1)) | ((one == one.shift(1)) & (two < two.shift(1)))
    return frame.sort(first, second) if frame.select(behind.any()).item() else frame
