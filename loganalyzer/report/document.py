"""The JSON document: the tables as they are, for machines; and what of it a page holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl
from polars import selectors

from loganalyzer import gravest
from loganalyzer.analysis import Analysis
from loganalyzer.settings import Settings
from loganalyzer.tables import SCHEMA_VERSION
from loganalyzer.totals import COUNTS, Totals

MOST_RUNS_WITH_STEPS: Final = 100
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
    """What a page shows: of more than `gravest.MOST_RUNS` runs the gravest, and of the excerpts those that it can show.

    `notes` say so.
    """
    part = gravest.gravest(analysis, gravest.MOST_RUNS)
    notes = part.notes
    if part.runs.height < analysis.runs.height:
        held = f"of {analysis.totals.runs:,} runs this page holds the gravest {part.runs.height:,}"
        notes = (*notes, f"{held}; --json and --tables have all")
    return replace(part, excerpts=gravest.cited(part.excerpts, part.findings), notes=notes)


def for_page(analysis: Analysis) -> Analysis:
    """What the document inside of a page holds: what the page shows, and of few runs the single steps as well.

    A page must stay small enough for a ticket. What is left out is said in `notes`.
    """
    part = shown(analysis)
    if part.runs.height <= MOST_RUNS_WITH_STEPS:
        return part
    note = "the page's data leave out the single steps; --json and --tables have them"
    return replace(part, steps=part.steps.clear(), notes=(*part.notes, note))


def listed(frame: pl.DataFrame) -> Iterator[str]:
    """The rows of a table, some at a time, as the members of a JSON list."""
    return (rows(part)[1:-1] for part in frame.iter_slices(_AT_ONCE))


def rows(frame: pl.DataFrame) -> str:
    """The rows of a table as a JSON list of objects; times as text."""
    return frame.with_columns(selectors.datetime().dt.to_string("%Y-%m-%dT%H:%M:%S%.6f")).write_json()
