"""Rows are chosen, ordered and joined as polars does it, only cheaper where nothing changes."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from loganalyzer import rows
from loganalyzer.rows import completed, distinct, in_order, known_in_order, only, thinned, those, typed

NUMBERS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12)


def frame(pairs: list[tuple[int, int]]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema={"a": pl.Int64, "b": pl.Int64}, orient="row")


@pytest.fixture(params=["few rows", "many rows"], autouse=True)
def _size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_MANY", 1 if request.param == "many rows" else 50_000)


@given(NUMBERS)
def test_only_the_rows_that_meet_the_condition_are_left(pairs: list[tuple[int, int]]) -> None:
    given_ = frame(pairs)
    assert_frame_equal(only(given_, pl.col("a") > 1), given_.filter(pl.col("a") > 1))


def test_a_condition_that_is_unknown_is_not_met() -> None:
    given_ = pl.DataFrame({"a": [1, None, 3]})
    assert only(given_, pl.col("a") > 0).rows() == [(1,), (3,)]
    assert those(given_, pl.Series([True, None, None])).rows() == [(1,)]


@given(NUMBERS)
def test_rows_come_in_the_order_of_both_columns(pairs: list[tuple[int, int]]) -> None:
    assert in_order(frame(pairs), "a", "b").rows() == sorted(pairs)


@given(NUMBERS)
def test_different_values_come_once_and_in_order(pairs: list[tuple[int, int]]) -> None:
    assert distinct(frame(pairs), "a").to_series().to_list() == list(dict.fromkeys(a for a, _ in pairs))


@given(NUMBERS)
def test_thinned_rows_lose_no_value(pairs: list[tuple[int, int]]) -> None:
    assert set(thinned(frame(pairs), "a", "b").rows()) == set(pairs)


@given(NUMBERS)
def test_only_what_is_in_order_is_said_to_be(pairs: list[tuple[int, int]]) -> None:
    told = known_in_order(frame(pairs), "a")
    assert told.rows() == pairs
    if told["a"].flags["SORTED_ASC"]:
        assert told["a"].to_list() == sorted(told["a"])
    assert dict(told.group_by("a").agg(pl.col("b").sum()).rows()) == dict(
        frame(pairs).group_by("a").agg(pl.col("b").sum()).rows()
    )


@given(NUMBERS, st.sets(st.integers(0, 3)))
def test_what_is_known_is_added_and_the_rest_is_null(pairs: list[tuple[int, int]], known: set[int]) -> None:
    more = pl.DataFrame(
        {"a": sorted(known), "square": [a * a for a in sorted(known)]},
        schema_overrides={"a": pl.Int64, "square": pl.Int64},
    )
    assert completed(frame(pairs), more, ["a"]).rows() == [(a, b, a * a if a in known else None) for a, b in pairs]


def test_a_typed_frame_has_the_columns_asked_for_and_no_others() -> None:
    found = typed(pl.DataFrame({"b": [1], "c": ["x"]}), {"a": pl.String, "b": pl.Float64})
    assert found.schema == {"a": pl.String, "b": pl.Float64}
    assert found.rows() == [(None, 1.0)]


MASKS = st.lists(st.sampled_from([True, False, None]), max_size=6)
KEYS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=6)


@given(MASKS)
def test_the_rows_chosen_are_those_of_a_filter(mask: list[bool | None]) -> None:
    frame = pl.DataFrame({"met": mask}, schema={"met": pl.Boolean}).with_row_index()
    assert_frame_equal(rows.only(frame, pl.col("met")), frame.filter("met"))


@given(KEYS, KEYS)
def test_the_rows_left_are_those_of_an_anti_join(own: list[str], others: list[str]) -> None:
    one, two = (pl.DataFrame({"key": keys}, schema={"key": pl.String}).with_row_index() for keys in (own, others))
    assert_frame_equal(rows.without(one, two, "key"), one.filter(~pl.col("key").is_in(others)))


@pytest.mark.parametrize("mask", [[True, True], []])
def test_where_all_rows_stay_the_frame_itself_is_given_back(mask: list[bool]) -> None:
    frame = pl.DataFrame({"met": mask}, schema={"met": pl.Boolean})
    assert rows.only(frame, pl.col("met")) is frame
