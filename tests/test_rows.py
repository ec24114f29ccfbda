"""Rows chosen for the price of a look: what is chosen is what polars chooses."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from loganalyzer import rows

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
