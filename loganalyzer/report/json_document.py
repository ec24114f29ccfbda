"""Writes the JSON document with all tables, and limits an analysis to what an HTML page can show and embed."""

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
"""Maximum size of the rows embedded in a page. Together with its figures the page stays below 5 MB, for a ticket."""
MOST_EVENTS: Final = 20_000
"""Maximum rows of the table `events` in a page. A pattern of the user may match every line of a log."""
_DETAIL_TABLES: Final = (
    "steps",
    "windows",
    "nodes",
    "events",
    "loras",
    "memory",
    "paddings",
    "excerpts",
    "near_misses",
)
"""Tables that an embedded document may omit: the findings remain complete without them."""
_ROWS_PER_CHUNK: Final = 50_000
"""Rows converted to text at a time."""


def to_json(analysis: Analysis, *, generated_at: datetime, version: str, settings: Settings | None = None) -> str:
    """The JSON document: `schema_version`, `tool`, `generated_at`, `verdict`, and a list per table.

    If the tables contain only the worst runs, `totals` has the counts of all runs.
    """
    return "".join(json_chunks(analysis, generated_at=generated_at, version=version, settings=settings))


def json_chunks(
    analysis: Analysis, *, generated_at: datetime, version: str, settings: Settings | None = None
) -> Iterator[str]:
    """The same text in chunks, so that the document of many runs is never in memory as one string."""
    members = first_members(analysis, generated_at=generated_at, version=version, settings=settings)
    if analysis.counted is not None:
        members.append(f'"totals": {_totals_json(analysis.counted)}')
    return join_members(members, ((name, row_chunks(frame)) for name, frame in analysis.tables()))


def first_members(analysis: Analysis, *, generated_at: datetime, version: str, settings: Settings | None) -> list[str]:
    """The members before the tables, each as JSON text."""
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
        members["settings"] = setting_values(settings)
    return [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in members.items()]


def join_members(members: Iterable[str], tables: Iterable[tuple[str, Iterable[str]]]) -> Iterator[str]:
    """The text of the document in chunks: first `members`, then the tables, each from any number of chunks."""
    yield "{" + ",\n".join(members)
    for name, chunks in tables:
        yield f",\n{json.dumps(name)}: ["
        for place, chunk in enumerate(filter(None, chunks)):
            yield f",{chunk}" if place else chunk
        yield "]"
    yield "}\n"


def setting_values(settings: Settings) -> dict[str, object]:
    """Every setting by its name, as a JSON value."""
    return {item.name: _json_value(getattr(settings, item.name)) for item in fields(settings)}


def _json_value(value: object) -> object:
    """A setting as a JSON value. Paths are reduced to file names, because folder names may identify people."""
    if isinstance(value, Path):
        return value.name
    return [_json_value(item) for item in value] if isinstance(value, tuple) else value


def _totals_json(totals: Totals) -> str:
    counts = {name: getattr(totals, name) for name in COUNTS}
    parts = [f"{json.dumps(name)}: {json.dumps(count)}" for name, count in counts.items()]
    parts += [
        f"{json.dumps(name)}: {rows_to_json(getattr(totals, name))}"
        for name in ("findings", "not_checked", "incomplete")
    ]
    return "{" + ", ".join(parts) + "}"


def limit_to_page(analysis: Analysis) -> Analysis:
    """The part that a page shows: at most `worst_runs.MAX_RUNS` runs (the worst), and the excerpts that findings cite.

    Notes say how many runs and rows of `events` are omitted.
    """
    part = worst_runs.select_worst_runs(analysis, worst_runs.MAX_RUNS)
    notes = part.notes
    if part.runs.height < analysis.runs.height:
        shown = f"this page shows the {part.runs.height:,} worst of {analysis.totals.runs:,} runs"
        notes = (*notes, f"{shown}; --json and --tables write all of them")
    events = part.events.head(MOST_EVENTS)
    if events.height < part.events.height:
        shown = f"this page has the first {events.height:,} of {part.events.height:,} rows of the table events"
        notes = (*notes, f"{shown}; --json and --tables write all of them")
    excerpts = worst_runs.select_cited(part.excerpts, part.findings)
    return replace(part, excerpts=excerpts, events=events, notes=notes)


def limit_to_embedded(analysis: Analysis) -> Analysis:
    """The part that a page embeds: the runs that it shows, with single steps if there are at most 100 runs.

    The page must stay small enough for a ticket. Notes say what is omitted.
    """
    part = limit_to_page(analysis)
    if part.runs.height <= MOST_RUNS_WITH_STEPS:
        return _drop_large_tables(part, MOST_BYTES)
    note = "the data embedded in this page omit single steps; --json and --tables write them"
    return _drop_large_tables(replace(part, steps=part.steps.clear(), notes=(*part.notes, note)), MOST_BYTES)


def _drop_large_tables(part: Analysis, most: int) -> Analysis:
    """`part` without its largest detail tables, if its rows take more than `most` bytes."""
    frames = dict(part.tables())
    if sum(frame.estimated_size() + frame.height * frame.width for frame in frames.values()) < most // 20:
        return part  # as JSON text, names and numbers take less than 20 times the space
    sizes = {name: sum(map(len, row_chunks(frame))) for name, frame in frames.items()}
    left_out = []
    for name in sorted(_DETAIL_TABLES, key=lambda name: -sizes[name]):
        if sum(sizes.values()) <= most:
            break
        sizes[name] = 0
        left_out.append(name)
    if not left_out:
        return part
    note = f"the data embedded in this page omit the tables {', '.join(left_out)}; --json and --tables write them"
    cleared: dict[str, Any] = {name: frames[name].clear() for name in left_out}
    return replace(part, **cleared, notes=(*part.notes, note))


def row_chunks(frame: pl.DataFrame) -> Iterator[str]:
    """The rows of a table in chunks, each as comma-separated members of a JSON list."""
    return (rows_to_json(part)[1:-1] for part in frame.iter_slices(_ROWS_PER_CHUNK))


def rows_to_json(frame: pl.DataFrame) -> str:
    """The rows of a table as a JSON list of objects, with times as text."""
    return frame.with_columns(selectors.datetime().dt.to_string("%Y-%m-%dT%H:%M:%S%.6f")).write_json()
