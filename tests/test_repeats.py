"""Texts that repeat are read once, and each row gets what was read of its text."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loganalyzer.lines import dictionary as module
from loganalyzer.lines.dictionary import Repeats, repeats, together


@given(st.lists(st.text(max_size=3), max_size=60), st.integers(1, 30))
def test_every_row_finds_its_own_text(words: list[str], times: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FEWEST", 8)
        texts = pl.Series("text", words * times, dtype=pl.String)
        told = repeats(texts)
        assert told.spread(told.texts).to_list() == texts.to_list()
        assert told.texts.n_unique() == len(told.texts) or told.places is None


def test_texts_that_all_differ_are_left_as_they_are() -> None:
    texts = pl.Series([f"text {number}" for number in range(10_000)])
    assert repeats(texts).places is None


def test_texts_that_repeat_are_held_once() -> None:
    told = repeats(pl.Series(["one", "two"] * 5_000))
    assert told.texts.to_list() == ["one", "two"]


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=40), min_size=1, max_size=4))
def test_parts_put_together_say_what_each_said(parts: list[list[str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FEWEST", 8)
        told = together([repeats(pl.Series("text", part, dtype=pl.String)) for part in parts])
        assert told.rows.to_list() == [word for part in parts for word in part]
        assert told.places is None or told.texts.is_unique().all()


@given(st.lists(st.sampled_from(["one", "two"]), min_size=20, max_size=60), st.data())
def test_chosen_rows_keep_their_texts(words: list[str], data: st.DataObject) -> None:
    mask = data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FEWEST", 8)
        told = repeats(pl.Series("text", words)).those(pl.Series(mask))
        assert told.places is not None
        assert told.rows.to_list() == [word for word, wanted in zip(words, mask, strict=True) if wanted]
        assert told.coded.cast(pl.String).to_list() == told.rows.to_list()


def test_rows_that_differ_are_put_together_as_they_are() -> None:
    assert together([Repeats(pl.Series(["one"])), Repeats(pl.Series(["two"]))]).rows.to_list() == ["one", "two"]


def test_a_few_rows_do_not_carry_all_texts_along() -> None:
    told = repeats(pl.Series("text", [f"text {number}" for number in range(1_000)] * 10))
    assert isinstance(told.coded.dtype, pl.Enum)
    assert told.those(pl.Series([True] * 8 + [False] * 9_992)).coded.dtype == pl.String
