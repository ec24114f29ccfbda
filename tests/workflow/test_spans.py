"""A value is replaced in its place, and every other byte stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loganalyzer.common.errors import WorkflowError
from loganalyzer.workflow.spans import find_line, find_span, replace_values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


def places(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [at]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += places(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += places(inner, (*at, index))
    return found


@given(data=st.data(), document=JSON, indent=st.sampled_from([None, 0, 2]), escaped=st.booleans())
def test_every_value_of_a_document_is_found(
    data: st.DataObject, document: Any, indent: int | None, escaped: bool
) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=escaped)
    at = data.draw(st.sampled_from(places(document)))
    start, end = find_span(text, at)
    wanted = document
    for step in at:
        wanted = wanted[step]
    assert json.loads(text[start:end]) == wanted


@given(data=st.data(), document=JSON, value=st.integers() | st.text(max_size=5))
def test_a_replaced_value_changes_nothing_else(data: st.DataObject, document: Any, value: object) -> None:
    text = json.dumps(document, indent=1)
    at = data.draw(st.sampled_from(places(document)))
    start, end = find_span(text, at)
    changed = replace_values(text, {at: value})
    assert changed[:start] == text[:start]
    assert changed.endswith(text[end:])
    json.loads(changed)


ODD = '\ufeff{"b" : 1.0000000000000002,\r\n\t"a":[ 1e3 , 25.0,"\\u00e4", "ä" ] ,"b2":{"]":"}"}, "n": 500}\r\n'


@pytest.mark.parametrize(
    ("at", "value", "wanted"),
    [
        (("n",), 441, ODD.replace("500", "441")),
        (("a", 1), 24, ODD.replace("25.0", "24.0")),
        (("a", 3), "ö", ODD.replace('"ä"', '"ö"')),
        (("a", 2), "ö", ODD.replace("\\u00e4", "\\u00f6")),
        (("b2", "]"), "x", ODD.replace('"}"', '"x"')),
    ],
)
def test_key_order_spelling_and_blanks_stay(at: Any, value: object, wanted: str) -> None:
    assert replace_values(ODD, {at: value}) == wanted


def test_of_two_equal_keys_the_last_counts() -> None:
    assert replace_values('{"n": 1, "n": 2}', {("n",): 3}) == '{"n": 1, "n": 3}'


def test_the_line_of_a_value_is_told() -> None:
    assert find_line(json.dumps({"a": [1, 2]}, indent=1), ("a", 1)) == 4


def test_a_place_that_is_not_there_is_refused() -> None:
    with pytest.raises(WorkflowError, match="no value at a/7"):
        find_span('{"a": [1]}', ("a", 7))
