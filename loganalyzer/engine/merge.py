"""Merges tables that were built separately into what one call for all inputs would return."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from loganalyzer.engine.collector import Tables
from loganalyzer.tables.notes import find_duplicates

_OWNERS: Final = {"run_id": "runs", "prompt_id": "prompts"}
"""The table that names the input, for rows that name only their run or their prompt."""


def merge_tables(parts: Sequence[Tables]) -> Tables:
    """The tables of all parts (at least one), given in the order of their inputs.

    Of inputs with equal content, in one part or several, only the first counts.
    """
    read = tuple(item for part in parts for item in part.read)
    originals = find_duplicates(read)
    kept, offset = [], 0
    for part in parts:
        kept.append(
            _drop_inputs(part, _find_duplicate_names(part, originals[offset : offset + len(part.read)], offset))
        )
        offset += len(part.read)
    return Tables(
        frames={name: pl.concat([part.frames[name] for part in kept]) for name in kept[0].frames},
        lines=tuple(lines for part in kept for lines in part.lines),
        read=read,
        problems=tuple(problem for part in kept for problem in part.problems),
        secrets=tuple(secret for part in kept for secret in part.secrets),
        skipped=tuple(note for part in kept for note in part.skipped),
    )


def _find_duplicate_names(part: Tables, originals: Sequence[int | None], offset: int) -> frozenset[str]:
    """Inputs whose content an earlier part contains. Duplicates within a part were dropped when it was built."""
    names = zip(part.read, originals, strict=True)
    return frozenset(name for (name, _), first in names if first is not None and first < offset)


def _drop_inputs(part: Tables, names: Collection[str]) -> Tables:
    """`part` without the rows of these inputs."""
    if not names:
        return part
    dropped_names = pl.Series(sorted(names), dtype=pl.String).implode()
    dropped_ids = {
        key: part.frames[table].filter(pl.col("source").is_in(dropped_names))[key].implode()
        for key, table in _OWNERS.items()
    }

    def keep_rest(frame: pl.DataFrame) -> pl.DataFrame:
        if "source" in frame.columns:
            return frame.filter(~pl.col("source").is_in(dropped_names).fill_null(value=False))
        key = next(name for name in _OWNERS if name in frame.columns)
        return frame.filter(~pl.col(key).is_in(dropped_ids[key]).fill_null(value=False))

    return replace(
        part,
        frames={name: keep_rest(frame) for name, frame in part.frames.items()},
        lines=tuple(
            replace(lines, numbers=lines.numbers.filter(~pl.col("name").is_in(dropped_names))) for lines in part.lines
        ),
    )
