"""Declares, lists and runs rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Final, Literal, TypeVar, cast

import polars as pl

from loganalyzer.checks.expected import Expected
from loganalyzer.common.errors import ConfigurationError
from loganalyzer.common.severity import Severity
from loganalyzer.expectations.baselines import Baselines
from loganalyzer.settings.model import Settings
from loganalyzer.tables import schema, severity
from loganalyzer.tables.analysis import Analysis

if TYPE_CHECKING:
    from loganalyzer.history.past import Past
    from loganalyzer.workflow.requested import RequestedSettings

Shared = TypeVar("Shared")

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


@dataclass(frozen=True, eq=False)
class Scope:
    """The part of the runs that rules judge.

    Attributes:
        needs: run only the rules with this `needs`; all rules if None.
        before: the last run of each output in earlier volumes (`growth.latest_peaks`).
        near: the near misses of all volumes.
    """

    needs: Needs | None = None
    before: pl.DataFrame | None = None
    near: pl.DataFrame | None = None


EVERYTHING: Final = Scope()


@dataclass(frozen=True, eq=False)
class Context:
    """The data that a check gets.

    `requested` has the settings of the workflow, if one is given; `before` and `near` are as in `Scope`.
    """

    found: Analysis
    baselines: Baselines
    settings: Settings
    past: Past | None = None
    requested: RequestedSettings | None = None
    before: pl.DataFrame | None = None
    near: pl.DataFrame = field(default_factory=lambda: schema.empty("near_misses"))
    _cache: dict[Callable[..., object], object] = field(default_factory=dict, repr=False, compare=False)

    def once(self, work: Callable[[Context], Shared]) -> Shared:
        """Returns `work(self)`; several rules share the result, which is computed once."""
        if work not in self._cache:
            self._cache[work] = work(self)
        return cast("Shared", self._cache[work])


@dataclass(frozen=True, eq=False)
class Outcome:
    """The result of a check.

    Attributes:
        findings: run_id, source, line, message, observed, expected, fix (null: the rule's own).
        not_checked: run_id, source, reason, kind: runs (or inputs) that lack the data the rule needs.
        proven: findings that are errors regardless of the rule's usual severity: the log itself states the fault.
    """

    findings: pl.DataFrame
    not_checked: pl.DataFrame
    proven: pl.DataFrame | None = None


Check = Callable[[Context], Outcome]
Witness = Literal["log", "workflow"]
"""Where the fault shows: in a log (perhaps together with a workflow), or only in a workflow."""
Needs = Literal["run", "runs"]
"""What a rule needs at once: one run (or prompt, or input), or all runs."""


@dataclass(frozen=True)
class Rule:
    """A rule with its documentation.

    Attributes:
        id, name, severity: as in every output.
        summary: what the rule finds, in one line.
        why: why that matters to someone who wants a good video.
        example: log lines that show the fault; lines that start with `# ` are notes on them.
        fix: what to change; findings without a fix of their own have this one.
        check: the function that finds it.
        strict: the severity under `--strict`, if it differs.
        witness: `workflow` for rules whose fault never shows in a log; `lint` checks these.
        needs: `runs` for rules that compare runs; other rules find the same in any part of the runs.
        cause: the fault in a few words, for overviews. Figures follow a colon, as `{observed}` and `{expected}`.
        under: rules that name the cause of this rule's finding if they have a finding for the same run. The first of
            them leads; a rule that leads another one of them comes before it.
    """

    id: str
    name: str
    severity: Severity
    summary: str
    why: str
    example: str
    fix: str
    check: Check
    strict: Severity | None = None
    witness: Witness = "log"
    needs: Needs = "run"
    cause: str = ""
    under: tuple[str, ...] = ()

    def within(self, scope: Scope) -> Check | None:
        """Returns the check to run for this scope, if any."""
        if scope.needs in (None, self.needs):
            return self.check
        return _PER_RUN_PARTS.get(self.id) if scope.needs == "run" else None

    def severity_under(self, settings: Settings) -> Severity:
        """Returns the configured severity, else the one under `--strict`, else the rule's own."""
        usual = self.strict if settings.strict and self.strict else self.severity
        return settings.severities.get(self.id, usual)


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
            id, name, severity, check=check, strict=strict, witness=witness, needs=needs, under=under, **texts
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
    """Returns all rules by id, sorted by id."""
    for family in _FAMILIES:
        import_module(f"loganalyzer.checks.{family}")
    return dict(sorted(_RULES.items()))


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
