"""Joins, groups and sorts that are faster than polars' own where a frame is short or nothing changes.

A long log has millions of rows. A short log has a few rows in each of several hundred frames, and there a query costs
more than its work: handing it to the threads of polars takes about 0.1 ms. These functions give the same rows in the
same order as the polars method they are named after. They pay off in `runs` and `records`, which ask several hundred
questions of every log; elsewhere, call polars directly.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, Literal

import polars as pl

_MANY: Final = 50_000
"""From this height on, threads are worth their cost, and so is a look at all rows that saves a copy."""
_FEW: Final = 1000
"""Up to this height, a dictionary in Python finds keys faster than a join."""


def repeat_text(name: str, text: str, times: int) -> pl.Series:
    """A column that repeats one text."""
    if times < _MANY:
        return pl.Series(name, [text] * times, dtype=pl.String)
    return pl.Series(name, [text], dtype=pl.String).new_from_index(0, times)


def filter_mask(frame: pl.DataFrame, mask: pl.Series) -> pl.DataFrame:
    """`frame.filter(mask)`. Returns `frame` itself where all rows match."""
    if mask.all(ignore_nulls=False):
        return frame
    if not mask.any():
        return frame.clear()
    if frame.height >= _MANY:
        return frame.filter(mask)
    first, count = mask.arg_max() or 0, int(mask.sum())
    if mask[first : first + count].all(ignore_nulls=False):
        return frame[first : first + count]
    return frame[mask.arg_true()]


def anti_join(frame: pl.DataFrame, others: pl.DataFrame, *on: str) -> pl.DataFrame:
    """`frame.join(others, on=on, how="anti")`, in the order of `frame`."""
    if frame.is_empty() or others.is_empty():
        return frame
    if frame.height + others.height <= _FEW:
        return filter_mask(
            frame, pl.Series([place is None for place in _find_rows(frame, others, on)], dtype=pl.Boolean)
        )
    return frame.join(others.select(on), on=on, how="anti", maintain_order="left")


def sort_by(frame: pl.DataFrame, /, *columns: str) -> pl.DataFrame:
    """`frame.sort(columns)`, without a sort where the rows are in order. The columns have no nulls."""
    if frame.height < 2:
        return frame
    if frame.height <= _FEW:
        keys = frame[:, list(columns)].rows()
        return frame if all(one <= two for one, two in pairwise(keys)) else frame.sort(columns)
    if frame.height < _MANY or len(columns) != 2:
        return frame.sort(columns)
    one, two = pl.col(columns[0]), pl.col(columns[1])
    out_of_order = (one < one.shift(1)) | ((one == one.shift(1)) & (two < two.shift(1)))
    return frame.sort(columns) if frame.select(out_of_order.any()).item() else frame


def set_sorted(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """Marks a column as sorted if it is. Polars then groups and joins by it several times as fast."""
    return frame.with_columns_seq(pl.col(column).set_sorted()) if frame[column].is_sorted() else frame


def group_agg(frame: pl.DataFrame, /, by: Sequence[str], *figures: pl.Expr) -> pl.DataFrame:
    """`frame.group_by(by, maintain_order=True).agg(figures)`, where each figure is a single value.

    A short frame with a single group, or none, needs no grouping.
    """
    if frame.is_empty():
        return frame[:, list(by)].hstack(frame.select_seq(*figures).clear())
    if frame.height < _MANY and all(_is_constant(frame[name]) for name in by):
        return frame[:1, list(by)].hstack(frame.select_seq(*figures))
    return frame.group_by(by, maintain_order=True).agg(*figures)


def _is_constant(values: pl.Series) -> bool:
    return len(values) == 1 or (not values.has_nulls() and values.min() == values.max())


def max_by(frame: pl.DataFrame, key: str, *columns: str) -> pl.DataFrame:
    """The largest value of each column per `key`. Rows of one key are adjacent.

    In a tall frame whose values only rise within a key, as counters do, these are the last rows.
    """
    if frame.height < _MANY:
        return group_agg(frame, [key], pl.col(columns).max())
    same = pl.col(key) == pl.col(key).shift(1)
    falls = pl.any_horizontal(~(pl.col(name) >= pl.col(name).shift(1)).fill_null(value=False) for name in columns)
    if frame.select((same & falls).any()).item():
        return frame.group_by(key, maintain_order=True).agg(pl.col(columns).max())
    last = (pl.col(key) != pl.col(key).shift(-1)).fill_null(value=True)
    return frame[frame.select(last.arg_true()).to_series(), [key, *columns]]


def min_max_by(frame: pl.DataFrame, key: str, *columns: str) -> pl.DataFrame:
    """The smallest and largest value of each column per `key`, as `…_least` and `…_most`."""
    if frame.height < _MANY:
        least, most = pl.col(columns).min(), pl.col(columns).max()
        return group_agg(frame, [key], least.name.suffix("_least"), most.name.suffix("_most"))
    lists = frame.group_by(key, maintain_order=True).agg(pl.col(columns))
    least, most = pl.col(columns).list.min(), pl.col(columns).list.max()
    return lists.select(key, least.name.suffix("_least"), most.name.suffix("_most"))


def unique_by(frame: pl.DataFrame, /, *columns: str) -> pl.DataFrame:
    """`frame.unique(columns, keep="first", maintain_order=True)`."""
    if frame.height < 2:
        return frame
    if frame.height > _FEW:
        return frame.unique(columns, keep="first", maintain_order=True)
    keys = frame[:, list(columns)].rows()
    places = {key: place for place, key in reversed(list(enumerate(keys)))}
    return frame if len(places) == len(keys) else frame[sorted(places.values())]


def unique_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame.unique()`: the rows come in any order."""
    return unique_by(frame, *frame.columns) if frame.height <= _FEW else frame.unique()


def unique_values(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The unique values of `columns` in order. Fast where equal rows are adjacent."""
    return unique_by(first_of_equal_neighbors(frame[:, list(columns)], *columns), *columns)


def first_of_equal_neighbors(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The first of adjacent rows with equal values in `columns`. A short frame is returned unchanged."""
    return frame if frame.height < _MANY else frame[_changes(frame, *columns)]


def run_lengths(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """`columns` with a `count`: one row for adjacent rows with equal values.

    A short frame keeps one row per row, each with the count 1.
    """
    if frame.height < _MANY:
        return frame[:, list(columns)].with_columns_seq(pl.lit(1, pl.Int64).alias("count"))
    first = _changes(frame, *columns)
    next_first = first.shift(-1, fill_value=frame.height)
    return frame[first, list(columns)].with_columns((next_first - first).cast(pl.Int64).alias("count"))


def _changes(frame: pl.DataFrame, *columns: str) -> pl.Series:
    """The indices of the first row and of every row that differs in `columns` from the row before."""
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in columns)
    return frame.select((differs | (pl.int_range(pl.len()) == 0)).arg_true()).to_series()


def left_join(
    frame: pl.DataFrame, known: pl.DataFrame, on: Sequence[str], *, nulls_equal: bool = False
) -> pl.DataFrame:
    """`frame.join(known, on=on, how="left")`, in the order of `frame`.

    The keys of `known` are unique, and its other columns have names that `frame` does not have.
    """
    others = [name for name in known.columns if name not in on]
    if known.is_empty():
        return _add_null_columns(frame, known, on)
    if frame.height + known.height > _FEW:
        return frame.join(known, on=list(on), how="left", maintain_order="left", nulls_equal=nulls_equal)
    return _add_columns_at(frame, known, others, _find_rows(frame, known, on, nulls_equal=nulls_equal))


def _add_null_columns(frame: pl.DataFrame, known: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    """`frame` with the other columns of `known`, all null."""
    return frame.with_columns_seq(
        pl.lit(None, dtype).alias(name) for name, dtype in known.schema.items() if name not in on
    )


def inner_join(frame: pl.DataFrame, known: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    """`frame.join(known, on=on)`, in the order of `frame`. The keys of `known` are unique."""
    if frame.height + known.height > _FEW:
        return frame.join(known, on=list(on), maintain_order="left")
    others = [name for name in known.columns if name not in on]
    places = _find_rows(frame, known, on)
    met = filter_mask(frame, pl.Series([place is not None for place in places], dtype=pl.Boolean))
    return _add_columns_at(met, known, others, [place for place in places if place is not None])


def join_pairs(frame: pl.DataFrame, known: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    """`frame.join(known, on=on)`, where keys repeat on both sides. A tall frame's rows come in any order."""
    if frame.height + known.height > _FEW:
        return frame.join(known, on=list(on))
    places: dict[tuple[object, ...], list[int]] = {}
    for place, key in enumerate(known[:, list(on)].rows()):
        if None not in key:
            places.setdefault(key, []).append(place)
    beside = [places.get(key, []) for key in frame[:, list(on)].rows()]
    own = [row for row, found in enumerate(beside) for _ in found]
    others = [name for name in known.columns if name not in on]
    return _add_columns_at(frame[own], known, others, [place for found in beside for place in found])


def semi_join(frame: pl.DataFrame, others: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    """`frame.join(others, on=on, how="semi")`, in the order of `frame`."""
    if frame.height + others.height > _FEW:
        return frame.join(others, on=list(on), how="semi", maintain_order="left")
    return filter_mask(
        frame, pl.Series([place is not None for place in _find_rows(frame, others, on)], dtype=pl.Boolean)
    )


def join_nearest(frame: pl.DataFrame, known: pl.DataFrame, *, ahead: bool = False) -> pl.DataFrame:
    """`frame.join_asof(known, on="place", by="lane")`: the last row at or before each row, or the next with `ahead`.

    `lane` and `place` have no nulls. `known` is sorted by `place`; so is a tall `frame` within each lane.
    """
    if known.is_empty():
        return _add_null_columns(frame, known, ("lane", "place"))
    if frame.height + known.height > _FEW:
        strategy: Literal["forward", "backward"] = "forward" if ahead else "backward"
        return frame.join_asof(known, on="place", by="lane", strategy=strategy, check_sortedness=False)
    passed: dict[int, tuple[list[int], list[int]]] = {}
    for row, (lane, place) in enumerate(known[:, ["lane", "place"]].rows()):
        places, rows = passed.setdefault(lane, ([], []))
        places.append(place)
        rows.append(row)
    found: list[int | None] = []
    for lane, place in frame[:, ["lane", "place"]].rows():
        places, rows = passed.get(lane, ([], []))
        at = bisect_left(places, place) if ahead else bisect_right(places, place) - 1
        found.append(rows[at] if 0 <= at < len(rows) else None)
    return _add_columns_at(frame, known, [name for name in known.columns if name not in ("lane", "place")], found)


def _find_rows(
    frame: pl.DataFrame, known: pl.DataFrame, on: Sequence[str], *, nulls_equal: bool = False
) -> list[int | None]:
    """For each row of `frame` the index of the row of `known` with the same key, or None."""
    rows = known[:, list(on)].rows()
    places = {key: place for place, key in enumerate(rows) if nulls_equal or None not in key}
    return [places.get(key) for key in frame[:, list(on)].rows()]


def _add_columns_at(
    frame: pl.DataFrame, known: pl.DataFrame, others: list[str], places: Sequence[int | None]
) -> pl.DataFrame:
    """`frame` with columns of `known` taken from these rows, or null."""
    if not others:
        return frame
    at_once = places == list(range(known.height))
    return frame.hstack(known[:, others] if at_once else known[:, others][pl.Series(places, dtype=pl.UInt32)])


def with_schema(frame: pl.DataFrame, schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    """`frame` with exactly these columns, in this order and with these types. Missing columns are null.

    Raises:
        polars.exceptions.InvalidOperationError: a column cannot be cast.
    """
    own = frame.schema
    if all(own.get(name) == dtype for name, dtype in schema.items()):
        return frame[:, list(schema)]
    return frame.select(
        name if own.get(name) == dtype else (pl.col(name) if name in own else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    )
