"""How a rule is declared, found and run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Final, Literal, TypeVar, cast

import polars as pl

from loganalyzer.common.errors import ConfigurationError
from loganalyzer.expectations.baselines import Shelf
from loganalyzer.settings.model import Settings, Severity
from loganalyzer.tables import schema
from loganalyzer.tables.analysis import Analysis

if TYPE_CHECKING:
    from loganalyzer.history.past import Past
    from loganalyzer.workflow.requested import Asked

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
_ORDER = {"error": 0, "warning": 1, "info": 2}
_CAUSES = ("RUN001", "RUN002", "RUN003")
_CONSEQUENCES = ("SCH003",)


@dataclass(frozen=True, eq=False)
class Extent:
    """What is looked at, where it is not everything.

    Attributes:
        reach: only the rules of that reach are asked.
        before: the last run of each output in the volumes before (`growth.latest`).
        near: the near misses of all volumes.
    """

    reach: Reach | None = None
    before: pl.DataFrame | None = None
    near: pl.DataFrame | None = None


WHOLE: Final = Extent()


@dataclass(frozen=True, eq=False)
class Context:
    """What a rule may look at.

    `asked` is what a workflow asks for, where one was named; `before` as in `Extent`; `near` has all near misses.
    """

    found: Analysis
    shelf: Shelf
    settings: Settings
    past: Past | None = None
    asked: Asked | None = None
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
Reach = Literal["run", "runs"]
"""What a rule must see to judge: each run (or prompt, or input) for itself, or all runs together."""


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
        reach: `runs` for rules that hold runs against one another; the others say the same of any part of the runs.
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
    reach: Reach = "run"

    def within(self, extent: Extent) -> Check | None:
        """What is asked where no more than `extent` is looked at."""
        if extent.reach in (None, self.reach):
            return self.check
        return _APART.get(self.id) if extent.reach == "run" else None

    def severity_under(self, settings: Settings) -> Severity:
        """`severities` names the rule, so it goes before `strict`, which speaks of several; then the rule's own."""
        usual = self.strict if settings.strict and self.strict else self.severity
        return settings.severities.get(self.id, usual)


_RULES: dict[str, Rule] = {}
_APART: dict[str, Check] = {}
"""What rules of reach `runs` say of each run for itself, by their ids."""


def rule(
    id: str,  # noqa: A002 -- the word of every output
    name: str,
    severity: Severity,
    strict: Severity | None = None,
    witness: Witness = "log",
    reach: Reach = "run",
    **texts: str,
) -> Callable[[Check], Check]:
    """Register a check as a rule; `strict` is its severity under `--strict`; `texts` are summary, why, example, fix.

    Raises:
        ValueError: the id is taken.
    """

    def register(check: Check) -> Check:
        if id in _RULES:
            raise ValueError(f"two rules are called {id}")
        _RULES[id] = Rule(id, name, severity, check=check, strict=strict, witness=witness, reach=reach, **texts)
        return check

    return register


def apart(id: str) -> Callable[[Check], Check]:  # noqa: A002 -- the word of every output
    """Register what a rule of reach `runs` says of each run for itself, so that these need not wait for the others."""

    def register(check: Check) -> Check:
        _APART[id] = check
        return check

    return register


def rules() -> dict[str, Rule]:
    """All rules by id, in the order of their ids."""
    for room in _ROOMS:
        import_module(f"loganalyzer.checks.{room}")
    return dict(sorted(_RULES.items()))


def run_all(
    found: Analysis,
    shelf: Shelf,
    settings: Settings,
    past: Past | None = None,
    asked: Asked | None = None,
    extent: Extent = WHOLE,
) -> Analysis:
    """`found`, or so much of an analysis as `extent` says, with its findings and with what could not be checked.

    `past` and `asked` as in `Context`.

    Raises:
        ConfigurationError: `select`, `ignore` or `severities` name a rule that does not exist.
    """
    near = found.near_misses if extent.near is None else extent.near
    context = Context(found, shelf, settings, past, asked, extent.before, near)
    asked_for = [(item, item.within(extent)) for item in chosen(settings) if item.witness == "log"]
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
        found, findings=by_gravity(_joined(findings, "findings")), not_checked=_joined(skipped, "not_checked")
    )


def _told_by(rows: pl.DataFrame, table: str, **of_rule: str) -> pl.DataFrame:
    """`rows` with the columns that are the same for all that a rule says, in the contract's order."""
    return rows.select(
        pl.lit(of_rule[name]).alias(name) if name in of_rule else pl.col(name) for name in schema.SCHEMAS[table]
    )


def _joined(frames: Sequence[pl.DataFrame], table: str) -> pl.DataFrame:
    return pl.concat(frames) if frames else schema.empty(table)


def by_gravity(findings: pl.DataFrame) -> pl.DataFrame:
    """The gravest first; of a severity causes before what follows from them, then by file and line, as one reads."""
    if findings.height < 2:
        return findings
    gravity = pl.col("severity").replace_strict(_ORDER, return_dtype=pl.Int8)
    return findings.sort(gravity, follows(findings), "source", "line", "rule", maintain_order=True)


def follows(findings: pl.DataFrame) -> pl.Series:
    """Which findings only follow from another one: a run that failed lacks windows."""
    causes = findings.filter(pl.col("rule").is_in(_CAUSES))["run_id"].drop_nulls()
    is_one = pl.col("rule").is_in(_CONSEQUENCES) & pl.col("run_id").is_in(causes.implode())
    return findings.select(is_one.fill_null(value=False).alias("follows")).to_series()


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
