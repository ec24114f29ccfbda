"""The heart of the house: what a template means (pyparsing) and how it runs (lowered) are the same."""

from __future__ import annotations

from math import isclose

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from template_lines import NODES, acceptable, fitting, mutated

from loganalyzer.common.errors import GrammarError
from loganalyzer.grammar import load, model
from loganalyzer.grammar import lower as lowering
from loganalyzer.grammar.lower import check_template, lower
from loganalyzer.grammar.meaning import Parsed, parse_line


def pattern(nodes: model.Nodes, *, starts_line: bool, ends_line: bool) -> model.Pattern:
    return model.Pattern(
        id="random",
        event="random",
        project="wrapper",
        title="random",
        why="random",
        stream="stderr",
        when="prompt",
        since=None,
        until=None,
        notation="",
        nodes=nodes,
        signature=nodes,
        starts_line=starts_line,
        ends_line=ends_line,
        samples=(),
        near=(),
        file="random",
    )


def equal(left: object, right: object) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return isclose(left, right, rel_tol=1e-9)
    return left == right


@pytest.fixture(params=["text by text", "as columns"], autouse=True)
def _number_of_texts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lowering, "_FEW", 500 if request.param == "text by text" else 0)


def assert_forms_agree(item: model.Pattern, lines: list[str]) -> None:
    lowered = lower(item.nodes, starts_line=item.starts_line, ends_line=item.ends_line)
    texts = pl.Series(lines, dtype=pl.String)
    fast, values = lowered.read(texts)
    found = lower(model.without_values(item.nodes), starts_line=item.starts_line, ends_line=item.ends_line)
    assert not found.groups
    assert found.read(texts)[0].to_list() == fast.to_list()
    rows = iter(values.to_dicts() if values.width else [{} for _ in lines])
    for line, fits in zip(lines, fast, strict=True):
        meaning = parse_line(item, line)
        assert fits == isinstance(meaning, Parsed), (item.nodes, line, meaning)
        if isinstance(meaning, Parsed):
            row = next(rows)
            assert row.keys() == meaning.values.keys()
            wrong = {k: (row[k], v) for k, v in meaning.values.items() if not equal(row[k], v)}
            assert not wrong, (item.nodes, line)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.data())
def test_random_templates_read_fitting_and_mutated_lines_alike_in_both_forms(data: st.DataObject) -> None:
    nodes = tuple(data.draw(st.lists(NODES, min_size=1, max_size=5)))
    ends_line, starts_line = data.draw(st.booleans()), data.draw(st.booleans())
    assume(acceptable(nodes, ends_line=ends_line))
    line = data.draw(fitting(nodes))
    lines = [line, *(data.draw(mutated(line)) for _ in range(4))]
    assert_forms_agree(
        pattern(nodes, starts_line=starts_line, ends_line=ends_line), [line.rstrip(" \t") for line in lines]
    )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_shipped_patterns_read_mutated_samples_alike_in_both_forms(data: st.DataObject) -> None:
    item = data.draw(st.sampled_from(load.load_shipped()))
    sources = [sample.line for sample in item.samples] + list(item.near)
    lines = [data.draw(mutated(data.draw(st.sampled_from(sources)))) for _ in range(6)]
    assert_forms_agree(item, [line.rstrip(" \t") for line in lines])


@pytest.mark.parametrize(
    "alternatives",
    [
        [(model.Skip(), model.Field("one", "int")), (model.Skip(), model.Field("two", "clock"))],
        [(model.Text("a"), model.Field(None, "text"), model.Text("b")), (model.Text("a"), model.Field(None, "text"))],
        [(model.Optional((model.Text("a"),)),), (model.Optional((model.Text("a"),)), model.Text("b"))],
    ],
    ids=["skip", "text behind fixed text", "optional"],
)
def test_alternatives_that_begin_alike_are_refused_since_their_forms_could_disagree(
    alternatives: list[model.Nodes],
) -> None:
    nodes = (model.Text("x"), model.Optional((model.Alternatives(tuple(alternatives)),)), model.Text("z"))
    with pytest.raises(GrammarError, match="start with the same part"):
        check_template(nodes, ends_line=True)


def test_alternatives_may_begin_with_the_same_fixed_text() -> None:
    check_template(
        (model.Alternatives(((model.Text("a"), model.Field("one", "word")), (model.Text("a"),))),), ends_line=True
    )
