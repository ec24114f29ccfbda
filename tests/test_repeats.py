"""Texts that repeat are read once, and each row gets what was read of its text."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loganalyzer.lines import dictionary as module
from loganalyzer.lines.dictionary import EncodedTexts, concat_encoded, encode_texts


@given(st.lists(st.text(max_size=3), max_size=60), st.integers(1, 30))
def test_every_row_finds_its_own_text(words: list[str], times: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MIN_TEXTS", 8)
        texts = pl.Series("text", words * times, dtype=pl.String)
        told = encode_texts(texts)
        assert told.expand(told.values).to_list() == texts.to_list()
        assert told.values.n_unique() == len(told.values) or told.codes is None


def test_texts_that_all_differ_are_left_as_they_are() -> None:
    texts = pl.Series([f"text {number}" for number in range(10_000)])
    assert encode_texts(texts).codes is None


def test_texts_that_repeat_are_held_once() -> None:
    told = encode_texts(pl.Series(["one", "two"] * 5_000))
    assert told.values.to_list() == ["one", "two"]


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=40), min_size=1, max_size=4))
def test_parts_put_together_say_what_each_said(parts: list[list[str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MIN_TEXTS", 8)
        told = concat_encoded([encode_texts(pl.Series("text", part, dtype=pl.String)) for part in parts])
        assert told.per_row.to_list() == [word for part in parts for word in part]
        assert told.codes is None or told.values.is_unique().all()


@given(st.lists(st.sampled_from(["one", "two"]), min_size=20, max_size=60), st.data())
def test_chosen_rows_keep_their_texts(words: list[str], data: st.DataObject) -> None:
    mask = data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MIN_TEXTS", 8)
        told = encode_texts(pl.Series("text", words)).filter(pl.Series(mask))
        assert told.codes is not None
        assert told.per_row.to_list() == [word for word, wanted in zip(words, mask, strict=True) if wanted]
        assert told.as_enum.cast(pl.String).to_list() == told.per_row.to_list()


def test_rows_that_differ_are_put_together_as_they_are() -> None:
    assert concat_encoded([EncodedTexts(pl.Series(["one"])), EncodedTexts(pl.Series(["two"]))]).per_row.to_list() == [
        "one",
        "two",
    ]


def test_a_few_rows_do_not_carry_all_texts_along() -> None:
    told = encode_texts(pl.Series("text", [f"text {number}" for number in range(1_000)] * 10))
    assert isinstance(told.as_enum.dtype, pl.Enum)
    assert told.filter(pl.Series([True] * 8 + [False] * 9_992)).as_enum.dtype == pl.String
