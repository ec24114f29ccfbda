"""Formats baselines for `loganalyze baseline`, for the terminal and as JSON."""

from __future__ import annotations

import json
from typing import IO, Any

import polars as pl
from rich.padding import Padding
from rich.text import Text

from loganalyzer.baselining.proposing import Proposals
from loganalyzer.common.formatting import printable
from loganalyzer.expectations.baselines import FIGURES, KEYS, Baselines
from loganalyzer.report.json_document import rows_to_json
from loganalyzer.report.terminal.rendering import console
from loganalyzer.tables.schema import SCHEMA_VERSION


def _kinds(baselines: Baselines) -> dict[str, pl.DataFrame]:
    return {
        "vram": baselines.vram,
        "timing": baselines.timing,
        "cost": baselines.cost,
        "requirement": baselines.requirement,
    }


def to_json(baselines: Baselines) -> str:
    """Returns `schema_version`, `ranking`, and a list of entries per kind."""
    parts = [f'"schema_version": {SCHEMA_VERSION}', f'"ranking": {json.dumps(list(baselines.ranking))}']
    parts += [f"{json.dumps(kind)}: {rows_to_json(frame)}" for kind, frame in _kinds(baselines).items()]
    return "{" + ",\n".join(parts) + "}\n"


def proposals(proposed: Proposals, change: str, *, file: str, written: bool) -> str:
    """Returns `schema_version`, `file`, `written`, `diff`, `entries` (kind, key, figures, before) and `refused`."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "file": file,
        "written": written,
        "diff": change,
        "entries": [
            {"kind": entry.kind, "key": dict(entry.key), "figures": dict(entry.figures), "before": dict(entry.before)}
            for entry in proposed.entries
        ],
        "refused": list(proposed.refused),
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def write(baselines: Baselines, file: IO[str]) -> None:
    """Writes one entry per line, with its key and values, and its provenance below."""
    out = console(file)
    for kind, frame in _kinds(baselines).items():
        out.print(Text(kind, style="bold"))
        figures = [name for name in FIGURES[kind] if name in frame.columns]
        for row in frame.iter_rows(named=True):
            key = ", ".join(f"{name} {_cell(row[name])}" for name in KEYS[kind])
            values = ", ".join(f"{name} {_cell(row[name])}" for name in figures)
            out.print(Padding(Text.assemble(key, ": ", (values, "bold")), (0, 0, 0, 2), expand=False))
            out.print(Padding(Text(printable(row["provenance"]), style="dim"), (0, 0, 0, 6), expand=False))


def _cell(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, list):
        return "–".join(f"{item:g}" for item in value)
    return printable(f"{value:g}" if isinstance(value, float) else str(value))
