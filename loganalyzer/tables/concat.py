"""Concatenates analyses: volumes of one log, or logs and documents read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.schema import SCHEMAS
from loganalyzer.tables.totals import Totals, add_totals


def concat_parts(parts: Sequence[Analysis]) -> Analysis:
    """Concatenates analyses that share no row. The totals are those of all parts."""
    return Analysis(
        **{name: pl.concat([getattr(part, name) for part in parts]) for name in SCHEMAS},
        problems=tuple(problem for part in parts for problem in part.problems),
        notes=tuple(note for part in parts for note in part.notes),
        counted=add_totals([part.totals for part in parts]),
        faults=sum(part.faults for part in parts),
    )


def concat_analyses(parts: Sequence[tuple[str, Analysis]]) -> Analysis:
    """Concatenates analyses of different origins. Inputs with the same content count once.

    Each part comes with the name of its origin. If two different inputs have the same name, the origin's name is added.
    """
    names: dict[str, str] = {}
    parts_kept: list[Analysis] = []
    for origin, part in parts:
        parts_kept.append(_resolve_names(origin, part, names))
    offset = 0
    for index, part in enumerate(parts_kept):
        parts_kept[index] = replace(part, trends=part.trends.with_columns(pl.col("series") + offset))
        offset += part.trends.select(pl.col("series").max().fill_null(0)).item()
    combined = concat_parts(parts_kept)
    masked = combined.masked.group_by("kind").agg(pl.col("values", "places").sum()).sort("kind")
    counted = combined.counted if any(part.counted for part in parts_kept) else None
    return replace(combined, masked=masked, counted=counted)


def _resolve_names(origin: str, part: Analysis, names: dict[str, str]) -> Analysis:
    """`part` without duplicate inputs, and with names that are taken replaced. Adds to `names` (name to digest)."""
    digests = set(names.values())
    duplicates: list[str] = []
    renamed: dict[str, str] = {}
    for source, digest in part.sources.select("source", "digest").rows():
        if digest is not None and digest in digests:
            duplicates.append(source)
        elif source in names:
            renamed[source] = f"{source} ({origin})"
        names.setdefault(renamed.get(source, source), digest or "")
    if not duplicates and not renamed:
        return part
    dropped = {
        "source": duplicates,
        "run_id": part.runs.filter(pl.col("source").is_in(duplicates))["run_id"].to_list(),
        "prompt_id": part.prompts.filter(pl.col("source").is_in(duplicates))["prompt_id"].to_list(),
    }
    notes = tuple(f"{origin}: {source} has the same content as an earlier input; counted once" for source in duplicates)
    frames = {name: _remaining_rows(frame, dropped, renamed) for name, frame in part.tables()}
    return Analysis(
        **frames,
        problems=part.problems,
        notes=(*part.notes, *notes),
        counted=_remaining_totals(part, frames),
        faults=part.faults,
    )


def _remaining_totals(part: Analysis, remaining: dict[str, pl.DataFrame]) -> Totals | None:
    """The totals of a part that contains only its worst runs; None if inputs were removed whose share is unknown."""
    if part.counted is None or remaining["runs"].height == part.runs.height:
        return part.counted
    return None


def _remaining_rows(frame: pl.DataFrame, dropped: dict[str, list[str]], renamed: dict[str, str]) -> pl.DataFrame:
    key = next((name for name in ("source", "run_id", "prompt_id") if name in frame.columns), None)
    if key is None:
        return frame
    rest = frame.filter(~pl.col(key).is_in(dropped[key]).fill_null(value=False))
    return rest.with_columns(pl.col("source").replace(renamed)) if key == "source" and renamed else rest
