"""How a rule is declared, found and run."""

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

Known = TypeVar("Known")

_ROOMS = (
    "schedule",
    "audio",
    "embedding",
    "memory",
    "growth",
    "model",
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
    """The part of the runs that rules look at.

    Attributes:
        needs: only the rules that need this are checked; all rules if None.
        before: the last run of each output in the volumes before (`growth.latest`).
        near: the near misses of all volumes.
    """

    needs: Needs | None = None
    before: pl.DataFrame | None = None
    near: pl.DataFrame | None = None


EVERYTHING: Final = Scope()


@dataclass(frozen=True, eq=False)
class Context:
    """What a rule may look at.

    `requested` are the settings of a workflow, where one is given; `before` as in `Scope`; `near` has all near misses.
    """

    found: Analysis
    baselines: Baselines
    settings: Settings
    past: Past | None = None
    requested: RequestedSettings | None = None
    before: pl.DataFrame | None = None
    near: pl.DataFrame = field(default_factory=lambda: schema.empty("near_misses"))
    _known: dict[Callable[..., object], object] = field(default_factory=dict, repr=False, compare=False)

    def once(self, work: Callable[[Context], Known]) -> Known:
        """What several rules need, made by the first that asks."""
        if work not in self._known:
            self._known[work] = work(self)
        return cast("Known", self._known[work])


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a rule says.

    Attributes:
        findings: run_id, source, line, message, observed, expected, fix.
        not_checked: run_id, source, reason: where the rule lacked its input.
        proven: findings that are errors whatever the rule's usual severity: the log itself says so.
    """

    findings: pl.DataFrame
    not_checked: pl.DataFrame
    proven: pl.DataFrame | None = None


Check = Callable[[Context], Outcome]
Witness = Literal["log", "workflow"]
"""What shows the fault of a rule: a log (and perhaps a workflow too), or a workflow alone."""
Needs = Literal["run", "runs"]
"""What a rule needs to judge: one run (or prompt, or input) at a time, or all runs together."""


@dataclass(frozen=True)
class Rule:
    """One rule with all its documentation.

    Attributes:
        id, name, severity: as in every output.
        summary: one line: what it finds.
        why: why that matters to someone who wants a good video.
        example: log lines that make it fire.
        fix: what to change.
        check: the function.
        strict: the severity under `--strict`, where it is another.
        witness: `workflow` for rules that no log can show; `lint` checks them.
        needs: `runs` for rules that compare runs; the others find the same in any part of the runs.
        cause: what is wrong in a few words, for overviews. Figures follow a colon, as `{observed}` and `{expected}`.
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
        """The check to run for this scope, if any."""
        if scope.needs in (None, self.needs):
            return self.check
        return _PER_RUN_PARTS.get(self.id) if scope.needs == "run" else None

    def severity_under(self, settings: Settings) -> Severity:
        """`severities` names the rule, so it goes before `strict`, which speaks of several; then the rule's own."""
        usual = self.strict if settings.strict and self.strict else self.severity
        return settings.severities.get(self.id, usual)


_RULES: dict[str, Rule] = {}
_PER_RUN_PARTS: dict[str, Check] = {}
"""Per rule that needs all runs: the part that judges one run at a time."""


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
    """Register a check as a rule; `texts` are cause, summary, why, example and fix, the rest as in `Rule`.

    Raises:
        ValueError: the id is taken.
    """

    def register(check: Check) -> Check:
        if id in _RULES:
            raise ValueError(f"two rules are called {id}")
        _RULES[id] = Rule(
            id, name, severity, check=check, strict=strict, witness=witness, needs=needs, under=under, **texts
        )
        return check

    return register


def per_run_part(id: str) -> Callable[[Check], Check]:  # noqa: A002 -- the word of every output
    """Registers the part of a rule that judges one run at a time, so that it does not wait for the other runs."""

    def register(check: Check) -> Check:
        _PER_RUN_PARTS[id] = check
        return check

    return register


def rules() -> dict[str, Rule]:
    """All rules by id, in the order of their ids."""
    for room in _ROOMS:
        import_module(f"loganalyzer.checks.{room}")
    return dict(sorted(_RULES.items()))


def run_all(found: Analysis, expected: Expected, settings: Settings, scope: Scope = EVERYTHING) -> Analysis:
    """`found`, or the part of it in `scope`, with its findings and with what could not be checked.

    Raises:
        ConfigurationError: `select`, `ignore` or `severities` name a rule that does not exist.
    """
    near = found.near_misses if scope.near is None else scope.near
    context = Context(found, expected.baselines, settings, expected.past, expected.requested, scope.before, near)
    asked_for = [(item, item.within(scope)) for item in chosen(settings) if item.witness == "log"]
    outcomes = [(item, check(context)) for item, check in asked_for if check is not None]
    findings = [
        _told_by(outcome.findings, "findings", rule=item.id, name=item.name, severity=item.severity_under(settings))
        for item, outcome in outcomes
        if not outcome.findings.is_empty()
    ]
    findings += [
        _told_by(
            outcome.proven, "findings", rule=item.id, name=item.name, severity=settings.severities.get(item.id, "error")
        )
        for item, outcome in outcomes
        if outcome.proven is not None and not outcome.proven.is_empty()
    ]
    skipped = [
        _told_by(outcome.not_checked, "not_checked", rule=item.id, name=item.name)
        for item, outcome in outcomes
        if not outcome.not_checked.is_empty()
    ]
    return replace(
        found, findings=by_severity(_joined(findings, "findings")), not_checked=_joined(skipped, "not_checked")
    )


def _told_by(rows: pl.DataFrame, table: str, **of_rule: str) -> pl.DataFrame:
    """`rows` with the columns that are the same for all that a rule says, in the contract's order."""
    return rows.select(
        pl.lit(of_rule[name]).alias(name) if name in of_rule else pl.col(name) for name in schema.SCHEMAS[table]
    )


def _joined(frames: Sequence[pl.DataFrame], table: str) -> pl.DataFrame:
    return pl.concat(frames) if frames else schema.empty(table)


def by_severity(findings: pl.DataFrame) -> pl.DataFrame:
    """Sorts by severity, then causes before their consequences, then by file and line."""
    if findings.height < 2:
        return findings
    return findings.sort(severity.rank(), follows(findings), "source", "line", "rule", maintain_order=True)


def follows(findings: pl.DataFrame) -> pl.Series:
    """Which findings belong to the cause that another finding of their run names: a run that failed lacks windows."""
    return (leading(findings) != findings["rule"]).fill_null(value=False).alias("follows")


def leading(findings: pl.DataFrame) -> pl.Series:
    """The rule that names each finding's cause: of its rule's `under` the first that the run has, else its own."""
    pairs = [(item.id, leader, rank) for item in rules().values() for rank, leader in enumerate(item.under)]
    led = pl.DataFrame(pairs, schema=["rule", "leader", "rank"], orient="row")
    own = findings.select("run_id", "rule").with_row_index("row")
    if not own["rule"].is_in(led["rule"].unique().implode()).any():
        return findings["rule"].alias("leading")
    there = own.select("run_id", pl.col("rule").alias("leader")).drop_nulls().unique()
    first = (
        own.join(led, on="rule")
        .join(there, on=["run_id", "leader"], how="semi")
        .sort("row", "rank")
        .group_by("row", maintain_order=True)
        .agg(pl.col("leader").first())
    )
    joined = own.join(first, on="row", how="left", maintain_order="left")
    return joined.select(pl.coalesce("leader", "rule").alias("leading")).to_series()


def chosen(settings: Settings) -> list[Rule]:
    """The rules that are checked, in the order of their ids.

    Raises:
        ConfigurationError: `select`, `ignore` or `severities` name a rule that does not exist.
    """
    known = rules()
    for name in (*settings.select, *settings.ignore, *settings.severities):
        if name not in known:
            raise ConfigurationError(f"there is no rule {name!r}", "`loganalyze rules` lists them")
    wanted = settings.select or tuple(known)
    return [known[name] for name in known if name in wanted and name not in settings.ignore]
