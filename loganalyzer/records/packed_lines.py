"""Log lines kept packed while logs are read, and the few of them that findings name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import polars as pl

from loganalyzer.records import evidence
from loganalyzer.tables import schema
from loganalyzer.tables.frames import inner_join
from loganalyzer.tables.spool import Stored

NO_NUMBERS: Final = pl.DataFrame(schema={"number": pl.UInt32, "name": pl.String})
Reach = tuple[tuple[int, int], tuple[int, int]]
"""The first and the last line that something may be of, as (number of the input, line)."""


@dataclass(frozen=True)
class Pack:
    """Lines as `excerpts.kept` packs them, and from where to where they reach."""

    lines: Stored
    reach: Reach


@dataclass(frozen=True)
class Lines:
    """Log lines that findings may cite; `numbers` has number (as in the packs) and name of each input that counts."""

    packs: tuple[Pack, ...] = ()
    numbers: pl.DataFrame = field(default_factory=lambda: NO_NUMBERS)

    def cited(self, findings: pl.DataFrame) -> pl.DataFrame:
        """Of these lines those that findings name, as the table `excerpts`."""
        if findings.is_empty():
            return schema.empty("excerpts")
        places = inner_join(findings, self.numbers.rename({"name": "source"}), ["source"]).select(
            pl.col("number").alias("source"), "line"
        )
        known = places.filter(pl.col("line").is_not_null()).unique().sort("source", "line")
        if known.is_empty():
            return schema.empty("excerpts")
        reach = (known.row(0), known.row(-1))
        packs = [pack.lines.read() for pack in self.packs if _meet(pack.reach, reach)]
        return named(evidence.cited(packs, known), self.numbers, "excerpts")


def _meet(one: Reach, other: Reach) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def named(frame: pl.DataFrame, numbers: pl.DataFrame, table: str, *more: str) -> pl.DataFrame:
    """`frame`, whose `source` is a number, as a table of the contract, without the inputs that `numbers` leaves out.

    It keeps the columns `more`, which are not of the contract.
    """
    if frame.is_empty():
        return schema.empty(table).hstack(frame[:, list(more)])
    placed = inner_join(frame, numbers.rename({"number": "source"}), ["source"])
    return schema.conform(placed.with_columns(pl.col("name").alias("source")), table).hstack(placed[:, list(more)])
