"""Concatenates analyses: volumes of one log, or logs and documents read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.schema import SCHEMAS
from loganalyzer.tables.totals import Totals, add_totals


def concat_parts(parts: Sequence[Analysis]) -> Analysis:
    """Analyses that share no row, put together. The totals are those of all parts."""
    return Analysis(
        **{name: pl.concat([getattr(part, name) for part in parts]) for name in SCHEMAS},
        problems=tuple(problem for part in parts for problem in part.problems),
        notes=tuple(note for part in parts for note in part.notes),
        counted=add_totals([part.totals for part in parts]),
        faults=sum(part.faults for part in parts),
    )


def concat(parts: Sequence[tuple[str, Analysis]]) -> Analysis:
    """Analyses of different origins, put together. Inputs with the same content count once.

    Each part comes with the name of its origin. If two different inputs have the same name, the origin's name is added.
    """
    names: dict[str, str] = {}
    kept: list[Analysis] = []
    for origin, part in parts:
        kept.append(_renamed(origin, part, names))
    behind = 0
    for place, part in enumerate(kept):
        kept[place] = replace(part, trends=part.trends.with_columns(pl.col("series") + behind))
        behind += part.trends.select(pl.col("series").max().fill_null(0)).item()
    together = concat_parts(kept)
    masked = together.masked.group_by("kind").agg(pl.col("values", "places").sum()).sort("kind")
    counted = together.counted if any(part.counted for part in kept) else None
    return replace(together, masked=masked, counted=counted)


def _renamed(origin: str, part: Analysis, names: dict[str, str]) -> Analysis:
    """`part` without known inputs, and with names that are taken changed. Adds to `names` (name to digest)."""
    digests = set(names.values())
    twins: list[str] = []
    renamed: dict[str, str] = {}
    for source, digest in part.sources.select("source", "digest").rows():
        if digest is not None and digest in digests:
            twins.append(source)
        elif source in names:
            renamed[source] = f"{source} ({origin})"
        names.setdefault(renamed.get(source, source), digest or "")
    if not twins and not renamed:
        return part
    gone = {
        "source": twins,
        "run_id": part.runs.filter(pl.col("source").is_in(twins))["run_id"].to_list(),
        "prompt_id": part.prompts.filter(pl.col("source").is_in(twins))["prompt_id"].to_list(),
    }
    notes = tuple(f"{origin}: {source} has the same content as an input before it, and counts once" for source in twins)
    frames = {name: _others(frame, gone, renamed) for name, frame in part.tables()}
    return Analysis(
        **frames,
        problems=part.problems,
        notes=(*part.notes, *notes),
        counted=_counted(part, frames),
        faults=part.faults,
    )


def _counted(part: Analysis, left: dict[str, pl.DataFrame]) -> Totals | None:
    """The totals of a part that held only its gravest runs; none where inputs are taken out that it cannot tell of."""
    if part.counted is None or left["runs"].height == part.runs.height:
        return part.counted
    return None


def _others(frame: pl.DataFrame, gone: dict[str, list[str]], renamed: dict[str, str]) -> pl.DataFrame:
    key = next((name for name in ("source", "run_id", "prompt_id") if name in frame.columns), None)
    if key is None:
        return frame
    rest = frame.filter(~pl.col(key).is_in(gone[key]).fill_null(value=False))
    return rest.with_columns(pl.col("source").replace(renamed)) if key == "source" and renamed else rest
