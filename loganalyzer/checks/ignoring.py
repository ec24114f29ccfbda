"""CFG001, and the findings that the configuration ignores for a while."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from loganalyzer import clock, tables
from loganalyzer.analysis import Analysis
from loganalyzer.checks.outcomes import outcome
from loganalyzer.checks.registry import Context, Outcome, by_gravity, rule, rules
from loganalyzer.errors import ConfigurationError
from loganalyzer.settings import Settings
from loganalyzer.units import plural

if TYPE_CHECKING:
    from loganalyzer.ignores import Ignore

EXPIRED = "CFG001"


@rule(
    EXPIRED,
    "expired-ignore",
    "warning",
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
    day = today or clock.now().date()
    entries = tuple(ignores)
    for entry in entries:
        if entry.rule not in rules():
            raise ConfigurationError(
                f"{entry.path}:{entry.line}: there is no rule {entry.rule!r}", "`loganalyze rules` lists them"
            )
    kept, notes, counted = found.findings, list(found.notes), found.counted
    for entry in entries:
        if entry.is_over(day):
            continue
        concerned = (pl.col("rule") == entry.rule) & pl.col("message").str.contains(entry.contains, literal=True)
        left = kept.filter(~concerned.fill_null(value=False))
        if left.height < kept.height:
            count = plural(kept.height - left.height, "finding")
            notes.append(f"{entry.rule}: {count} ignored until {entry.until}: {entry.reason}")
            counted = counted and counted.without(kept.filter(concerned.fill_null(value=False)))
        kept = left
    over = [entry for entry in entries if entry.is_over(day)]
    return replace(found, findings=_with_expired(kept, over, settings), notes=tuple(notes), counted=counted)


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
    return by_gravity(pl.concat([findings, tables.conform(pl.DataFrame(rows), "findings")]))
