"""Collects what batches contain, input by input, and builds tables as soon as inputs are complete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

import polars as pl

from loganalyzer.common.errors import SkippedError, SourceError
from loganalyzer.common.formatting import one_line
from loganalyzer.engine.incremental import MAX_RECORDS, IncrementalBuilder
from loganalyzer.grammar.compiled import Grammars
from loganalyzer.records.evidence import EMPTY_FAILURES, OUTSIDE_PROMPTS
from loganalyzer.records.extraction import (
    EMPTY_COUNTS,
    EMPTY_NEAR_MISSES,
    MAX_NEAR_MISSES,
    Records,
)
from loganalyzer.records.near_misses import explain_near_misses
from loganalyzer.records.packed_lines import EMPTY_NUMBERS, CitableLines, LineRange, PackedLines, name_sources
from loganalyzer.settings.model import Settings
from loganalyzer.sources.chunks import Source
from loganalyzer.tables import notes as source_notes
from loganalyzer.tables import schema
from loganalyzer.tables.frames import group_agg, left_join
from loganalyzer.tables.spool import Spool, Stored

MAX_EXPLAINED: Final = 20
"""Near misses of one pattern in one input whose column of failure is determined; further ones name only the pattern."""


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables of inputs before any check. They can be pickled.

    Attributes:
        frames: the tables of the contract that come from logs, by name. `runs` has no quantization yet, `memory` has
            the input of each report as `source`, `excerpts` has the output of each line as `stream`.
        lines: log lines that findings may cite. Each call of `tabulate` numbers its inputs anew.
        read: name and digest of each input that was read, in order, including duplicates.
        problems: as in `Analysis`.
        secrets: one text per input that only owners of the input can compute; it seeds the masks.
        skipped: notes about what was skipped on purpose.
    """

    frames: Mapping[str, pl.DataFrame]
    lines: tuple[CitableLines, ...] = ()
    read: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """As in `Analysis`: what was skipped and why."""
        return source_notes.collect_notes(self.skipped, self.read, self.frames["sources"])


@dataclass(frozen=True, eq=False)
class Volumes:
    """The tables of inputs of any size, in volumes.

    Attributes:
        single: all tables, if they fit into memory; then there are no volumes.
        parts: the volumes. No prompt spans two of them. The first holds all tables about inputs and near misses.
        sources: the table `sources`.
        lines, read, problems, secrets, skipped: as in `Tables`, for all volumes. Each volume itself has only lines.
    """

    single: Tables | None
    parts: Iterator[Tables] = iter(())
    sources: pl.DataFrame = field(default_factory=lambda: schema.empty("sources"))
    lines: CitableLines = field(default_factory=CitableLines)
    read: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """As in `Tables`."""
        return source_notes.collect_notes(self.skipped, self.read, self.sources)


@dataclass(frozen=True, eq=False)
class Extracted:
    """The content of a batch, the range of its lines, and the inputs that end with it or could not be opened."""

    records: Records
    failures: pl.DataFrame
    lines: tuple[bytes, ...]
    line_range: LineRange | None
    ended: Sequence[Source | SourceError]


class Collector:
    """Collects batches and builds tables; with a `spool` in bounded memory."""

    def __init__(self, grammars: Grammars, settings: Settings, spool: Spool | None = None) -> None:
        self.grammars = grammars
        self._problems: list[str] = []
        self._skipped: list[str] = []
        self._builder = IncrementalBuilder([item.pattern for item in grammars.compiled], settings, spool)
        self._spool = spool
        self._digests: dict[str, int] = {}
        self._read: list[tuple[str, str]] = []
        self._secrets: list[str] = []
        self._sources: list[Source] = []
        self._parts: dict[str, list[pl.DataFrame]] = {}
        self._packs: list[PackedLines] = []
        self._near_kept: Counter[int] = Counter()

    def add(self, batch: Extracted) -> None:
        """Adds the next batch, in the order of the inputs.

        Tables are first built from earlier batches: the last batch waits for `finish`, when two threads are free.
        """
        self._builder.advance()
        self._builder.add(dict(batch.records.events))
        if batch.line_range is not None:
            self._packs += [PackedLines(self._store(lines), batch.line_range) for lines in batch.lines]
        near = self._limit_near_misses(batch.records.near)
        failure_lines = batch.failures
        if self._builder.cut:
            failure_lines = failure_lines.filter(~pl.col("source").is_in(list(self._builder.cut)))
        for name, frame in (("counts", batch.records.counts), ("near", near), ("text", failure_lines)):
            self._parts.setdefault(name, []).append(frame)
        for source in batch.ended:
            self._end(source)

    def finish(self) -> Tables:
        """All tables, once every batch was added."""
        (built,) = self._builder.finish()
        return self._tables(built)

    def _tables(self, built: Mapping[str, pl.DataFrame]) -> Tables:
        frames = self._assemble_frames(built, self._concat_parts("text", EMPTY_FAILURES)) | self._build_input_tables()
        return Tables(
            frames,
            (self._citable_lines(),),
            tuple(self._read),
            tuple(self._problems),
            tuple(self._secrets),
            tuple(self._skipped),
        )

    def volumes(self) -> Volumes:
        """All tables, in volumes if they do not fit into memory."""
        built = self._builder.finish()
        first = next(built)
        if not self._builder.is_spooled:
            return Volumes(self._tables(first))
        input_tables = self._build_input_tables()
        return Volumes(
            None,
            self._split_volumes(chain([first], built), input_tables),
            input_tables["sources"],
            self._citable_lines(),
            tuple(self._read),
            tuple(self._problems),
            tuple(self._secrets),
            tuple(self._skipped),
        )

    def _build_input_tables(self) -> dict[str, pl.DataFrame]:
        input_tables = {"sources": self._describe_sources(), "near_misses": self._explain_near_misses()}
        self._problems += source_notes.find_unreadable(input_tables["sources"], input_tables["near_misses"])
        return input_tables

    def _split_volumes(
        self, volumes: Iterable[Mapping[str, pl.DataFrame]], input_tables: dict[str, pl.DataFrame]
    ) -> Iterator[Tables]:
        failure_lines = self._concat_parts("text", EMPTY_FAILURES)
        is_outside = pl.col("event").is_in(OUTSIDE_PROMPTS)
        outside, inside = failure_lines.filter(is_outside), failure_lines.filter(~is_outside)
        for built in volumes:
            own = pl.concat([outside, _select_within_prompts(inside, built["prompts"], self._source_numbers())])
            yield Tables(self._assemble_frames(built, own) | input_tables, (self._citable_lines(),))
            outside = outside.clear()
            input_tables = {name: schema.empty(name) for name in input_tables}

    def _assemble_frames(
        self, built: Mapping[str, pl.DataFrame], failure_lines: pl.DataFrame
    ) -> dict[str, pl.DataFrame]:
        return {
            **built,
            "memory": _sort_memory_reports(built["memory"], self._source_numbers()),
            "excerpts": name_sources(
                failure_lines.sort("source", "line", "event", maintain_order=True),
                self._source_numbers(),
                "excerpts",
                "stream",
            ),
        }

    def _citable_lines(self) -> CitableLines:
        return CitableLines(tuple(self._packs), self._source_numbers())

    def _store(self, lines: bytes) -> Stored:
        return Stored(lines) if self._spool is None else self._spool.keep(lines)

    def _limit_near_misses(self, near: pl.DataFrame) -> pl.DataFrame:
        """Near misses of each input up to the limit that reports show."""
        if near.is_empty():
            return near
        before = pl.col("source").replace_strict(
            pl.Series(list(self._near_kept), dtype=pl.UInt32),
            pl.Series(list(self._near_kept.values()), dtype=pl.Int64),
            default=0,
            return_dtype=pl.Int64,
        )
        kept = near.filter(pl.int_range(pl.len()).over("source") + before < MAX_NEAR_MISSES)
        self._near_kept.update(dict(kept["source"].value_counts().rows()))
        return kept

    def _end(self, source: Source | SourceError) -> None:
        """Completes an input. A duplicate of an earlier input, whatever its name, is left out: its runs count once."""
        if isinstance(source, SourceError):
            (self._skipped if isinstance(source, SkippedError) else self._problems).append(str(source))
            return
        if source.problem:
            self._problems.append(str(source.problem))
            if not source.lines:
                return
        if source.number in self._builder.cut:
            self._problems.append(str(_endless_prompt_error(source, self._builder.cut[source.number])))
        if source.form:
            self._skipped.append(source.form)
        self._read.append((source.name, source.digest))
        self._secrets.append(source.secret)
        is_duplicate = self._digests.setdefault(source.digest, source.number) != source.number
        self._builder.end(source, is_duplicate=is_duplicate)
        if not is_duplicate:
            self._sources.append(source)

    def _concat_parts(self, name: str, without: pl.DataFrame) -> pl.DataFrame:
        parts = [part for part in self._parts.pop(name, []) if not part.is_empty()]
        return pl.concat(parts) if parts else without

    def _describe_sources(self) -> pl.DataFrame:
        """The table `sources`: each input once, with its numbers of recognized, nearly matching and unknown lines."""
        sums = [pl.col(name).sum() for name in ("records", "near", "known")]
        counts = group_agg(self._concat_parts("counts", EMPTY_COUNTS), ["source"], *sums).rename({"source": "number"})
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

    def _explain_near_misses(self) -> pl.DataFrame:
        """The first near misses of each input, in order; the first of each pattern have their failing column."""
        near = self._concat_parts("near", EMPTY_NEAR_MISSES)
        if near.is_empty():
            return schema.empty("near_misses")
        near = near.sort("source", "line", maintain_order=True)
        near = near.group_by("source", maintain_order=True).head(MAX_NEAR_MISSES)
        place = pl.int_range(pl.len()).over("source", "pattern")
        explained = explain_near_misses(near.filter(place < MAX_EXPLAINED), self.grammars)
        rest = near.filter(place >= MAX_EXPLAINED)
        ordered = pl.concat([explained, rest], how="diagonal").sort("source", "line", maintain_order=True)
        return self._with_names(ordered, "near_misses")

    def _with_names(self, frame: pl.DataFrame, table: str) -> pl.DataFrame:
        """`frame` with names of inputs in place of their numbers in `source`, without duplicate inputs."""
        return name_sources(frame, self._source_numbers(), table)

    def _source_numbers(self) -> pl.DataFrame:
        rows = [(source.number, source.name) for source in self._sources]
        return pl.DataFrame(rows, schema=EMPTY_NUMBERS.schema, orient="row")


def _endless_prompt_error(source: Source, line: int) -> SourceError:
    return SourceError(
        f"{one_line(source.name)}:{line}: {MAX_RECORDS:,} messages without a prompt's end; the rest is not checked",
        "ComfyUI logs `Prompt executed` after each prompt: pass the complete log, or parts of about 100 MB",
    )


def _select_within_prompts(failure_lines: pl.DataFrame, prompts: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """The lines (`source` is a number) that lie within these prompts, output by output."""
    output = ["source", "stream"]
    line_range = (
        prompts.join(numbers, left_on="source", right_on="name")
        .group_by(pl.col("number").alias("source"), "stream")
        .agg(pl.col("line").min().alias("first"), pl.col("end_line").max().alias("last"))
    )
    inside = pl.col("line").is_between("first", "last")
    own = failure_lines.join(line_range, on=output, nulls_equal=True, maintain_order="left").filter(inside)
    return own.drop("first", "last")


def _sort_memory_reports(memory: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """Memory reports by input, those outside all runs last. The order does not depend on how inputs were batched."""
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
