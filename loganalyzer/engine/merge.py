"""Tables made apart put together: what one call would have made of all their inputs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from loganalyzer.engine.collector import Tables
from loganalyzer.tables.notes import twins_of

_OWNERS: Final = {"run_id": "runs", "prompt_id": "prompts"}
"""Where the input stands of rows that only name their run, or their prompt."""


def merged(parts: Sequence[Tables]) -> Tables:
    """The tables of all parts, which are in the order of their inputs; at least one.

    The same content under a second name, here or in another part, is left out wherever it stands: the first counts.
    """
    read = tuple(item for part in parts for item in part.read)
    firsts = twins_of(read)
    kept, behind = [], 0
    for part in parts:
        kept.append(_without(part, _names_of_twins(part, firsts[behind : behind + len(part.read)], behind)))
        behind += len(part.read)
    return Tables(
        frames={name: pl.concat([part.frames[name] for part in kept]) for name in kept[0].frames},
        lines=tuple(lines for part in kept for lines in part.lines),
        read=read,
        problems=tuple(problem for part in kept for problem in part.problems),
        secrets=tuple(secret for part in kept for secret in part.secrets),
        passed_over=tuple(note for part in kept for note in part.passed_over),
    )


def _names_of_twins(part: Tables, firsts: Sequence[int | None], behind: int) -> frozenset[str]:
    """The inputs whose content stands in a part before; a part leaves out its own twins by itself."""
    names = zip(part.read, firsts, strict=True)
    return frozenset(name for (name, _), first in names if first is not None and first < behind)


def _without(part: Tables, names: Collection[str]) -> Tables:
    """`part` without the rows of these inputs."""
    if not names:
        return part
    theirs = pl.Series(sorted(names), dtype=pl.String).implode()
    gone = {
        key: part.frames[table].filter(pl.col("source").is_in(theirs))[key].implode() for key, table in _OWNERS.items()
    }

    def others(frame: pl.DataFrame) -> pl.DataFrame:
        if "source" in frame.columns:
            return frame.filter(~pl.col("source").is_in(theirs).fill_null(value=False))
        key = next(name for name in _OWNERS if name in frame.columns)
        return frame.filter(~pl.col(key).is_in(gone[key]).fill_null(value=False))

    return replace(
        part,
        frames={name: others(frame) for name, frame in part.frames.items()},
        lines=tuple(
            replace(lines, numbers=lines.numbers.filter(~pl.col("name").is_in(theirs))) for lines in part.lines
        ),
    )
