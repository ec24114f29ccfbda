"""Rows are chosen, ordered and joined as polars does it, only cheaper where nothing changes."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from loganalyzer.tables import frames
from loganalyzer.tables.frames import (
    filter_mask,
    first_of_equal_neighbors,
    group_agg,
    inner_join,
    join_nearest,
    left_join,
    max_by,
    min_max_by,
    run_lengths,
    semi_join,
    set_sorted,
    sort_by,
    unique_by,
    unique_values,
    with_schema,
)

NUMBERS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12)


def frame(pairs: list[tuple[int, int]]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema={"a": pl.Int64, "b": pl.Int64}, orient="row")


@pytest.fixture(params=["few rows", "some rows", "many rows"], autouse=True)
def _size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_FEW", 1000 if request.param == "few rows" else 0)
    monkeypatch.setattr(frames, "_MANY", 1 if request.param == "many rows" else 50_000)


def test_a_condition_that_is_unknown_is_not_met() -> None:
    given_ = pl.DataFrame({"a": [1, None, 3]})
    assert filter_mask(given_, pl.Series([True, None, None])).rows() == [(1,)]


@given(NUMBERS)
def test_rows_come_in_the_order_of_both_columns(pairs: list[tuple[int, int]]) -> None:
    assert sort_by(frame(pairs), "a", "b").rows() == sorted(pairs)


@pytest.mark.parametrize("columns", [("a",), ("b", "a"), ("b", "a", "place")])
@given(pairs=NUMBERS)
def test_rows_come_in_the_order_of_any_number_of_columns(
    columns: tuple[str, ...], pairs: list[tuple[int, int]]
) -> None:
    given_ = frame(pairs).with_row_index("place")
    found = sort_by(given_, *columns).select(columns).rows()
    assert found == sorted(given_.select(columns).rows())


GROUPS = st.lists(st.tuples(st.sampled_from([0, 1, None]), st.sampled_from([1, 2, None])), max_size=8)
FIGURES = (
    pl.len(),
    pl.col("b").first().alias("first"),
    pl.col("b").max().alias("most"),
    pl.col("b").drop_nulls().last().alias("told"),
    (pl.col("b") == 1).any().alias("ones"),
    pl.lit(value=True).first().alias("there"),
    pl.coalesce(pl.col("b").filter(pl.col("b") > 1).first(), pl.col("a").first()).alias("either"),
)


def by_key(pairs: list[tuple[int | None, int | None]]) -> pl.DataFrame:
    """Rows of the same key stand together; `c` only rises for each."""
    given_ = pl.DataFrame(pairs, schema={"key": pl.Int64, "b": pl.Int64}, orient="row")
    return given_.drop_nulls("key").sort("key", maintain_order=True).with_row_index("c")


@pytest.mark.parametrize("by", [["a"], ["a", "b"]])
@given(pairs=GROUPS)
def test_groups_are_those_of_polars_in_the_order_of_their_first_rows(
    by: list[str], pairs: list[tuple[int | None, int | None]]
) -> None:
    given_ = pl.DataFrame(pairs, schema={"a": pl.Int64, "b": pl.Int64}, orient="row")
    assert_frame_equal(group_agg(given_, by, *FIGURES), given_.group_by(by, maintain_order=True).agg(*FIGURES))


@given(GROUPS)
def test_of_rows_that_are_alike_the_first_is_kept(pairs: list[tuple[int | None, int | None]]) -> None:
    given_ = pl.DataFrame(pairs, schema={"a": pl.Int64, "b": pl.Int64}, orient="row").with_row_index("place")
    assert_frame_equal(unique_by(given_, "a", "b"), given_.unique(["a", "b"], keep="first", maintain_order=True))


@given(NUMBERS)
def test_different_values_come_once_and_in_order(pairs: list[tuple[int, int]]) -> None:
    assert unique_values(frame(pairs), "a").to_series().to_list() == list(dict.fromkeys(a for a, _ in pairs))


@given(NUMBERS)
def test_thinned_rows_lose_no_value(pairs: list[tuple[int, int]]) -> None:
    assert set(first_of_equal_neighbors(frame(pairs), "a", "b").rows()) == set(pairs)


@given(GROUPS)
def test_neighbours_that_are_alike_are_counted(pairs: list[tuple[int | None, int | None]]) -> None:
    told = run_lengths(pl.DataFrame(pairs, schema={"a": pl.Int64, "b": pl.Int64}, orient="row"), "b", "a")
    assert [(a, b) for b, a, count in told.rows() for _ in range(count)] == pairs
    assert told.columns == ["b", "a", "count"]


@given(GROUPS)
def test_the_largest_value_is_that_of_all_rows_with_the_key(pairs: list[tuple[int | None, int | None]]) -> None:
    given_ = by_key(pairs)
    wanted = given_.group_by("key", maintain_order=True).agg(pl.col("b", "c").max())
    assert_frame_equal(max_by(given_, "key", "b", "c"), wanted)


@given(GROUPS)
def test_the_smallest_and_largest_values_are_those_of_all_rows_with_the_key(
    pairs: list[tuple[int | None, int | None]],
) -> None:
    given_ = by_key(pairs)
    wanted = given_.group_by("key", maintain_order=True).agg(
        pl.col("b").min().alias("b_least"), pl.col("c").min().alias("c_least"),
        pl.col("b").max().alias("b_most"), pl.col("c").max().alias("c_most"),
    )  # fmt: skip
    assert_frame_equal(min_max_by(given_, "key", "b", "c"), wanted)


@given(NUMBERS)
def test_only_what_is_in_order_is_said_to_be(pairs: list[tuple[int, int]]) -> None:
    told = set_sorted(frame(pairs), "a")
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
    assert left_join(frame(pairs), more, ["a"]).rows() == [(a, b, a * a if a in known else None) for a, b in pairs]


KNOWN = st.dictionaries(
    st.tuples(st.sampled_from([0, 1, None]), st.sampled_from([1, 2, None])), st.integers(0, 9), max_size=6
)


@pytest.mark.parametrize("nulls_equal", [False, True])
@given(pairs=GROUPS, told=KNOWN)
def test_rows_are_completed_as_by_a_join(
    nulls_equal: bool,
    pairs: list[tuple[int | None, int | None]],
    told: dict[tuple[int | None, int | None], int],
) -> None:
    own = pl.DataFrame(pairs, schema={"a": pl.Int64, "b": pl.Int64}, orient="row")
    known = pl.DataFrame(
        [(*key, value) for key, value in told.items()],
        schema={"a": pl.Int64, "b": pl.Int64, "c": pl.Int64},
        orient="row",
    )
    on = ["a", "b"]
    joined = own.join(known, on=on, how="left", maintain_order="left", nulls_equal=nulls_equal)
    assert_frame_equal(left_join(own, known, on, nulls_equal=nulls_equal), joined)
    if not nulls_equal:
        assert_frame_equal(inner_join(own, known, on), own.join(known, on=on, maintain_order="left"))
        assert_frame_equal(semi_join(own, known, on), own.join(known, on=on, how="semi", maintain_order="left"))


PLACES = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), max_size=8).map(sorted)


@pytest.mark.parametrize("ahead", [False, True])
@given(own=PLACES, marks=PLACES)
def test_the_nearest_row_of_the_same_lane_is_that_of_an_asof_join(
    ahead: bool,
    own: list[tuple[int, int]],
    marks: list[tuple[int, int]],
) -> None:
    schema = {"lane": pl.UInt32, "place": pl.Int64}
    given_ = pl.DataFrame(own, schema=schema, orient="row")
    known = pl.DataFrame(marks, schema=schema, orient="row").with_row_index("mark")
    joined = given_.join_asof(
        known, on="place", by="lane", strategy="forward" if ahead else "backward", check_sortedness=False
    )
    assert_frame_equal(join_nearest(given_, known, ahead=ahead), joined)


def test_where_every_row_is_known_nothing_is_lost_and_nothing_is_added_where_there_is_nothing_to_add() -> None:
    own = pl.DataFrame({"a": [1, 2]})
    assert_frame_equal(left_join(own, own.with_columns(b="a"), ["a"]), own.with_columns(b="a"))
    assert_frame_equal(left_join(own, own, ["a"]), own)
    assert_frame_equal(inner_join(own, own[:1], ["a"]), own[:1])


def test_a_typed_frame_has_the_columns_asked_for_and_no_others() -> None:
    found = with_schema(pl.DataFrame({"b": [1], "c": ["x"]}), {"a": pl.String, "b": pl.Float64})
    assert found.schema == {"a": pl.String, "b": pl.Float64}
    assert found.rows() == [(None, 1.0)]


MASKS = st.lists(st.sampled_from([True, False, None]), max_size=6)
KEYS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=6)


@given(MASKS)
def test_the_rows_chosen_are_those_of_a_filter(mask: list[bool | None]) -> None:
    frame = pl.DataFrame({"met": mask}, schema={"met": pl.Boolean}).with_row_index()
    assert_frame_equal(frames.filter_mask(frame, frame["met"]), frame.filter("met"))


@given(KEYS, KEYS)
def test_the_rows_left_are_those_of_an_anti_join(own: list[str], others: list[str]) -> None:
    one, two = (pl.DataFrame({"key": keys}, schema={"key": pl.String}).with_row_index() for keys in (own, others))
    assert_frame_equal(frames.anti_join(one, two, "key"), one.filter(~pl.col("key").is_in(others)))


@pytest.mark.parametrize("mask", [[True, True], []])
def test_where_all_rows_stay_the_frame_itself_is_given_back(mask: list[bool]) -> None:
    frame = pl.DataFrame({"met": mask}, schema={"met": pl.Boolean})
    assert frames.filter_mask(frame, frame["met"]) is frame
