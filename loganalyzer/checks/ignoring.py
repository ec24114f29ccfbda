"""CFG001, and the findings that the configuration ignores for a while."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from loganalyzer.checks.findings import outcome
from loganalyzer.checks.registry import Context, Outcome, by_severity, rule, rules
from loganalyzer.checks.selectors import select
from loganalyzer.common import clock
from loganalyzer.common.errors import ConfigurationError
from loganalyzer.common.formatting import plural
from loganalyzer.settings.model import Settings
from loganalyzer.tables import schema
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.completeness import with_verdicts
from loganalyzer.tables.totals import add_totals, count_totals

if TYPE_CHECKING:
    from loganalyzer.settings.ignores import Ignore

EXPIRED = "CFG001"


@rule(
    EXPIRED,
    "expired-ignore",
    "warning",
    cause="expired ignore entry",
    summary="An entry of `[[ignore]]` has passed its day: the findings of its rule count again.",
    why="What was let pass for a while must be looked at again, or it is let pass for ever.",
    example='[[ignore]] rule = "REG001", reason = "new driver", until = 2026-01-31, read in February',
    fix="Take the entry out, or give it a new day if its reason still holds.",
)
def expired_ignore(_context: Context) -> Outcome:
    """Found by `without_ignored`, which knows the configuration; a log alone has no such entries."""
    return outcome()


def without_ignored(
    found: Analysis, ignores: Iterable[Ignore], settings: Settings, today: date | None = None
) -> Analysis:
    """`found` without the findings that are ignored today (a note says how many, and why), and with CFG001.

    Raises:
        ConfigurationError: an entry names a rule that does not exist.
    """
    ignoring = Ignoring(ignores, today)
    return ignoring.finished(ignoring.taken(found), settings)


class Ignoring:
    """What a configuration ignores, and how many findings that were so far.

    Raises:
        ConfigurationError: an entry names a rule that does not exist.
    """

    def __init__(self, ignores: Iterable[Ignore], today: date | None = None) -> None:
        day = today or clock.now().date()
        self._entries = tuple(replace(entry, rule=_rule_id(entry)) for entry in ignores)
        self._over = [entry for entry in self._entries if entry.is_over(day)]
        self._counts: dict[Ignore, int] = {}

    def forget(self) -> None:
        """Start to count anew: what was counted so far is analyzed once more."""
        self._counts.clear()

    def taken(self, found: Analysis) -> Analysis:
        """An analysis, or a part of one, without the findings that are ignored."""
        kept, counted = found.findings, found.counted
        for entry in self._entries:
            if entry in self._over:
                continue
            concerned = (pl.col("rule") == entry.rule) & pl.col("message").str.contains(entry.contains, literal=True)
            gone = kept.filter(concerned.fill_null(value=False))
            if not gone.is_empty():
                kept = kept.filter(~concerned.fill_null(value=False))
                counted = counted and counted.subtract(gone)
                self._counts[entry] = self._counts.get(entry, 0) + gone.height
        if kept is found.findings:
            return found
        return replace(found, runs=with_verdicts(found.runs, kept), findings=kept, counted=counted)

    def finished(self, found: Analysis, settings: Settings) -> Analysis:
        """`found`, all parts of which were looked at, with the notes of what was ignored, and with CFG001."""
        said = (
            f"{entry.rule}: {plural(number, 'finding')} ignored until {entry.until}: {entry.reason}"
            for entry, number in self._counts.items()
        )
        notes = (*found.notes, *said)
        findings = _with_expired(found.findings, self._over, settings)
        if findings.height == found.findings.height:
            return replace(found, notes=notes)
        added = schema.conform(findings.filter(pl.col("rule") == EXPIRED), "findings")
        counted = found.counted and add_totals(
            [found.counted, count_totals(*_NO_RUNS, added, schema.empty("not_checked"))]
        )
        return replace(found, findings=findings, notes=notes, counted=counted)


def _rule_id(entry: Ignore) -> str:
    """The id of the single rule that an entry names."""
    try:
        found = select(entry.rule)
    except ConfigurationError as error:
        raise ConfigurationError(f"{entry.path}:{entry.line}: {error.message}", error.hint) from None
    if len(found) > 1:
        raise ConfigurationError(
            f"{entry.path}:{entry.line}: {entry.rule!r} names {len(found)} rules", "write one entry per rule"
        )
    return found[0].id


_NO_RUNS = (schema.empty("sources"), schema.empty("runs"))


def _with_expired(findings: pl.DataFrame, over: list[Ignore], settings: Settings) -> pl.DataFrame:
    """`findings` and one of CFG001 for each entry that is over."""
    known = rules()[EXPIRED]
    wanted = EXPIRED not in settings.ignore and (not settings.select or EXPIRED in settings.select)
    if not over or not wanted:
        return findings
    rows = [
        {
            "rule": known.id,
            "name": known.name,
            "severity": known.severity_under(settings),
            "source": str(entry.path),
            "line": entry.line,
            "message": f"{entry.rule} was ignored until {entry.until}, and counts again: {entry.reason}",
            "observed": f"ends {entry.until}",
            "expected": "a day to come",
            "fix": known.fix,
        }
        for entry in over
    ]
    return by_severity(pl.concat([findings, schema.conform(pl.DataFrame(rows), "findings")]))
