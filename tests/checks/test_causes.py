"""Findings belong to causes, as their rules declare it."""

from __future__ import annotations

import polars as pl
import pytest

from loganalyzer.checks.causes import group_by_cause, main_causes
from loganalyzer.checks.registry import rules
from loganalyzer.tables.schema import FINDINGS, empty


def findings(*rows: tuple[str, str | None] | tuple[str, str | None, str]) -> pl.DataFrame:
    """Rows of rule, run and severity, which is the rule's own where none is given."""
    filled = [
        {
            "rule": rule, "name": rules()[rule].name, "severity": rest[0] if rest else rules()[rule].severity,
            "run_id": run, "source": "a.log", "line": number, "observed": f"{rule} (seen)", "expected": "else",
        }
        for number, (rule, run, *rest) in enumerate(rows)
    ]  # fmt: skip
    return pl.DataFrame(filled, schema_overrides=FINDINGS).select(
        pl.col(name) if name in filled[0] else pl.lit("x").alias(name) for name in FINDINGS
    )


def grouped(*rows: tuple[str, str | None] | tuple[str, str | None, str]) -> list[tuple[str, ...]]:
    return [cause.rules for cause in group_by_cause(findings(*rows))]


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.id)
def test_every_rule_names_its_cause_in_few_words(rule: object) -> None:
    cause = rule.cause  # type: ignore[attr-defined]
    assert 0 < len(cause.split(":")[0]) <= 40
    assert not cause.endswith(".")


@pytest.mark.parametrize("rule", [item for item in rules().values() if item.under], ids=lambda rule: rule.id)
def test_what_leads_a_leading_rule_stands_before_it(rule: object) -> None:
    under = rule.under  # type: ignore[attr-defined]
    for place, leader in enumerate(under):
        assert set(rules()[leader].under) <= set(under[:place])


def test_a_slow_run_is_one_cause() -> None:
    slow = [("TIM001", "a"), ("TIM002", "a"), ("TIM003", "a"), ("TIM004", "a"), ("CST001", "a")]
    assert grouped(*slow) == [("TIM002", "CST001", "TIM001", "TIM003", "TIM004")]
    assert grouped(*slow, ("TIM005", "a"))[0][0] == "TIM005"


def test_a_rule_leads_only_within_its_own_run() -> None:
    assert grouped(("AUD001", "a"), ("AUD004", "b")) == [("AUD001",), ("AUD004",)]
    assert grouped(("AUD001", "a"), ("AUD004", "a")) == [("AUD001", "AUD004")]
    assert grouped(("RUN002", None), ("SCH003", None)) == [("RUN002",), ("SCH003",)]


def test_runs_with_the_same_cause_share_it() -> None:
    (cause,) = group_by_cause(findings(("AUD001", "a"), ("AUD004", "a"), ("AUD001", "b")))
    assert (cause.title, cause.runs, cause.first.height) == ("audio too short", ("a", "b"), 2)


def test_a_cause_is_as_severe_as_its_most_severe_finding_and_the_most_severe_come_first() -> None:
    found = group_by_cause(findings(("AUD006", "a"), ("RUN004", "a"), ("SCH003", "a")))
    assert [(cause.rule, cause.severity) for cause in found] == [("RUN004", "error"), ("AUD006", "warning")]


def test_the_main_cause_of_a_run_is_its_most_severe_one_with_its_figures() -> None:
    rows = main_causes(findings(("TIM002", "a"), ("AUD001", "a"), ("AUD002", "a"), ("MOD002", "b"))).rows()
    assert rows == [
        ("a", "error", "audio too short: AUD001", 1),
        ("b", "error", "wrong LoRA: MOD002, not else", 0),
    ]


def test_notes_are_not_counted_as_further_causes() -> None:
    assert main_causes(findings(("AUD002", "a"), ("MEM007", "a"))).rows() == [("a", "info", "harmless padding", 0)]


def test_a_rule_that_is_not_known_is_a_cause_of_its_own_name() -> None:
    strange = findings(("AUD001", "a")).with_columns(pl.lit("XYZ001").alias("rule"), pl.lit("odd-thing").alias("name"))
    assert [(cause.rules, cause.title) for cause in group_by_cause(strange)] == [(("XYZ001",), "odd thing")]
    assert main_causes(strange)["text"].to_list() == ["odd thing"]


def test_no_finding_is_no_cause() -> None:
    assert group_by_cause(empty("findings")) == ()
    assert main_causes(empty("findings")).is_empty()
