"""What each type of hole reads, as one text and as a column."""

from __future__ import annotations

import re
from datetime import datetime
from math import isclose

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from template_lines import VALUES

from loganalyzer.grammar.types import TYPES

CASES = [
    ("int", "-42", {"": -42}),
    ("int", "99999999999999999999", {"": None}),
    ("int", "-9223372036854775808", {"": -(2**63)}),
    ("int", "-0", {"": 0}),
    pytest.param("int", "1" * 5000, {"": None}, id="an int of more digits than Python reads"),
    pytest.param("int", "-" + "0" * 5000 + "7", {"": -7}, id="an int with more zeros in front than Python reads"),
    pytest.param("number", "1" * 5000, {"": None}, id="a number of more digits than Python reads"),
    pytest.param("size", "1" * 5000 + " GB", {"": None}, id="a size of more digits than Python reads"),
    pytest.param("rate", "1" * 5000 + "s/it", {"": None, "_error": None}, id="a rate of more digits than Python reads"),
    ("float", "1e-05", {"": 1e-05}),
    ("float", "nan", {"": None}),
    ("float", "inf", {"": None}),
    ("number", "1,234.50", {"": 1234.5}),
    ("clock", "00:23", {"": 23.0}),
    ("clock", "1:02:03", {"": 3723.0}),
    ("clock", "?", {"": None}),
    ("hours", "00:11:40", {"": 700.0}),
    ("size", "15.2 GB", {"": 15.2}),
    ("size", "512MB", {"": 0.5}),
    ("size", "24576 MiB", {"": 24.0}),
    ("size", "1073741824 bytes", {"": 1.0}),
    ("rate", "5.29s/it", {"": 5.29, "_error": 0.005}),
    ("rate", "123.40s", {"": 123.4, "_error": 0.005}),
    ("rate", "2.00it/s", {"": 0.5, "_error": 1 / 1.995 - 0.5}),
    ("rate", "0.00it/s", {"": None, "_error": None}),
    ("rate", "?it/s", {"": None, "_error": None}),
    ("timestamp", "2025-11-11T10:00:00.123456789Z", {"": datetime(2025, 11, 11, 10, 0, 0, 123456)}),
    ("timestamp", "2025-11-10 12:34:56,789", {"": datetime(2025, 11, 10, 12, 34, 56, 789000)}),
    ("timestamp", "2025-11-10T00:30:00+02:00", {"": datetime(2025, 11, 9, 22, 30)}),
    ("timestamp", "2025-13-40 12:34", {"": None}),
    ("text", "a b", {"": "a b"}),
]


def column(kind: str, text: str) -> dict[str, object]:
    frame = pl.DataFrame({"text": [text]})
    return {
        suffix: frame.select(expr).to_series().item() for suffix, expr in TYPES[kind].columns(pl.col("text")).items()
    }


@pytest.mark.parametrize(("kind", "text", "values"), CASES)
def test_a_value_is_read_as_its_type_says(kind: str, text: str, values: dict[str, object]) -> None:
    assert re.fullmatch(TYPES[kind].regex, text)
    for got in (TYPES[kind].read(text), column(kind, text)):
        assert got.keys() == values.keys()
        for suffix, value in values.items():
            if isinstance(value, float):
                assert isclose(got[suffix], value, rel_tol=1e-12)
            else:
                assert got[suffix] == value


@given(st.data())
def test_one_text_and_a_column_of_it_mean_the_same(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(VALUES)))
    text = data.draw(VALUES[kind])
    for suffix, value in TYPES[kind].read(text).items():
        other = column(kind, text)[suffix]
        assert other == value or isclose(other, value, rel_tol=1e-12)


def test_every_type_names_the_suffixes_that_it_fills() -> None:
    for kind, text in {"rate": "1.00s/it", "int": "1"}.items():
        assert tuple(TYPES[kind].read(text)) == TYPES[kind].suffixes
