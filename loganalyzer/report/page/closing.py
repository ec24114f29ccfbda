"""The end of the page: what was not checked, what almost parsed, the inputs, the parameters, the words used."""

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
UNMASKED: Final = {
    True: "No token, address or name of a person was found in what this page shows.",
    False: "Nothing: masking was switched off (--no-redact).",
}
_BY_NAME: Final = 3
"""Up to so many runs or inputs are named; more are counted."""


CAPTIONS: Final = {
    "log": "Not checked: not in the log",
    "configuration": "Not checked: not configured",
    "not-applicable": "Not applicable",
}
"""Of each kind of reason."""


def not_checked(analysis: Analysis, runs: Mapping[str, str], places: Places, kind: str) -> Table | None:
    """Rules and reason of one kind, with the runs or inputs concerned; rules alike in both share a row."""
    alike: dict[tuple[str, str], list[tuple[str, str]]] = {}
    own = _grouped(analysis).filter(pl.col("kind").fill_null("log") == kind)
    for row in own.sort("rule", maintain_order=True).iter_rows(named=True):
        where = _concerned(row["run_id"], row["source"], runs, places)
        if (row["count"] or 0) > max(_BY_NAME, len(row["run_id"])):
            where = formatting.plural(row["count"], "run" if row["of_runs"] else "place")
        alike.setdefault((words.told(row["reason"]), where), []).append(
            (words.told(row["rule"]), words.told(row["name"]))
        )
    rows = tuple(
        (
            Cell(", ".join(rule for rule, _ in rules), note=", ".join(name for _, name in rules), code=True),
            Cell(reason),
            Cell(where),
        )
        for (reason, where), rules in alike.items()
    )
    columns = (Column("Rule"), Column("Reason"), Column("Where"))
    return Table(CAPTIONS[kind], columns, rows) if rows else None


def _grouped(analysis: Analysis) -> pl.DataFrame:
    """rule, name, reason, kind, run_id and source (lists); where only a part is held, count and of_runs of all."""
    keys = ["rule", "name", "reason", "kind"]
    held = analysis.not_checked.group_by(keys, maintain_order=True).agg(pl.col("run_id", "source"))
    if analysis.counted is None:
        return held.with_columns(pl.lit(None, pl.Int64).alias("count"), pl.lit(None, pl.Boolean).alias("of_runs"))
    nothing = pl.lit([], pl.List(pl.String))
    return analysis.counted.not_checked.join(
        held, on=keys, how="left", maintain_order="left", nulls_equal=True
    ).with_columns(pl.col("run_id", "source").fill_null(nothing))


def _concerned(
    run_ids: Sequence[str | None], sources: Sequence[str | None], runs: Mapping[str, str], places: Places
) -> str:
    """The places by name while they are few, else how many."""
    named = dict.fromkeys(
        runs.get(run or "") or (places(source) if source else "everywhere")
        for run, source in zip(run_ids, sources, strict=True)
    )
    return (
        ", ".join(named)
        if len(named) <= _BY_NAME
        else formatting.plural(len(named), "run" if all(run_ids) else "place")
    )


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
    rest = words.left_out(near.height - len(rows), "line")
    return Table("Lines that almost parse", columns, rows, rest, words.ALL) if rows else None


def masked(analysis: Analysis) -> Table | None:
    """How many secrets and names stand as masks."""
    known = {kind.name: kind.description for kind in KINDS}
    rows = tuple(
        (
            Cell(words.told(row["kind"]), code=True),
            Cell(known.get(row["kind"], words.NOTHING)),
            Cell(words.count(row["values"])),
            Cell(words.count(row["places"])),
        )
        for row in analysis.masked.head(MOST_NEAR).iter_rows(named=True)
    )
    columns = (Column("Mask"), Column("Stands for"), Column("Values", number=True), Column("Places", number=True))
    return Table("Masks by kind", columns, rows) if rows else None


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
        Column("SHA-256, begins"),
        Column("Size", number=True),
        Column("Lines", number=True),
        Column("Encoding"),
        Column("Lines recognized", number=True),
        Column("Near misses", number=True),
        Column("Unknown lines", number=True),
    )
    rest = words.left_out(analysis.totals.inputs - len(rows), "input")
    command = words.ALL if analysis.totals.inputs <= analysis.sources.height else words.FROM_LOGS
    return Table("What was read", columns, rows, rest, command) if rows else None


def parameters(settings: Settings) -> tuple[Pair, ...]:
    """Every setting with its value; of files the name only, for folders may name people."""
    return tuple(Pair(item.name.replace("_", " "), _value(getattr(settings, item.name))) for item in fields(settings))


def _value(value: object) -> str:
    if value is None or value in ((), [], {}):
        return words.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Path):
        return words.visible(value.name)
    if isinstance(value, tuple | list):
        return ", ".join(_value(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{words.visible(key)} = {_value(item)}" for key, item in value.items())
    return words.visible(value)


def legend(settings: Settings) -> tuple[Pair, ...]:
    """The domain's words, one sentence each, with the configured figures."""
    window, motion = settings.window_frames, settings.motion_frames
    stride = words.frames(window - motion, settings.fps)
    return (
        Pair(
            "Window",
            f"A range of frames ({window} by default) that is rendered at once. Ranges exclude their end: "
            f"[0, {window}) is frames 0–{window - 1}.",
        ),
        Pair(
            "Overlap",
            f"The frames ({motion} by default) that a window shares with the previous one, so that motion continues.",
        ),
        Pair(
            "Stride",
            f"Window minus overlap, {stride} by default: the distance between window starts. The picture may degrade "
            "at each of them.",
        ),
        Pair(
            "Padding",
            "Frames appended to the audio for the last window: 3 frames of context, which are harmless, and the "
            "missing frames.",
        ),
        Pair(
            "Missing",
            "Frames of the video that no audio drives: they follow encoded silence, or mirrored speech where no "
            "silence file was found.",
        ),
        Pair(
            "Announced",
            "The header's window count, an estimate made before the loop; it is one too many for every aligned length.",
        ),
        Pair(
            "Peak",
            "GPU memory as the log prints it. In newer wrapper versions it covers the last VAE decode only, not "
            "sampling.",
        ),
    )
