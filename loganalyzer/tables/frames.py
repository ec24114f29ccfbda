"""Rows chosen, ordered, grouped and joined at no cost where nothing changes, or where there are few of them.

A long log has millions of rows, which are not to be copied for nothing, and which polars spreads over all cores. A
short log has a few in each of some hundred frames, and there each query costs more than its work: to hand it to the
threads of polars and to wait for them takes a tenth of a millisecond, four times as long as most queries need. So
what the rooms ask of frames whose height depends on the log goes through here: what polars gives, in the same order,
by the way that suits the height.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, Literal

import polars as pl

_MANY: Final = 50_000
"""From so many rows on, work is worth spreading over the cores, and a look at all rows worth to spare a copy."""
_FEW: Final = 1000
"""Up to so many rows, keys are looked up in Python before polars has begun."""

Columns = str | pl.Expr | pl.Series


def repeated(name: str, text: str, times: int) -> pl.Series:
    """A column of one text."""
    if times < _MANY:
        return pl.Series(name, [text] * times, dtype=pl.String)
    return pl.Series(name, [text], dtype=pl.String).new_from_index(0, times)


def those(frame: pl.DataFrame, mask: pl.Series) -> pl.DataFrame:
    """The rows where `mask` is true; the frame itself where all are."""
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


def without(frame: pl.DataFrame, others: pl.DataFrame, *on: str) -> pl.DataFrame:
    """The rows whose values in `on` stand in no row of `others`."""
    if frame.is_empty() or others.is_empty():
        return frame
    if frame.height + others.height <= _FEW:
        return those(frame, pl.Series([place is None for place in _places(frame, others, on)], dtype=pl.Boolean))
    return frame.join(others.select(on), on=on, how="anti", maintain_order="left")


def in_order(frame: pl.DataFrame, /, *columns: str) -> pl.DataFrame:
    """Sorted by columns without nulls, which most frames are already."""
    if frame.height < 2:
        return frame
    if frame.height <= _FEW:
        keys = frame[:, list(columns)].rows()
        return frame if all(one <= two for one, two in pairwise(keys)) else frame.sort(columns)
    if frame.height < _MANY or len(columns) != 2:
        return frame.sort(columns)
    one, two = pl.col(columns[0]), pl.col(columns[1])
    behind = (one < one.shift(1)) | ((one == one.shift(1)) & (two < two.shift(1)))
    return frame.sort(columns) if frame.select(behind.any()).item() else frame


def known_in_order(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """`frame`; where a column is in order, polars is told, which groups and joins by it several times as fast."""
    return frame.with_columns_seq(pl.col(column).set_sorted()) if frame[column].is_sorted() else frame


def grouped(frame: pl.DataFrame, /, by: Sequence[str], *figures: pl.Expr) -> pl.DataFrame:
    """One row for each group, in the order of their first rows: the columns `by`, and `figures`, each a single value.

    Of a short frame that is one group, or empty, they are asked without grouping.
    """
    if frame.is_empty():
        return frame[:, list(by)].hstack(frame.select_seq(*figures).clear())
    if frame.height < _MANY and all(_is_one(frame[name]) for name in by):
        return frame[:1, list(by)].hstack(frame.select_seq(*figures))
    return frame.group_by(by, maintain_order=True).agg(*figures)


def _is_one(values: pl.Series) -> bool:
    return len(values) == 1 or (not values.has_nulls() and values.min() == values.max())


def largest(frame: pl.DataFrame, key: str, *columns: str) -> pl.DataFrame:
    """One row for each value of `key`, whose rows stand together: `key`, and the largest value of each column.

    Where a tall frame's values only rise for each `key`, as counts do, they are its last rows.
    """
    if frame.height < _MANY:
        return grouped(frame, [key], pl.col(columns).max())
    same = pl.col(key) == pl.col(key).shift(1)
    falls = pl.any_horizontal(~(pl.col(name) >= pl.col(name).shift(1)).fill_null(value=False) for name in columns)
    if frame.select((same & falls).any()).item():
        return frame.group_by(key, maintain_order=True).agg(pl.col(columns).max())
    last = (pl.col(key) != pl.col(key).shift(-1)).fill_null(value=True)
    return frame[frame.select(last.arg_true()).to_series(), [key, *columns]]


def bounds(frame: pl.DataFrame, key: str, *columns: str) -> pl.DataFrame:
    """One row for each value of `key`: `key`, and each column's smallest and largest value as `…_least`, `…_most`."""
    if frame.height < _MANY:
        least, most = pl.col(columns).min(), pl.col(columns).max()
        return grouped(frame, [key], least.name.suffix("_least"), most.name.suffix("_most"))
    lists = frame.group_by(key, maintain_order=True).agg(pl.col(columns))
    least, most = pl.col(columns).list.min(), pl.col(columns).list.max()
    return lists.select(key, least.name.suffix("_least"), most.name.suffix("_most"))


def firsts(frame: pl.DataFrame, /, *columns: str) -> pl.DataFrame:
    """The first of the rows that have the same values in `columns`."""
    if frame.height < 2:
        return frame
    if frame.height > _FEW:
        return frame.unique(columns, keep="first", maintain_order=True)
    keys = frame[:, list(columns)].rows()
    places = {key: place for place, key in reversed(list(enumerate(keys)))}
    return frame if len(places) == len(keys) else frame[sorted(places.values())]


def different(frame: pl.DataFrame) -> pl.DataFrame:
    """The different rows, in any order."""
    return firsts(frame, *frame.columns) if frame.height <= _FEW else frame.unique()


def distinct(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The different values of `columns`, in order; fast where equal rows stand together, as those of an input do."""
    return firsts(thinned(frame[:, list(columns)], *columns), *columns)


def thinned(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """A tall `frame` with the first only of neighbours that have the same values in `columns`; a short one as it is."""
    return frame if frame.height < _MANY else frame[_changes(frame, *columns)]


def spells(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """`columns` of a tall `frame`, one row for neighbours that have the same values, with their `count`.

    A short frame has them row by row.
    """
    if frame.height < _MANY:
        return frame[:, list(columns)].with_columns_seq(pl.lit(1, pl.Int64).alias("count"))
    first = _changes(frame, *columns)
    behind = first.shift(-1, fill_value=frame.height)
    return frame[first, list(columns)].with_columns((behind - first).cast(pl.Int64).alias("count"))


def _changes(frame: pl.DataFrame, *columns: str) -> pl.Series:
    """The places of rows that differ in `columns` from the one before; the first is one of them."""
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in columns)
    return frame.select((differs | (pl.int_range(pl.len()) == 0)).arg_true()).to_series()


def completed(
    frame: pl.DataFrame, known: pl.DataFrame, on: Sequence[str], *, nulls_equal: bool = False
) -> pl.DataFrame:
    """`frame` in its order, with the other columns of `known`, whose rows differ in `on`; null where it has no row.

    No other column of `known` is called like one of `frame`.
    """
    others = [name for name in known.columns if name not in on]
    if known.is_empty():
        return _unknown(frame, known, on)
    if frame.height + known.height > _FEW:
        return frame.join(known, on=list(on), how="left", maintain_order="left", nulls_equal=nulls_equal)
    return _beside(frame, known, others, _places(frame, known, on, nulls_equal=nulls_equal))


def _unknown(frame: pl.DataFrame, known: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    """`frame` with the other columns of `known`, which is empty."""
    return frame.with_columns_seq(
        pl.lit(None, dtype).alias(name) for name, dtype in known.schema.items() if name not in on
    )


def matching(frame: pl.DataFrame, known: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    """The rows of `frame` for which `known` has one, with its other columns; as in `completed`."""
    if frame.height + known.height > _FEW:
        return frame.join(known, on=list(on), maintain_order="left")
    others = [name for name in known.columns if name not in on]
    places = _places(frame, known, on)
    met = those(frame, pl.Series([place is not None for place in places], dtype=pl.Boolean))
    return _beside(met, known, others, [place for place in places if place is not None])


def paired(frame: pl.DataFrame, known: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    """Each row of `frame` beside each row of `known` with the same values in `on`; a tall one's in any order."""
    if frame.height + known.height > _FEW:
        return frame.join(known, on=list(on))
    places: dict[tuple[object, ...], list[int]] = {}
    for place, key in enumerate(known[:, list(on)].rows()):
        if None not in key:
            places.setdefault(key, []).append(place)
    beside = [places.get(key, []) for key in frame[:, list(on)].rows()]
    own = [row for row, found in enumerate(beside) for _ in found]
    others = [name for name in known.columns if name not in on]
    return _beside(frame[own], known, others, [place for found in beside for place in found])


def among(frame: pl.DataFrame, others: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    """The rows whose values in `on` stand in a row of `others`."""
    if frame.height + others.height > _FEW:
        return frame.join(others, on=list(on), how="semi", maintain_order="left")
    return those(frame, pl.Series([place is not None for place in _places(frame, others, on)], dtype=pl.Boolean))


def nearest(frame: pl.DataFrame, known: pl.DataFrame, *, ahead: bool = False) -> pl.DataFrame:
    """`frame` with the other columns of the last row of `known` before each row, or at it; `ahead`: of the next.

    Both have `lane` and `place`, without nulls, and only rows of the same lane are looked at. `known` is in the order
    of its places, and so is a tall `frame`, in each lane.
    """
    if known.is_empty():
        return _unknown(frame, known, ("lane", "place"))
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
    return _beside(frame, known, [name for name in known.columns if name not in ("lane", "place")], found)


def _places(
    frame: pl.DataFrame, known: pl.DataFrame, on: Sequence[str], *, nulls_equal: bool = False
) -> list[int | None]:
    """For each row of `frame` the place of the row of `known` with the same values in `on`."""
    rows = known[:, list(on)].rows()
    places = {key: place for place, key in enumerate(rows) if nulls_equal or None not in key}
    return [places.get(key) for key in frame[:, list(on)].rows()]


def _beside(frame: pl.DataFrame, known: pl.DataFrame, others: list[str], places: Sequence[int | None]) -> pl.DataFrame:
    """`frame` with columns of `known`: its rows at these places, or null."""
    if not others:
        return frame
    at_once = places == list(range(known.height))
    return frame.hstack(known[:, others] if at_once else known[:, others][pl.Series(places, dtype=pl.UInt32)])


def typed(frame: pl.DataFrame, schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    """`frame` with exactly these columns, in their order and types; absent ones are null.

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
