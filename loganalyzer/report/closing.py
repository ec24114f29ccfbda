"""The end of the page: what was not checked, what almost parsed, the inputs, the parameters, the words used."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from loganalyzer import units
from loganalyzer.report import words
from loganalyzer.report.model import Cell, Column, Pair, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loganalyzer.analysis import Analysis
    from loganalyzer.report.facts import Places
    from loganalyzer.settings import Settings

MOST_NEAR: Final = 50
MOST_INPUTS: Final = 500
_BY_NAME: Final = 3
"""Up to so many runs or inputs are named; more are counted."""


def not_checked(analysis: Analysis, runs: Mapping[str, str], places: Places) -> Table | None:
    """Rule and reason, with the runs or inputs that it concerns."""
    grouped = analysis.not_checked.group_by("rule", "name", "reason", maintain_order=True).agg(
        pl.col("run_id", "source"), pl.len().alias("count")
    )
    rows = tuple(
        (
            Cell(words.told(row["rule"]), note=words.told(row["name"]), code=True),
            Cell(words.told(row["reason"])),
            Cell(_concerned(row["run_id"], row["source"], runs, places)),
        )
        for row in grouped.sort("rule", maintain_order=True).iter_rows(named=True)
    )
    columns = (Column("Rule"), Column("Why it was not checked"), Column("Where"))
    return Table("Checks that lacked their input", columns, rows) if rows else None


def _concerned(
    run_ids: Sequence[str | None], sources: Sequence[str | None], runs: Mapping[str, str], places: Places
) -> str:
    if len(run_ids) > _BY_NAME:
        return units.plural(len(run_ids), "run" if all(run_ids) else "place")
    named = [
        runs.get(run or "") or (places(source) if source else "everywhere")
        for run, source in zip(run_ids, sources, strict=True)
    ]
    return ", ".join(named)


def near_misses(analysis: Analysis, places: Places) -> Table | None:
    """Lines with a known message's words that do not parse, and where parsing stopped."""
    near = analysis.near_misses
    rows = tuple(
        (
            Cell(places(row["source"], row["line"]), code=True),
            Cell(words.told(row["pattern"]), code=True),
            Cell(words.count(row["column"])),
            Cell(words.told(row["expected"])),
            Cell(words.told(row["text"]), code=True),
        )
        for row in near.head(MOST_NEAR).iter_rows(named=True)
    )
    columns = (
        Column("Where"),
        Column("Looks like"),
        Column("Stops at column", number=True),
        Column("Expected there"),
        Column("Line"),
    )
    left = near.height - MOST_NEAR
    rest = f"{left:,} more are left out here; the embedded document holds them all." if left > 0 else ""
    return Table("Near misses", columns, rows, rest) if rows else None


def inputs(analysis: Analysis) -> Table | None:
    """What was read."""
    rows = tuple(
        (
            Cell(words.told(row["source"]), code=True),
            Cell((row["digest"] or "")[:12] or words.NOTHING, code=True),
            Cell(words.bytes_(row["bytes"])),
            Cell(words.count(row["lines"])),
            Cell(
                words.told(row["encoding"]),
                note=f"{units.plural(row['undecodable'], 'byte')} replaced" if row["undecodable"] else "",
            ),
            Cell(words.count(row["records"])),
            Cell(words.count(row["near"])),
        )
        for row in analysis.sources.head(MOST_INPUTS).iter_rows(named=True)
    )
    columns = (
        Column("Input"),
        Column("SHA-256, begins"),
        Column("Size", number=True),
        Column("Lines", number=True),
        Column("Encoding"),
        Column("Messages recognised", number=True),
        Column("Near misses", number=True),
    )
    left = analysis.sources.height - MOST_INPUTS
    rest = f"{left:,} more inputs are left out here; the embedded document holds them all." if left > 0 else ""
    return Table("Inputs", columns, rows, rest) if rows else None


def parameters(settings: Settings) -> tuple[Pair, ...]:
    """Every setting with its value; of files the name only, unless nothing is to be masked."""
    return tuple(
        Pair(item.name.replace("_", " "), _value(getattr(settings, item.name), settings)) for item in fields(settings)
    )


def _value(value: object, settings: Settings) -> str:
    if value is None or value in ((), [], {}):
        return words.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Path):
        return words.visible(value.name if settings.redact else value)
    if isinstance(value, tuple | list):
        return ", ".join(_value(item, settings) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{words.visible(key)} = {_value(item, settings)}" for key, item in value.items())
    return words.visible(value)


def legend(settings: Settings) -> tuple[Pair, ...]:
    """The domain's words, one sentence each, with the configured figures."""
    window, motion, fps = settings.window_frames, settings.motion_frames, settings.fps
    stride = window - motion
    return (
        Pair("Window", f"A stretch of frames ({window} by default) that is rendered in one go; ranges exclude their end, so [0, {window}) is frames 0 to {window - 1}."),
        Pair("Overlap", f"The frames ({motion} by default) that a window shares with the one before, so that the motion goes on."),
        Pair("Stride", f"Window less overlap, {words.frames(stride, fps)}: how far apart windows begin; at each of these boundaries the picture may degrade."),
        Pair("Padding", "What is appended behind the audio for the last window: 3 frames of context, which are harmless, and the missing ones."),
        Pair("Missing", "Frames of the video that no audio drives: encoded silence, or mirrored speech where no silence file was found."),
        Pair("Announced", "The header's window count, an estimate made before the loop; it is one too many whenever the audio is aligned."),
        Pair("Peak", "Memory as the log prints it; in newer wrapper versions it covers the last VAE decoding only, and then says nothing about sampling."),
    )  # fmt: skip
