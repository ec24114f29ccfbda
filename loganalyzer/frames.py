"""Rows chosen for the price of a look.

Filters, joins and sorts cost some hundred microseconds each, however few rows there are, and a small log's time goes
into a thousand of them. Most change nothing: all rows stay, or none does.
"""

from __future__ import annotations

import polars as pl


def only(frame: pl.DataFrame, condition: pl.Expr) -> pl.DataFrame:
    """The rows that meet a condition, as `filter` chooses them; the frame itself where all do."""
    if frame.is_empty():
        return frame
    met = frame.select(condition).to_series()
    if met.all(ignore_nulls=False):
        return frame
    return frame.filter(met) if met.any() else frame.clear()


def without(frame: pl.DataFrame, others: pl.DataFrame, key: str) -> pl.DataFrame:
    """The rows whose `key` stands in no row of `others`."""
    if frame.is_empty() or others.is_empty():
        return frame
    return frame.join(others.select(key), on=key, how="anti", maintain_order="left")
