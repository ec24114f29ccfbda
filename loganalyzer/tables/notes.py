"""Writes notes about inputs that do not count: without a note, a skipped input would look like a pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from loganalyzer.common.formatting import one_line

_MAX_NAMED: Final = 5
MIN_KINDS: Final = 6
"""Minimum number of message kinds with near misses for an input to count as unreadable."""
MIN_NEAR_SHARE: Final = 0.25
"""Minimum share of near misses in an input's recognized lines for the same."""


def collect_notes(skipped: Sequence[str], read: Sequence[tuple[str, str]], sources: pl.DataFrame) -> tuple[str, ...]:
    """The notes of an analysis.

    `skipped` has the notes made while inputs were searched, `read` has name and digest of each input in order, and
    `sources` is the table of that name.
    """
    return (*skipped, *_note_duplicates(read), *_note_unrecognized(sources))


def find_duplicates(read: Sequence[tuple[str, str]]) -> list[int | None]:
    """For each (name, digest) the index of the first input with the same digest, or None if it is the first itself."""
    digests: dict[str, int] = {}
    originals = [digests.setdefault(digest, index) for index, (_, digest) in enumerate(read)]
    return [first if first != index else None for index, first in enumerate(originals)]


def _note_duplicates(read: Sequence[tuple[str, str]]) -> Iterator[str]:
    names = [one_line(name) for name, _ in read]
    for name, first in zip(names, find_duplicates(read), strict=True):
        if first is not None:
            yield f"{name}: has the same content as {names[first]}; analyzed once"


def _note_unrecognized(sources: pl.DataFrame) -> Iterator[str]:
    """Notes about inputs without recognized lines; only the first are named."""
    unrecognized = sources.filter(pl.col("records") == 0).select("source", "lines").rows()
    for name, lines in unrecognized[:_MAX_NAMED]:
        yield f"{one_line(name)}: {'no line was recognized' if lines else 'the file is empty'}"
    if len(unrecognized) > _MAX_NAMED:
        yield f"{len(unrecognized) - _MAX_NAMED:,} more inputs have no recognized line"


def find_unreadable(sources: pl.DataFrame, near_misses: pl.DataFrame) -> list[str]:
    """One message per input in which messages of many kinds nearly match, so that a verdict on it would be worthless.

    A message that upstream changed is a near miss of one kind. Many kinds at once have a cause that surrounds every
    line, such as a table's column or markup.
    """
    kinds = near_misses.group_by("source", maintain_order=True).agg(
        pl.col("pattern").n_unique().alias("kinds"), pl.col("line", "text").first()
    )
    share = pl.col("near") / (pl.col("near") + pl.col("records"))
    rows = sources.join(kinds, on="source", maintain_order="left").filter(
        (pl.col("kinds") >= MIN_KINDS) & (share >= MIN_NEAR_SHARE)
    )
    return [
        f"{one_line(name)}:{line}: {near:,} lines of {kinds} kinds nearly match: each has extra text around it"
        "\n  pass the original log, or a copy without the columns, quotation marks or markup around its lines"
        for name, line, near, kinds in rows.select("source", "line", "near", "kinds").rows()
    ]
