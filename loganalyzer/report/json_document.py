"""The JSON document: the tables as they are, for machines; and what of it a page holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
from polars import selectors

from loganalyzer.settings.model import Settings
from loganalyzer.tables import worst_runs
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.schema import SCHEMA_VERSION
from loganalyzer.tables.totals import COUNTS, Totals

MOST_RUNS_WITH_STEPS: Final = 100
MOST_BYTES: Final = 3_500_000
"""Of the rows inside of a page: with them and its drawings it stays below 5 MB, for a ticket."""
_DISPENSABLE: Final = ("steps", "windows", "loras", "memory", "paddings", "excerpts", "near_misses")
"""Tables without which the document inside of a page still says what was found."""
_AT_ONCE: Final = 50_000
"""Rows that become text together."""


def to_json(analysis: Analysis, *, generated_at: datetime, version: str, settings: Settings | None = None) -> str:
    """The document of the contract: `schema_version`, `tool`, `generated_at`, `verdict`, and a list per table.

    `totals` has the counts of the whole, where the tables hold its gravest part.
    """
    return "".join(pieces(analysis, generated_at=generated_at, version=version, settings=settings))


def pieces(
    analysis: Analysis, *, generated_at: datetime, version: str, settings: Settings | None = None
) -> Iterator[str]:
    """The same text, piece by piece: that of many runs must not be held."""
    begun = head(analysis, generated_at=generated_at, version=version, settings=settings)
    if analysis.counted is not None:
        begun.append(f'"totals": {_totals(analysis.counted)}')
    return composed(begun, ((name, listed(frame)) for name, frame in analysis.tables()))


def head(analysis: Analysis, *, generated_at: datetime, version: str, settings: Settings | None) -> list[str]:
    """The members in front of the tables, each as JSON."""
    members: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "loganalyzer", "version": version},
        "generated_at": generated_at.isoformat(),
        "verdict": analysis.verdict,
        "complete": analysis.complete,
        "problems": list(analysis.problems),
        "notes": list(analysis.notes),
    }
    if settings is not None:
        members["settings"] = told(settings)
    return [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in members.items()]


def composed(begun: Iterable[str], tables: Iterable[tuple[str, Iterable[str]]]) -> Iterator[str]:
    """The document's text, piece by piece: its first members, then the tables, each in any number of parts."""
    yield "{" + ",\n".join(begun)
    for name, parts in tables:
        yield f",\n{json.dumps(name)}: ["
        for place, part in enumerate(filter(None, parts)):
            yield f",{part}" if place else part
        yield "]"
    yield "}\n"


def told(settings: Settings) -> dict[str, object]:
    """Every setting by its name, as JSON has it."""
    return {item.name: _setting(getattr(settings, item.name)) for item in fields(settings)}


def _setting(value: object) -> object:
    """As JSON has it; of files the name only, for folders may name people."""
    if isinstance(value, Path):
        return value.name
    return [_setting(item) for item in value] if isinstance(value, tuple) else value


def _totals(totals: Totals) -> str:
    counts = {name: getattr(totals, name) for name in COUNTS}
    parts = [f"{json.dumps(name)}: {json.dumps(count)}" for name, count in counts.items()]
    parts += [
        f"{json.dumps(name)}: {rows(getattr(totals, name))}" for name in ("findings", "not_checked", "incomplete")
    ]
    return "{" + ", ".join(parts) + "}"


def shown(analysis: Analysis) -> Analysis:
    """What a page shows: of more than `worst_runs.MAX_RUNS` runs the worst, and of the excerpts those that it can show.

    `notes` say so.
    """
    part = worst_runs.select_worst_runs(analysis, worst_runs.MAX_RUNS)
    notes = part.notes
    if part.runs.height < analysis.runs.height:
        held = f"of {analysis.totals.runs:,} runs this page holds the gravest {part.runs.height:,}"
        notes = (*notes, f"{held}; --json and --tables have all")
    return replace(part, excerpts=worst_runs.select_cited(part.excerpts, part.findings), notes=notes)


def for_page(analysis: Analysis) -> Analysis:
    """What the document inside of a page holds: what the page shows, and of few runs the single steps as well.

    A page must stay small enough for a ticket. What is left out is said in `notes`.
    """
    part = shown(analysis)
    if part.runs.height <= MOST_RUNS_WITH_STEPS:
        return _within(part, MOST_BYTES)
    note = "the page's data leave out the single steps; --json and --tables have them"
    return _within(replace(part, steps=part.steps.clear(), notes=(*part.notes, note)), MOST_BYTES)


def _within(part: Analysis, most: int) -> Analysis:
    """`part` without its largest tables of details, where its rows take more than `most` bytes."""
    frames = dict(part.tables())
    if sum(frame.estimated_size() + frame.height * frame.width for frame in frames.values()) < most // 20:
        return part  # names and figures as text take less than 20 times the room
    sizes = {name: sum(map(len, listed(frame))) for name, frame in frames.items()}
    left_out = []
    for name in sorted(_DISPENSABLE, key=lambda name: -sizes[name]):
        if sum(sizes.values()) <= most:
            break
        sizes[name] = 0
        left_out.append(name)
    if not left_out:
        return part
    note = f"the page's data leave out the tables {', '.join(left_out)}; --json and --tables have them"
    cleared: dict[str, Any] = {name: frames[name].clear() for name in left_out}
    return replace(part, **cleared, notes=(*part.notes, note))


def listed(frame: pl.DataFrame) -> Iterator[str]:
    """The rows of a table, some at a time, as the members of a JSON list."""
    return (rows(part)[1:-1] for part in frame.iter_slices(_AT_ONCE))


def rows(frame: pl.DataFrame) -> str:
    """The rows of a table as a JSON list of objects; times as text."""
    return frame.with_columns(selectors.datetime().dt.to_string("%Y-%m-%dT%H:%M:%S%.6f")).write_json()
