"""Texts that repeat are read once, and each row gets what was read of its text."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loganalyzer import repeats as module
from loganalyzer.repeats import repeats


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
