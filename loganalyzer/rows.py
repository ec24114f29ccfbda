"""Rows chosen, ordered and joined at no cost where nothing changes.

A long log has millions of rows, which are not to be copied for nothing; a short one has a few in each of many frames,
and there each query costs more than its work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

_MANY: Final = 50_000


def only(frame: pl.DataFrame, condition: pl.Expr) -> pl.DataFrame:
    """The rows that meet a condition; the frame itself where all do."""
    if frame.is_empty():
        return frame
    return those(frame, frame.select(condition).to_series())


def those(frame: pl.DataFrame, mask: pl.Series) -> pl.DataFrame:
    """The rows where `mask` is true; the frame itself where all are."""
    if mask.all(ignore_nulls=False):
        return frame
    return frame.filter(mask) if mask.any() else frame.clear()


def without(frame: pl.DataFrame, others: pl.DataFrame, key: str) -> pl.DataFrame:
    """The rows whose `key` stands in no row of `others`."""
    if frame.is_empty() or others.is_empty():
        return frame
    return frame.join(others.select(key), on=key, how="anti", maintain_order="left")


def in_order(frame: pl.DataFrame, first: str, second: str) -> pl.DataFrame:
    """Sorted by two columns without nulls, which most frames are already."""
    if frame.height < 2:
        return frame
    if frame.height < _MANY:
        return frame.sort(first, second)
    one, two = pl.col(first), pl.col(second)
    behind = (one < one.shift(1)) | ((one == one.shift(1)) & (two < two.shift(1)))
    return frame.sort(first, second) if frame.select(behind.any()).item() else frame


def known_in_order(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """`frame`; where a column is in order, polars is told, which groups and joins by it several times as fast."""
    return frame.with_columns(pl.col(column).set_sorted()) if frame[column].is_sorted() else frame


def distinct(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The different values of `columns`, in order; fast where equal rows stand together, as those of an input do."""
    own = frame.select(columns)
    return own if own.height < 2 else thinned(own, *columns).unique(maintain_order=True)


def thinned(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """A tall `frame` with the first only of neighbours that have the same values in `columns`; a short one as it is."""
    if frame.height < _MANY:
        return frame
    changes = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in columns)
    return frame.filter(changes | (pl.int_range(pl.len()) == 0))


def completed(frame: pl.DataFrame, known: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    """`frame` in its order, with the other columns of `known`, whose rows differ in `on`; null where it has no row."""
    if not known.is_empty():
        return frame.join(known, on=list(on), how="left", maintain_order="left")
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in known.schema.items() if name not in on]
    return frame.with_columns(missing)


def typed(frame: pl.DataFrame, schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    """`frame` with exactly these columns, in their order and types; absent ones are null.

    Raises:
        polars.exceptions.InvalidOperationError: a column cannot be cast.
    """
    own = frame.schema
    return frame.select(
        name if own.get(name) == dtype else (pl.col(name) if name in own else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    )
