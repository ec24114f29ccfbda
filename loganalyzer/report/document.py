"""The JSON document and the Parquet files: the tables as they are, for machines."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl
from polars import selectors

from loganalyzer.analysis import Analysis
from loganalyzer.errors import ReportError
from loganalyzer.report.evidence import NEIGHBOURS
from loganalyzer.settings import Settings
from loganalyzer.tables import SCHEMA_VERSION

MOST_RUNS_WITH_STEPS: Final = 100


def to_json(analysis: Analysis, *, generated_at: datetime, version: str, settings: Settings | None = None) -> str:
    """The document of the contract: `schema_version`, `tool`, `generated_at`, `verdict`, and a list per table."""
    head: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "loganalyzer", "version": version},
        "generated_at": generated_at.isoformat(),
        "verdict": analysis.verdict,
        "problems": list(analysis.problems),
        "notes": list(analysis.notes),
    }
    if settings is not None:
        head["settings"] = told(settings)
    parts = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in head.items()]
    parts += [f"{json.dumps(name)}: {rows(frame)}" for name, frame in analysis.tables()]
    return "{" + ",\n".join(parts) + "}\n"


def told(settings: Settings) -> dict[str, object]:
    """Every setting by its name, as JSON has it."""
    return {item.name: _setting(getattr(settings, item.name)) for item in fields(settings)}


def _setting(value: object) -> object:
    """As JSON has it; of files the name only, for folders may name people."""
    if isinstance(value, Path):
        return value.name
    return [_setting(item) for item in value] if isinstance(value, tuple) else value


def for_page(analysis: Analysis) -> Analysis:
    """What goes into the page: of the excerpts those that the page can show; above `MOST_RUNS_WITH_STEPS` no steps.

    A page must stay small enough for a ticket. What is left out is said in `notes`; `--json` has it all.
    """
    around = [pl.col("line") + distance for distance in range(-NEIGHBOURS, NEIGHBOURS + 1)]
    cited = analysis.findings.select("source", pl.concat_list(around).alias("line")).explode("line").unique()
    kept = analysis.excerpts.join(cited, on=["source", "line"], how="semi", maintain_order="left")
    slim = replace(analysis, excerpts=kept)
    if analysis.runs.height <= MOST_RUNS_WITH_STEPS:
        return slim
    note = "the page's data leave out the single steps; --json and --tables have them"
    return replace(slim, steps=analysis.steps.clear(), notes=(*analysis.notes, note))


def rows(frame: pl.DataFrame) -> str:
    """The rows of a table as a JSON list of objects; times as text."""
    return frame.with_columns(selectors.datetime().dt.to_string("%Y-%m-%dT%H:%M:%S%.6f")).write_json()


def write_tables(analysis: Analysis, folder: Path) -> None:
    """One Parquet file per table.

    Raises:
        ReportError: the folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, frame in analysis.tables():
            frame.write_parquet(folder / f"{name}.parquet")
    except OSError as error:
        raise ReportError(
            f"{folder}: cannot be written: {error.strerror or error}", "give a folder you may write to"
        ) from None
