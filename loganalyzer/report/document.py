"""The JSON document and the Parquet files: the tables as they are, for machines."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import polars as pl
from polars import selectors

from loganalyzer.analysis import Analysis
from loganalyzer.errors import ReportError
from loganalyzer.tables import SCHEMA_VERSION


def to_json(analysis: Analysis, *, generated_at: datetime, version: str) -> str:
    """The document of the contract: `schema_version`, `tool`, `generated_at`, `verdict`, and a list per table."""
    head = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "loganalyzer", "version": version},
        "generated_at": generated_at.isoformat(),
        "verdict": analysis.verdict,
        "problems": list(analysis.problems),
    }
    parts = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in head.items()]
    parts += [f"{json.dumps(name)}: {_rows(frame)}" for name, frame in analysis.tables()]
    return "{" + ",\n".join(parts) + "}\n"


def _rows(frame: pl.DataFrame) -> str:
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
