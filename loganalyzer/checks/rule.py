"""What a rule is, what its check gets, and what the check returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeVar, cast

import polars as pl

from loganalyzer.common.severity import Severity
from loganalyzer.expectations.baselines import Baselines
from loganalyzer.settings.model import Settings
from loganalyzer.tables import schema
from loganalyzer.tables.analysis import Analysis

if TYPE_CHECKING:
    from loganalyzer.history.past import Past
    from loganalyzer.workflow.requested import RequestedSettings

Shared = TypeVar("Shared")


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
        package: the package that adds the rule; None for a rule of this one.
        per_run: for a rule that needs all runs: the part of the check that judges one run at a time.
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
    package: str | None = None
    per_run: Check | None = None

    def within(self, scope: Scope) -> Check | None:
        """Returns the check to run for this scope, if any."""
        if scope.needs in (None, self.needs):
            return self.check
        return self.per_run if scope.needs == "run" else None

    def severity_under(self, settings: Settings) -> Severity:
        """Returns the configured severity, else the one under `--strict`, else the rule's own."""
        usual = self.strict if settings.strict and self.strict else self.severity
        return settings.severities.get(self.id, usual)
