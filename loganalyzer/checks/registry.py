"""Declares, lists and runs rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any, cast

import polars as pl

from loganalyzer.checks.expected import Expected
from loganalyzer.checks.plugin_rules import InstalledRules, add_rules
from loganalyzer.checks.rule import EVERYTHING, Check, Context, Needs, Outcome, Rule, Scope, Witness
from loganalyzer.common.errors import ConfigurationError
from loganalyzer.common.plugins import RULES, installed_plugins
from loganalyzer.common.severity import Severity
from loganalyzer.grammar.load import load_installed
from loganalyzer.settings.model import Settings
from loganalyzer.tables import schema, severity
from loganalyzer.tables.analysis import Analysis

_FAMILIES = (
    "schedule",
    "audio",
    "embedding",
    "memory",
    "growth",
    "model",
    "attention",
    "timing",
    "cost",
    "interruptions",
    "failures",
    "outputs",
    "log",
    "history",
    "comparison",
    "ignoring",
    "workflow",
)
__all__ = ["EVERYTHING", "Check", "Context", "Needs", "Outcome", "Rule", "Scope", "Witness"]

_RULES: dict[str, Rule] = {}
_PER_RUN_PARTS: dict[str, Check] = {}
"""For rules that need all runs: the part of the check that judges one run at a time."""


def rule(  # noqa: PLR0913 -- each is a property of the rule
    id: str,  # noqa: A002 -- the word of every output
    name: str,
    severity: Severity,
    *,
    strict: Severity | None = None,
    witness: Witness = "log",
    needs: Needs = "run",
    under: tuple[str, ...] = (),
    **texts: str,
) -> Callable[[Check], Check]:
    """Registers a check as a rule; `texts` are cause, summary, why, example and fix. Parameters are as in `Rule`.

    Raises:
        ValueError: another rule has this id.
    """

    def register(check: Check) -> Check:
        if id in _RULES:
            raise ValueError(f"two rules have the id {id}")
        _RULES[id] = Rule(
            id,
            name,
            severity,
            check=check,
            strict=strict,
            witness=witness,
            needs=needs,
            under=under,
            **cast("dict[str, Any]", texts),
        )
        return check

    return register


def per_run_part(id: str) -> Callable[[Check], Check]:  # noqa: A002 -- the word of every output
    """Registers the part of a rule that judges one run at a time, so that it need not wait for the other runs."""

    def register(check: Check) -> Check:
        _PER_RUN_PARTS[id] = check
        return check

    return register


def rules() -> dict[str, Rule]:
    """Returns all rules by id, sorted by id, with those of other installed packages."""
    installed_rules()
    return dict(sorted(_RULES.items()))


@cache
def installed_rules() -> InstalledRules:
    """Registers all rules once; returns what other installed packages add."""
    for family in _FAMILIES:
        import_module(f"loganalyzer.checks.{family}")
    found = add_rules(installed_plugins(RULES), _RULES)
    _RULES.update({name: replace(_RULES[name], per_run=part) for name, part in _PER_RUN_PARTS.items()})
    return found


def plugin_problems() -> tuple[str, ...]:
    """Returns a message per installed package whose patterns or rules cannot be used."""
    return (*load_installed().problems.values(), *installed_rules().problems.values())


def run_all(found: Analysis, expected: Expected, settings: Settings, scope: Scope = EVERYTHING) -> Analysis:
    """Returns `found` (or the part of it in `scope`) with its findings and rows of `not_checked`.

    Raises:
        ConfigurationError: `select`, `ignore` or `severities` name a rule that does not exist.
    """
    near = found.near_misses if scope.near is None else scope.near
    context = Context(found, expected.baselines, settings, expected.past, expected.requested, scope.before, near)
    applicable = [(item, item.within(scope)) for item in select_rules(settings) if item.witness == "log"]
    outcomes = [(item, check(context)) for item, check in applicable if check is not None]
    findings = [
        _with_rule_columns(outcome.findings, "findings", item, severity=item.severity_under(settings))
        for item, outcome in outcomes
        if not outcome.findings.is_empty()
    ]
    findings += [
        _with_rule_columns(outcome.proven, "findings", item, severity=settings.severities.get(item.id, "error"))
        for item, outcome in outcomes
        if outcome.proven is not None and not outcome.proven.is_empty()
    ]
    skipped = [
        _with_rule_columns(outcome.not_checked, "not_checked", item)
        for item, outcome in outcomes
        if not outcome.not_checked.is_empty()
    ]
    return replace(
        found,
        findings=by_severity(_concat_or_empty(findings, "findings")),
        not_checked=_concat_or_empty(skipped, "not_checked"),
    )


def _with_rule_columns(rows: pl.DataFrame, table: str, item: Rule, *, severity: str = "") -> pl.DataFrame:
    """Returns `rows` with the rule's id, name and severity, and its fix in rows without one, in the schema's order."""
    constant = {"rule": item.id, "name": item.name, "severity": severity}
    columns = {name: pl.lit(value).alias(name) for name, value in constant.items()}
    columns["fix"] = pl.col("fix").fill_null(item.fix)
    return rows.select(columns.get(name, pl.col(name)) for name in schema.SCHEMAS[table])


def _concat_or_empty(frames: Sequence[pl.DataFrame], table: str) -> pl.DataFrame:
    return pl.concat(frames) if frames else schema.empty(table)


def by_severity(findings: pl.DataFrame) -> pl.DataFrame:
    """Sorts findings by severity, then causes before their consequences, then by file and line."""
    if findings.height < 2:
        return findings
    return findings.sort(severity.rank(), is_consequence(findings), "source", "line", "rule", maintain_order=True)


def is_consequence(findings: pl.DataFrame) -> pl.Series:
    """Whether each finding follows from another finding of its run, as missing windows follow from a failure."""
    return (leading_rules(findings) != findings["rule"]).fill_null(value=False).alias("follows")


def leading_rules(findings: pl.DataFrame) -> pl.Series:
    """Returns the rule that names each finding's cause: the first of `under` that the run has, else its own."""
    pairs = [(item.id, leader, rank) for item in rules().values() for rank, leader in enumerate(item.under)]
    led = pl.DataFrame(pairs, schema=["rule", "leader", "rank"], orient="row")
    own = findings.select("run_id", "rule").with_row_index("row")
    if not own["rule"].is_in(led["rule"].unique().implode()).any():
        return findings["rule"].alias("leading")
    present = own.select("run_id", pl.col("rule").alias("leader")).drop_nulls().unique()
    first = (
        own.join(led, on="rule")
        .join(present, on=["run_id", "leader"], how="semi")
        .sort("row", "rank")
        .group_by("row", maintain_order=True)
        .agg(pl.col("leader").first())
    )
    joined = own.join(first, on="row", how="left", maintain_order="left")
    return joined.select(pl.coalesce("leader", "rule").alias("leading")).to_series()


def select_rules(settings: Settings) -> list[Rule]:
    """Returns the rules to check, sorted by id.

    Raises:
        ConfigurationError: `select`, `ignore` or `severities` name a rule that does not exist.
    """
    known = rules()
    for name in (*settings.select, *settings.ignore, *settings.severities):
        if name not in known:
            raise ConfigurationError(f"there is no rule {name!r}", "`loganalyze rules` lists them")
    wanted = settings.select or tuple(known)
    return [known[name] for name in known if name in wanted and name not in settings.ignore]
