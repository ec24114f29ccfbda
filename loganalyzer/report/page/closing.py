"""Builds the last sections of the page: skipped checks, near misses, inputs, masks, parameters, glossary."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from loganalyzer.common import formatting
from loganalyzer.redact.kinds import KINDS
from loganalyzer.report import words
from loganalyzer.report.model import Cell, Column, Pair, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loganalyzer.report.facts import Places
    from loganalyzer.settings.model import Settings
    from loganalyzer.tables.analysis import Analysis

MOST_NEAR: Final = 50
MOST_INPUTS: Final = 500
NO_MASKS: Final = {
    True: "No tokens, addresses or personal names were found in what this page shows.",
    False: "Nothing is masked: --no-redact turned masking off.",
}
"""Text for a page without masks, by whether masking is on."""
_MOST_NAMED: Final = 3
"""Up to this number, runs and inputs are listed by name; beyond it, only their count is given."""


CAPTIONS: Final = {
    "log": "Checks whose input is not in the log",
    "configuration": "Checks with nothing configured to compare with",
    "not-applicable": "Checks that do not apply to these runs",
}
"""Table captions by kind of reason."""


def not_checked_table(analysis: Analysis, runs: Mapping[str, str], places: Places, kind: str) -> Table | None:
    """The skipped rules of one kind of reason, with the affected runs or inputs; None if there are none.

    Rules with the same reason and the same runs share a row.
    """
    by_reason: dict[tuple[str, str], list[tuple[str, str]]] = {}
    of_kind = _group_unchecked(analysis).filter(pl.col("kind").fill_null("log") == kind)
    for row in of_kind.sort("rule", maintain_order=True).iter_rows(named=True):
        where = _where(row["run_id"], row["source"], runs, places)
        if (row["count"] or 0) > max(_MOST_NAMED, len(row["run_id"])):
            where = formatting.plural(row["count"], "run" if row["of_runs"] else "place")
        by_reason.setdefault((words.or_dash(row["reason"]), where), []).append(
            (words.or_dash(row["rule"]), words.or_dash(row["name"]))
        )
    rows = tuple(
        (
            Cell(", ".join(rule for rule, _ in rules), note=", ".join(name for _, name in rules), code=True),
            Cell(reason),
            Cell(where),
        )
        for (reason, where), rules in by_reason.items()
    )
    columns = (Column("Rule"), Column("Reason"), Column("Where"))
    return Table(CAPTIONS[kind], columns, rows) if rows else None


def _group_unchecked(analysis: Analysis) -> pl.DataFrame:
    """Groups the skipped checks by rule, name, reason and kind, with lists of run_id and source.

    If the tables hold only the worst runs, `count` and `of_runs` are for all runs; otherwise they are null.
    """
    keys = ["rule", "name", "reason", "kind"]
    grouped = analysis.not_checked.group_by(keys, maintain_order=True).agg(pl.col("run_id", "source"))
    if analysis.counted is None:
        return grouped.with_columns(pl.lit(None, pl.Int64).alias("count"), pl.lit(None, pl.Boolean).alias("of_runs"))
    nothing = pl.lit([], pl.List(pl.String))
    return analysis.counted.not_checked.join(
        grouped, on=keys, how="left", maintain_order="left", nulls_equal=True
    ).with_columns(pl.col("run_id", "source").fill_null(nothing))


def _where(
    run_ids: Sequence[str | None], sources: Sequence[str | None], runs: Mapping[str, str], places: Places
) -> str:
    """The affected runs or inputs by name, or their number if there are more than three."""
    named = dict.fromkeys(
        runs.get(run or "") or (places(source) if source else "everywhere")
        for run, source in zip(run_ids, sources, strict=True)
    )
    return (
        ", ".join(named)
        if len(named) <= _MOST_NAMED
        else formatting.plural(len(named), "run" if all(run_ids) else "place")
    )


def near_miss_table(analysis: Analysis, places: Places) -> Table | None:
    """The lines that resemble a known message but do not parse, and where parsing stopped; None if there are none."""
    near = analysis.near_misses
    rows = tuple(
        (
            Cell(places(row["source"], row["line"]), code=True),
            Cell(words.or_dash(row["pattern"]), code=True),
            Cell(words.count(row["column"])),
            Cell(words.or_dash(row["expected"])),
            Cell(words.or_dash(row["text"]), code=True),
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
    rest = words.describe_rest(near.height - len(rows), "line")
    return Table("Near misses", columns, rows, rest, words.ALL_ROWS_COMMAND) if rows else None


def mask_table(analysis: Analysis) -> Table | None:
    """The number of masked values and places by kind of mask; None if nothing is masked."""
    known = {kind.name: kind.description for kind in KINDS}
    rows = tuple(
        (
            Cell(words.or_dash(row["kind"]), code=True),
            Cell(known.get(row["kind"], words.DASH)),
            Cell(words.count(row["values"])),
            Cell(words.count(row["places"])),
        )
        for row in analysis.masked.head(MOST_NEAR).iter_rows(named=True)
    )
    columns = (Column("Mask"), Column("Stands for"), Column("Values", number=True), Column("Places", number=True))
    return Table("Masks by kind", columns, rows) if rows else None


def input_table(analysis: Analysis) -> Table | None:
    """One row per input: digest, size, encoding, and how many lines were recognized; None if there are none."""
    rows = tuple(
        (
            Cell(words.or_dash(row["source"]), code=True),
            Cell((row["digest"] or "")[:12] or words.DASH, code=True),
            Cell(words.byte_size(row["bytes"])),
            Cell(words.count(row["lines"])),
            Cell(
                words.or_dash(row["encoding"]),
                note=f"{formatting.plural(row['undecodable'], 'byte')} replaced" if row["undecodable"] else "",
            ),
            Cell(words.count(row["records"])),
            Cell(words.count(row["near"])),
            Cell(words.count(row["unknown"])),
        )
        for row in analysis.sources.head(MOST_INPUTS).iter_rows(named=True)
    )
    columns = (
        Column("Input"),
        Column("SHA-256 (start)"),
        Column("Size", number=True),
        Column("Lines", number=True),
        Column("Encoding"),
        Column("Lines recognized", number=True),
        Column("Near misses", number=True),
        Column("Unknown lines", number=True),
    )
    rest = words.describe_rest(analysis.totals.inputs - len(rows), "input")
    command = words.ALL_ROWS_COMMAND if analysis.totals.inputs <= analysis.sources.height else words.FROM_LOGS_COMMAND
    return Table("All inputs, one row each", columns, rows, rest, command) if rows else None


def parameter_pairs(settings: Settings) -> tuple[Pair, ...]:
    """Every setting with its value. Paths are reduced to file names, because folder names may identify people."""
    return tuple(
        Pair(item.name.replace("_", " "), _setting_text(getattr(settings, item.name))) for item in fields(settings)
    )


def _setting_text(value: object) -> str:
    if value is None or value in ((), [], {}):
        return words.DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Path):
        return words.visible(value.name)
    if isinstance(value, tuple | list):
        return ", ".join(_setting_text(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{words.visible(key)} = {_setting_text(item)}" for key, item in value.items())
    return words.visible(value)


def glossary(settings: Settings) -> tuple[Pair, ...]:
    """The terms of the domain, one sentence each, with the configured numbers."""
    window, motion = settings.window_frames, settings.motion_frames
    stride = words.frames(window - motion, settings.fps)
    return (
        Pair(
            "Window",
            f"A sequence of frames ({window} by default) that is rendered in one pass. Ranges exclude their end: "
            f"[0, {window}) means frames 0–{window - 1}.",
        ),
        Pair(
            "Overlap",
            f"The frames ({motion} by default) that a window shares with the previous one, so that motion continues.",
        ),
        Pair(
            "Stride",
            f"Window minus overlap, {stride} by default: the distance between the starts of two windows. The picture "
            "may degrade at each of these boundaries.",
        ),
        Pair(
            "Padding",
            "Audio frames appended to fill the last window: 3 frames of context, which are harmless, plus the missing "
            "frames.",
        ),
        Pair(
            "Missing",
            "Video frames without audio. Encoded silence drives them, or mirrored speech if no silence file was found.",
        ),
        Pair(
            "Announced",
            "The window count in the sampler's header. It is an estimate made before the loop, and one too high for "
            "every aligned length.",
        ),
        Pair(
            "Peak",
            "The GPU memory peak that the log prints. In newer wrapper revisions it covers only the last VAE decode, "
            "not sampling.",
        ),
    )
