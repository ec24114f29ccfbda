"""What batches say, put together input by input, and turned into tables as soon as inputs are whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from loganalyzer import tables
from loganalyzer.excerpts import NO_MESSAGES
from loganalyzer.pieces import Source
from loganalyzer.records import MOST_NEAR, NO_COUNTS, NO_NEAR, Grammars, Records, explain
from loganalyzer.runs.assemble import REBUILT, rebuild
from loganalyzer.settings import Settings

Events = Mapping[str, pl.DataFrame]

NO_NUMBERS: Final = pl.DataFrame(schema={"number": pl.UInt32, "name": pl.String})
MOST_RECORDS: Final = 1 << 20
"""Records of whole inputs become tables once there are so many, so that memory stays bounded."""
EXPLAINED: Final = 20
"""Near misses of one pattern in one input whose place of failure is worked out; further ones keep their pattern."""


@dataclass(frozen=True)
class Tables:
    """What inputs say, before any check. It can be pickled.

    Attributes:
        frames: the tables of the contract that come from logs, by name; `runs` without quantisation.
        bars: packs as `excerpts.kept` makes them.
        numbers: number (as it stands in `bars`) and name of each input.
        problems, notes: as in `Analysis`.
    """

    frames: Mapping[str, pl.DataFrame]
    bars: tuple[bytes, ...] = ()
    numbers: pl.DataFrame = field(default_factory=lambda: NO_NUMBERS)
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Extracted:
    """What a batch says, and the inputs that are whole with it."""

    records: Records
    messages: pl.DataFrame
    bars: bytes
    ended: Sequence[Source]


@dataclass
class Collection:
    """Everything read so far."""

    grammars: Grammars
    settings: Settings
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _waiting: list[Events] = field(default_factory=list)
    _rows: int = 0
    _ended: list[Source] = field(default_factory=list)
    _digests: dict[str, str] = field(default_factory=dict)
    _sources: list[Source] = field(default_factory=list)
    _twins: list[int] = field(default_factory=list)
    _parts: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    _bars: list[bytes] = field(default_factory=list)

    def add(self, batch: Extracted) -> None:
        """The next batch, in the inputs' order."""
        self._waiting.append(batch.records.events)
        self._rows += sum(frame.height for frame in batch.records.events.values())
        self._bars.append(batch.bars)
        for name, frame in (("counts", batch.records.counts), ("near", batch.records.near), ("text", batch.messages)):
            self._parts.setdefault(name, []).append(frame)
        for source in batch.ended:
            self._end(source)
        if self._rows > MOST_RECORDS and self._ended:
            self._rebuild(final=False)

    def finished(self) -> Tables:
        """All tables."""
        self._rebuild(final=True)
        tabled = {name: self._joined(name, tables.empty(name)) for name in REBUILT}
        return Tables(
            tabled
            | {
                "sources": self._described(),
                "near_misses": self._near(),
                "excerpts": self._named(self._joined("text", NO_MESSAGES), "excerpts"),
            },
            tuple(self._bars),
            self._numbers(),
            tuple(self.problems),
            tuple(self.notes),
        )

    def _end(self, source: Source) -> None:
        """The same content under a second name would give every run twice."""
        if source.problem:
            self.problems.append(str(source.problem))
            if not source.lines:
                return
        first = self._digests.setdefault(source.digest, source.name)
        if first == source.name:
            self._ended.append(source)
            self._sources.append(source)
        else:
            self._twins.append(source.number)
            self.notes.append(f"{source.name}: has the same content as {first}, which is analysed once")

    def _rebuild(self, *, final: bool) -> None:
        """Tables of the inputs that are whole; the records of those that go on wait."""
        if not self._ended:
            return
        ended = pl.DataFrame(
            [(source.number, source.name, source.digest) for source in self._ended],
            schema={"number": pl.UInt32, "source": pl.String, "digest": pl.String},
            orient="row",
        )
        waiting = _concatenated(self._waiting)
        rest = {} if final else _of(waiting, [*ended["number"], *self._twins], those=False)
        whole = waiting if final and not self._twins else _of(waiting, ended["number"])
        rebuilt = rebuild(whole, ended, [item.pattern for item in self.grammars.compiled], self.settings)
        for name in REBUILT:
            self._parts.setdefault(name, []).append(getattr(rebuilt, name))
        self._waiting, self._rows = [rest], sum(frame.height for frame in rest.values())
        self._ended = []

    def _joined(self, name: str, without: pl.DataFrame) -> pl.DataFrame:
        parts = [part for part in self._parts.pop(name, []) if not part.is_empty()]
        return pl.concat(parts) if parts else without

    def _described(self) -> pl.DataFrame:
        """The inputs, each once, with the lines recognised and the others."""
        counts = self._joined("counts", NO_COUNTS).group_by("source").agg(pl.col("records", "near").sum())
        sources = pl.DataFrame(
            [(s.number, s.name, s.digest, s.size, s.lines, s.encoding, s.undecodable) for s in self._sources],
            schema={
                "number": pl.UInt32, "source": pl.String, "digest": pl.String, "bytes": pl.Int64, "lines": pl.Int64,
                "encoding": pl.String, "undecodable": pl.Int64,
            },
            orient="row",
        )  # fmt: skip
        counted = sources.join(counts, left_on="number", right_on="source", how="left", maintain_order="left")
        return tables.conform(counted.with_columns(pl.col("records", "near").fill_null(0)), "sources")

    def _near(self) -> pl.DataFrame:
        """The first near misses of each input, in order, the first of each pattern explained."""
        near = self._joined("near", NO_NEAR).sort("source", "line", maintain_order=True)
        near = near.group_by("source", maintain_order=True).head(MOST_NEAR)
        place = pl.int_range(pl.len()).over("source", "pattern")
        explained = explain(near.filter(place < EXPLAINED), self.grammars)
        rest = near.filter(place >= EXPLAINED)
        return self._named(pl.concat([explained, rest], how="diagonal").sort("source", "line"), "near_misses")

    def _named(self, frame: pl.DataFrame, table: str) -> pl.DataFrame:
        """`frame`, whose `source` is a number, with the inputs' names in its place, without inputs left out."""
        return named(frame, self._numbers(), table)

    def _numbers(self) -> pl.DataFrame:
        rows = [(source.number, source.name) for source in self._sources]
        return pl.DataFrame(rows, schema=NO_NUMBERS.schema, orient="row")


def named(frame: pl.DataFrame, numbers: pl.DataFrame, table: str) -> pl.DataFrame:
    """`frame`, whose `source` is a number, as a table of the contract, without the inputs that `numbers` leaves out."""
    placed = frame.join(numbers, left_on="source", right_on="number", how="inner", maintain_order="left")
    return tables.conform(placed.with_columns(pl.col("name").alias("source")), table)


def _concatenated(batches: Sequence[Events]) -> Events:
    """The records of all batches, event by event."""
    if len(batches) == 1:
        return batches[0]
    frames: dict[str, list[pl.DataFrame]] = {}
    for batch in batches:
        for event, frame in batch.items():
            frames.setdefault(event, []).append(frame)
    return {event: pl.concat(parts, how="diagonal_relaxed") for event, parts in frames.items()}


def _of(events: Events, sources: Iterable[int], *, those: bool = True) -> Events:
    """The records of these inputs, or of all others."""
    numbers = list(sources)
    own = pl.col("source").is_in(numbers)
    return {event: frame.filter(own if those else ~own) for event, frame in events.items()}
