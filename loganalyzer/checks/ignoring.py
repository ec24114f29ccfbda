"""Removes findings that the configuration ignores, and adds CFG001 for expired entries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from loganalyzer.checks.findings import make_outcome
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
    summary="An `[[ignore]]` entry has expired: the findings of its rule count again.",
    why="An ignored finding needs a second look on its date. Without one it stays ignored forever.",
    example='# read in February 2026: ignore = [{ rule = "REG001", reason = "new driver", until = 2026-01-31 }]',
    fix="Remove the entry, or set a new `until` date if its reason still holds.",
)
def expired_ignore(_context: Context) -> Outcome:
    """Never fires here: `Ignoring` adds CFG001, because a log has no ignore entries."""
    return make_outcome()


def drop_ignored(found: Analysis, ignores: Iterable[Ignore], settings: Settings, today: date | None = None) -> Analysis:
    """Returns `found` without the findings that are ignored today, with notes (how many, and why) and CFG001.

    Raises:
        ConfigurationError: an entry names a rule that does not exist.
    """
    ignoring = Ignoring(ignores, today)
    return ignoring.finish(ignoring.apply(found), settings)


class Ignoring:
    """The ignore entries of a configuration, with the number of findings that each removed so far.

    Raises:
        ConfigurationError: an entry names a rule that does not exist.
    """

    def __init__(self, ignores: Iterable[Ignore], today: date | None = None) -> None:
        day = today or clock.now().date()
        self._entries = tuple(replace(entry, rule=_rule_id(entry)) for entry in ignores)
        self._expired = [entry for entry in self._entries if entry.is_over(day)]
        self._counts: dict[Ignore, int] = {}

    def reset(self) -> None:
        """Resets the counts, because the same findings will be counted again."""
        self._counts.clear()

    def apply(self, found: Analysis) -> Analysis:
        """Returns an analysis (or a part of one) without the ignored findings, and counts these."""
        kept, counted = found.findings, found.counted
        for entry in self._entries:
            if entry in self._expired:
                continue
            matches = (pl.col("rule") == entry.rule) & pl.col("message").str.contains(entry.contains, literal=True)
            ignored = kept.filter(matches.fill_null(value=False))
            if not ignored.is_empty():
                kept = kept.filter(~matches.fill_null(value=False))
                counted = counted and counted.subtract(ignored)
                self._counts[entry] = self._counts.get(entry, 0) + ignored.height
        if kept is found.findings:
            return found
        return replace(found, runs=with_verdicts(found.runs, kept), findings=kept, counted=counted)

    def finish(self, found: Analysis, settings: Settings) -> Analysis:
        """Returns `found` with a note per entry that removed findings, and with CFG001; call it after the last part."""
        ignored = (
            f"{entry.rule}: {plural(number, 'finding')} ignored until {entry.until}: {entry.reason}"
            for entry, number in self._counts.items()
        )
        notes = (*found.notes, *ignored)
        findings = _add_expired(found.findings, self._expired, settings)
        if findings.height == found.findings.height:
            return replace(found, notes=notes)
        added = schema.conform(findings.filter(pl.col("rule") == EXPIRED), "findings")
        counted = found.counted and add_totals(
            [found.counted, count_totals(*_NO_RUNS, added, schema.empty("not_checked"))]
        )
        return replace(found, findings=findings, notes=notes, counted=counted)


def _rule_id(entry: Ignore) -> str:
    """Returns the id of the one rule that an entry names."""
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


def _add_expired(findings: pl.DataFrame, expired: list[Ignore], settings: Settings) -> pl.DataFrame:
    """Returns `findings` and one CFG001 finding per expired entry."""
    known = rules()[EXPIRED]
    wanted = EXPIRED not in settings.ignore and (not settings.select or EXPIRED in settings.select)
    if not expired or not wanted:
        return findings
    rows = [
        {
            "rule": known.id,
            "name": known.name,
            "severity": known.severity_under(settings),
            "source": str(entry.path),
            "line": entry.line,
            "message": f"{entry.rule} was ignored until {entry.until} and counts again. Reason given: {entry.reason}",
            "observed": f"until {entry.until}",
            "expected": "a date in the future",
            "fix": known.fix,
        }
        for entry in expired
    ]
    return by_severity(pl.concat([findings, schema.conform(pl.DataFrame(rows), "findings")]))
