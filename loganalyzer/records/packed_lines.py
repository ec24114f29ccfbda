"""Keeps log lines compressed while logs are read, and returns the few that findings cite."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import polars as pl

from loganalyzer.records import evidence
from loganalyzer.tables import schema
from loganalyzer.tables.frames import inner_join
from loganalyzer.tables.spool import Stored

EMPTY_NUMBERS: Final = pl.DataFrame(schema={"number": pl.UInt32, "name": pl.String})
LineRange = tuple[tuple[int, int], tuple[int, int]]
"""The first and the last line of a range, as (number of the input, line)."""


@dataclass(frozen=True)
class PackedLines:
    """Lines as `evidence.pack_evidence` compresses them, and their range."""

    lines: Stored
    line_range: LineRange


@dataclass(frozen=True)
class CitableLines:
    """Log lines that findings may cite; `numbers` has number (as in the packs) and name of each input that counts."""

    packs: tuple[PackedLines, ...] = ()
    numbers: pl.DataFrame = field(default_factory=lambda: EMPTY_NUMBERS)

    def select_cited(self, findings: pl.DataFrame) -> pl.DataFrame:
        """The lines that findings cite, as the table `excerpts`."""
        if findings.is_empty():
            return schema.empty("excerpts")
        places = inner_join(findings, self.numbers.rename({"name": "source"}), ["source"]).select(
            pl.col("number").alias("source"), "line"
        )
        known = places.filter(pl.col("line").is_not_null()).unique().sort("source", "line")
        if known.is_empty():
            return schema.empty("excerpts")
        line_range = (known.row(0), known.row(-1))
        packs = [pack.lines.read() for pack in self.packs if _overlap(pack.line_range, line_range)]
        return name_sources(evidence.unpack_cited(packs, known), self.numbers, "excerpts")


def _overlap(one: LineRange, other: LineRange) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def name_sources(frame: pl.DataFrame, numbers: pl.DataFrame, table: str, *extra: str) -> pl.DataFrame:
    """`frame`, whose `source` is a number, as a table of the contract, without inputs that `numbers` lacks.

    Keeps the columns `extra`, which are not part of the contract.
    """
    if frame.is_empty():
        return schema.empty(table).hstack(frame[:, list(extra)])
    placed = inner_join(frame, numbers.rename({"number": "source"}), ["source"])
    return schema.conform(placed.with_columns(pl.col("name").alias("source")), table).hstack(placed[:, list(extra)])
