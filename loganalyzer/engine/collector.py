"""What batches say, put together input by input, and turned into tables as soon as inputs are whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

import polars as pl

from loganalyzer.common.errors import PassedOverError, SourceError
from loganalyzer.common.formatting import one_line
from loganalyzer.engine.incremental import MOST_WAITING, Rebuilding
from loganalyzer.grammar.compiled import Grammars
from loganalyzer.records.evidence import NO_FAILURES, OUTSIDE_PROMPTS
from loganalyzer.records.extraction import MOST_NEAR, NO_COUNTS, NO_NEAR, Records, explain
from loganalyzer.records.packed_lines import NO_NUMBERS, Lines, Pack, Reach, named
from loganalyzer.settings.model import Settings
from loganalyzer.sources.chunks import Source
from loganalyzer.tables import notes as source_notes
from loganalyzer.tables import schema
from loganalyzer.tables.frames import group_agg, left_join
from loganalyzer.tables.spool import Spool, Stored

EXPLAINED: Final = 20
"""Near misses of one pattern in one input whose place of failure is worked out; further ones keep their pattern."""


@dataclass(frozen=True, eq=False)
class Tables:
    """What inputs say, before any check. It can be pickled.

    Attributes:
        frames: the tables of the contract that come from logs, by name; `runs` without quantization, `memory` with the
            input of each report as `source`, `excerpts` with the output of each line as `stream`.
        lines: log lines that findings may cite; those of each call of `tabulate` have their own numbers.
        read: name and digest of each input that was read, in order, with those left out.
        problems: as in `Analysis`.
        secrets: one text per input, which only who has the input can tell: what masks are made with.
        passed_over: what was not read, on purpose.
    """

    frames: Mapping[str, pl.DataFrame]
    lines: tuple[Lines, ...] = ()
    read: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """As in `Analysis`: what was left out, and why."""
        return source_notes.notes(self.passed_over, self.read, self.frames["sources"])


@dataclass(frozen=True, eq=False)
class Volumes:
    """The tables of inputs of any size, volume by volume.

    Attributes:
        whole: everything, where it has room in memory; then there are no volumes.
        parts: the volumes. They share no prompt; the first has all there is to say of inputs and near misses.
        sources: the table of that name.
        lines, read, problems, secrets, passed_over: as in `Tables`, of all volumes; these have none but the lines.
    """

    whole: Tables | None
    parts: Iterator[Tables] = iter(())
    sources: pl.DataFrame = field(default_factory=lambda: schema.empty("sources"))
    lines: Lines = field(default_factory=Lines)
    read: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """As in `Tables`."""
        return source_notes.notes(self.passed_over, self.read, self.sources)


@dataclass(frozen=True, eq=False)
class Extracted:
    """What a batch says, from where to where it reaches, and the inputs that end with it, or could not be opened."""

    records: Records
    failures: pl.DataFrame
    lines: tuple[bytes, ...]
    reach: Reach | None
    ended: Sequence[Source | SourceError]


class Collection:
    """Everything read so far; with a `spool` in bounded memory."""

    def __init__(self, grammars: Grammars, settings: Settings, spool: Spool | None = None) -> None:
        self.grammars = grammars
        self._problems: list[str] = []
        self._passed_over: list[str] = []
        self._rebuilding = Rebuilding([item.pattern for item in grammars.compiled], settings, spool)
        self._spool = spool
        self._digests: dict[str, int] = {}
        self._read: list[tuple[str, str]] = []
        self._secrets: list[str] = []
        self._sources: list[Source] = []
        self._parts: dict[str, list[pl.DataFrame]] = {}
        self._packs: list[Pack] = []
        self._near_kept: Counter[int] = Counter()

    def add(self, batch: Extracted) -> None:
        """The next batch, in the inputs' order.

        Tables are made of those before: so the last is left for the end, when two threads have time for tables.
        """
        self._rebuilding.advance()
        self._rebuilding.add(dict(batch.records.events))
        if batch.reach is not None:
            self._packs += [Pack(self._stored(lines), batch.reach) for lines in batch.lines]
        near = self._first_near(batch.records.near)
        text = batch.failures
        if self._rebuilding.cut:
            text = text.filter(~pl.col("source").is_in(list(self._rebuilding.cut)))
        for name, frame in (("counts", batch.records.counts), ("near", near), ("text", text)):
            self._parts.setdefault(name, []).append(frame)
        for source in batch.ended:
            self._end(source)

    def finished(self) -> Tables:
        """All tables."""
        (rebuilt,) = self._rebuilding.finished()
        return self._tables(rebuilt)

    def _tables(self, rebuilt: Mapping[str, pl.DataFrame]) -> Tables:
        frames = self._whole(rebuilt, self._joined("text", NO_FAILURES)) | self._about()
        return Tables(
            frames,
            (self._all_lines(),),
            tuple(self._read),
            tuple(self._problems),
            tuple(self._secrets),
            tuple(self._passed_over),
        )

    def volumes(self) -> Volumes:
        """The same, volume by volume where it has no room in memory."""
        rebuilt = self._rebuilding.finished()
        first = next(rebuilt)
        if not self._rebuilding.is_spooled:
            return Volumes(self._tables(first))
        about = self._about()
        return Volumes(
            None,
            self._parts_of(chain([first], rebuilt), about),
            about["sources"],
            self._all_lines(),
            tuple(self._read),
            tuple(self._problems),
            tuple(self._secrets),
            tuple(self._passed_over),
        )

    def _about(self) -> dict[str, pl.DataFrame]:
        about = {"sources": self._described(), "near_misses": self._near()}
        self._problems += source_notes.unreadable(about["sources"], about["near_misses"])
        return about

    def _parts_of(
        self, volumes: Iterable[Mapping[str, pl.DataFrame]], about: dict[str, pl.DataFrame]
    ) -> Iterator[Tables]:
        text = self._joined("text", NO_FAILURES)
        is_outside = pl.col("event").is_in(OUTSIDE_PROMPTS)
        outside, inside = text.filter(is_outside), text.filter(~is_outside)
        for rebuilt in volumes:
            own = pl.concat([outside, _within(inside, rebuilt["prompts"], self._numbers())])
            yield Tables(self._whole(rebuilt, own) | about, (self._all_lines(),))
            outside = outside.clear()
            about = {name: schema.empty(name) for name in about}

    def _whole(self, rebuilt: Mapping[str, pl.DataFrame], text: pl.DataFrame) -> dict[str, pl.DataFrame]:
        return {
            **rebuilt,
            "memory": _reports_in_order(rebuilt["memory"], self._numbers()),
            "excerpts": named(
                text.sort("source", "line", "event", maintain_order=True), self._numbers(), "excerpts", "stream"
            ),
        }

    def _all_lines(self) -> Lines:
        return Lines(tuple(self._packs), self._numbers())

    def _stored(self, lines: bytes) -> Stored:
        return Stored(lines) if self._spool is None else self._spool.keep(lines)

    def _first_near(self, near: pl.DataFrame) -> pl.DataFrame:
        """Of each input's near misses no more than are shown are held."""
        if near.is_empty():
            return near
        before = pl.col("source").replace_strict(
            pl.Series(list(self._near_kept), dtype=pl.UInt32),
            pl.Series(list(self._near_kept.values()), dtype=pl.Int64),
            default=0,
            return_dtype=pl.Int64,
        )
        kept = near.filter(pl.int_range(pl.len()).over("source") + before < MOST_NEAR)
        self._near_kept.update(dict(kept["source"].value_counts().rows()))
        return kept

    def _end(self, source: Source | SourceError) -> None:
        """The same content a second time, whatever its name, would give every run twice."""
        if isinstance(source, SourceError):
            (self._passed_over if isinstance(source, PassedOverError) else self._problems).append(str(source))
            return
        if source.problem:
            self._problems.append(str(source.problem))
            if not source.lines:
                return
        if source.number in self._rebuilding.cut:
            self._problems.append(str(_unending(source, self._rebuilding.cut[source.number])))
        if source.form:
            self._passed_over.append(source.form)
        self._read.append((source.name, source.digest))
        self._secrets.append(source.secret)
        is_twin = self._digests.setdefault(source.digest, source.number) != source.number
        self._rebuilding.end(source, left_out=is_twin)
        if not is_twin:
            self._sources.append(source)

    def _joined(self, name: str, without: pl.DataFrame) -> pl.DataFrame:
        parts = [part for part in self._parts.pop(name, []) if not part.is_empty()]
        return pl.concat(parts) if parts else without

    def _described(self) -> pl.DataFrame:
        """The inputs, each once, with how many of their lines were recognised, nearly so, and not at all."""
        sums = [pl.col(name).sum() for name in ("records", "near", "known")]
        counts = group_agg(self._joined("counts", NO_COUNTS), ["source"], *sums).rename({"source": "number"})
        sources = pl.DataFrame(
            [(s.number, s.name, s.digest, s.size, s.lines, s.encoding, s.undecodable) for s in self._sources],
            schema={
                "number": pl.UInt32, "source": pl.String, "digest": pl.String, "bytes": pl.Int64, "lines": pl.Int64,
                "encoding": pl.String, "undecodable": pl.Int64,
            },
            orient="row",
        )  # fmt: skip
        filled = left_join(sources, counts, ["number"]).with_columns(pl.col("records", "near", "known").fill_null(0))
        return schema.conform(filled.with_columns((pl.col("lines") - pl.col("known")).alias("unknown")), "sources")

    def _near(self) -> pl.DataFrame:
        """The first near misses of each input, in order, the first of each pattern explained."""
        near = self._joined("near", NO_NEAR)
        if near.is_empty():
            return schema.empty("near_misses")
        near = near.sort("source", "line", maintain_order=True)
        near = near.group_by("source", maintain_order=True).head(MOST_NEAR)
        place = pl.int_range(pl.len()).over("source", "pattern")
        explained = explain(near.filter(place < EXPLAINED), self.grammars)
        rest = near.filter(place >= EXPLAINED)
        ordered = pl.concat([explained, rest], how="diagonal").sort("source", "line", maintain_order=True)
        return self._named(ordered, "near_misses")

    def _named(self, frame: pl.DataFrame, table: str) -> pl.DataFrame:
        """`frame`, whose `source` is a number, with the inputs' names in its place, without inputs left out."""
        return named(frame, self._numbers(), table)

    def _numbers(self) -> pl.DataFrame:
        rows = [(source.number, source.name) for source in self._sources]
        return pl.DataFrame(rows, schema=NO_NUMBERS.schema, orient="row")


def _unending(source: Source, line: int) -> SourceError:
    return SourceError(
        f"{one_line(source.name)}:{line}: {MOST_WAITING:,} messages without a prompt's end; no more is checked",
        "a log has `Prompt executed` behind each prompt: give it whole, or in parts of some 100 MB",
    )


def _within(text: pl.DataFrame, prompts: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """The lines (source is a number) that stand where these prompts do, each in its own output."""
    output = ["source", "stream"]
    reach = (
        prompts.join(numbers, left_on="source", right_on="name")
        .group_by(pl.col("number").alias("source"), "stream")
        .agg(pl.col("line").min().alias("first"), pl.col("end_line").max().alias("last"))
    )
    inside = pl.col("line").is_between("first", "last")
    own = text.join(reach, on=output, nulls_equal=True, maintain_order="left").filter(inside)
    return own.drop("first", "last")


def _reports_in_order(memory: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """By input; reports outside of every run behind the others. An order that no grouping of inputs changes."""
    if "source" not in memory.columns:
        return memory.with_columns(pl.lit(None, pl.String).alias("source"))
    if numbers.height == 1 and not memory["run_id"].has_nulls():
        return memory
    outside = pl.col("run_id").is_null()
    return (
        memory.join(numbers.unique("name"), left_on="source", right_on="name", how="left", maintain_order="left")
        .sort("number", outside, pl.when(outside).then("line"), maintain_order=True)
        .drop("number")
    )
