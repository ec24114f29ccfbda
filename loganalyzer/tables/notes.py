"""What of the inputs counts for nothing, and a note that says so: silence beside other inputs is no pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from loganalyzer.common.formatting import one_line

_MOST_NAMED: Final = 5
MOST_KINDS: Final = 6
"""Kinds of messages with near misses from which on an input is not readable."""
LARGEST_SHARE: Final = 0.25
"""Share of an input's recognized lines that are near misses, from which on the same is true."""


def notes(passed_over: Sequence[str], read: Sequence[tuple[str, str]], sources: pl.DataFrame) -> tuple[str, ...]:
    """The notes of an analysis.

    `passed_over` are those made where inputs were looked for, `read` has name and digest of each input in order, and
    `sources` is the table of that name.
    """
    return (*passed_over, *_twins(read), *_unrecognised(sources))


def twins_of(read: Sequence[tuple[str, str]]) -> list[int | None]:
    """For each (name, digest) the place of the first with the same digest, where that is another: that one counts."""
    digests: dict[str, int] = {}
    firsts = [digests.setdefault(digest, place) for place, (_, digest) in enumerate(read)]
    return [first if first != place else None for place, first in enumerate(firsts)]


def _twins(read: Sequence[tuple[str, str]]) -> Iterator[str]:
    names = [one_line(name) for name, _ in read]
    for name, first in zip(names, twins_of(read), strict=True):
        if first is not None:
            yield f"{name}: has the same content as {names[first]}, which is analysed once"


def _unrecognised(sources: pl.DataFrame) -> Iterator[str]:
    """Inputs that say nothing, of which the first are named."""
    silent = sources.filter(pl.col("records") == 0).select("source", "lines").rows()
    for name, lines in silent[:_MOST_NAMED]:
        yield f"{one_line(name)}: {'no line is recognized' if lines else 'is empty'}"
    if len(silent) > _MOST_NAMED:
        yield f"{len(silent) - _MOST_NAMED} more inputs have no recognized line"


def unreadable(sources: pl.DataFrame, near_misses: pl.DataFrame) -> list[str]:
    """One message for each input in which messages of many kinds almost read, so that a verdict on it is worth nothing.

    A message that upstream changed is a near miss of one kind. Many kinds at once come from something that stands
    around every line, such as a column of a table or a mark-up.
    """
    kinds = near_misses.group_by("source", maintain_order=True).agg(
        pl.col("pattern").n_unique().alias("kinds"), pl.col("line", "text").first()
    )
    share = pl.col("near") / (pl.col("near") + pl.col("records"))
    rows = sources.join(kinds, on="source", maintain_order="left").filter(
        (pl.col("kinds") >= MOST_KINDS) & (share >= LARGEST_SHARE)
    )
    return [
        f"{one_line(name)}:{line}: {near:,} lines of {kinds} kinds almost read: something foreign stands around them"
        "\n  give the log itself, or a copy without the columns, quotation marks or mark-up around its lines"
        for name, line, near, kinds in rows.select("source", "line", "near", "kinds").rows()
    ]
