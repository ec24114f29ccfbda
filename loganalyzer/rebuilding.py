"""Records to tables as they come in: whole inputs together, a long one in parts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import polars as pl

from loganalyzer import tables
from loganalyzer.grammar.model import Pattern
from loganalyzer.pieces import Source
from loganalyzer.rows import only
from loganalyzer.runs.assemble import REBUILT, neutral_events, rebuild
from loganalyzer.runs.identity import DIGEST
from loganalyzer.runs.settled import settled
from loganalyzer.settings import Settings

Events = dict[str, pl.DataFrame]

MOST_RECORDS: Final = 1 << 18
"""Records become tables once there are so many, so that memory stays bounded."""
_IDS: Final = ("run_id", "prompt_id")
_OUTPUTS: Final = "bar_outputs"
_UNKNOWN: Final = "unknown-"
"""Stands in ids for an input's digest, which is known once the input was read."""


class Rebuilding:
    """The records that wait for more, and the tables made so far."""

    def __init__(self, patterns: Sequence[Pattern], settings: Settings) -> None:
        self._patterns, self._settings = patterns, settings
        self._waiting: list[Events] = []
        self._rows = 0
        self._enough = MOST_RECORDS
        self._ended: list[Source] = []
        self._left_out: set[int] = set()
        self._early: list[dict[str, pl.DataFrame]] = []
        self._tables: dict[str, list[pl.DataFrame]] = {}
        self._parted: set[str] = set()

    def add(self, events: Events) -> None:
        """More records, in order."""
        self._waiting.append(events)
        self._rows += sum(frame.height for frame in events.values())

    def end(self, source: Source, *, left_out: bool = False) -> None:
        """An input has been read to its end, and counts, or does not."""
        if left_out:
            self._left_out.add(source.number)
        else:
            self._ended.append(source)
            for part in self._early:
                self._keep(_with_digest(part, source))
            if self._early:
                self._parted.add(source.name)
        self._early = []

    def advance(self) -> None:
        """Make tables of what can be told already, if there is enough of it."""
        if self._rows < self._enough:
            return
        waiting = self._taken()
        self._rebuild_ended(_of(waiting, [source.number for source in self._ended]))
        rest = _of(waiting, [*(source.number for source in self._ended), *self._left_out], those=False)
        self._ended = []
        if _height(rest) >= MOST_RECORDS:
            rest = self._rebuild_settled(rest)
        self._waiting, self._rows = [rest], _height(rest)
        self._enough = max(MOST_RECORDS, 2 * self._rows)

    def finished(self) -> dict[str, pl.DataFrame]:
        """All tables; every input has ended."""
        waiting = self._taken()
        if self._left_out:
            waiting = _of(waiting, self._left_out, those=False)
        self._rebuild_ended(waiting)
        made = {name: self._joined(name, tables.empty(name)) for name in REBUILT}
        if self._parted:
            made["runs"] = self._counted(made["runs"])
            made = _in_order(made)
        return made

    def _taken(self) -> Events:
        waiting, self._waiting = self._waiting, []
        return concatenated(waiting)

    def _rebuild_ended(self, whole: Events) -> None:
        if self._ended:
            known = [(source.number, source.name, source.digest) for source in self._ended]
            self._keep(self._rebuilt(whole, known))

    def _rebuild_settled(self, events: Events) -> Events:
        """Tables of the prompts that are complete in an input that goes on; the other records."""
        (number,) = {int(frame["source"][0]) for frame in events.values() if not frame.is_empty()}
        parted = settled(events, neutral_events(self._patterns))
        if _height(parted.ready):
            placeholder = (number, "", _UNKNOWN)
            self._early.append(self._rebuilt(parted.ready, [placeholder], going_on=[number]))
        return parted.rest

    def _rebuilt(
        self, events: Events, sources: Sequence[tuple[int, str, str]], going_on: Collection[int] = ()
    ) -> dict[str, pl.DataFrame]:
        named = pl.DataFrame(
            sources, schema={"number": pl.UInt32, "source": pl.String, "digest": pl.String}, orient="row"
        )
        rebuilt = rebuild(events, named, self._patterns, self._settings, going_on)
        return {name: getattr(rebuilt, name) for name in (*REBUILT, _OUTPUTS)}

    def _keep(self, made: Mapping[str, pl.DataFrame]) -> None:
        for name, frame in made.items():
            if not frame.is_empty():
                self._tables.setdefault(name, []).append(frame)

    def _joined(self, name: str, without: pl.DataFrame) -> pl.DataFrame:
        parts = self._tables.pop(name, [])
        return pl.concat(parts) if parts else without

    def _counted(self, runs: pl.DataFrame) -> pl.DataFrame:
        """`runs`, with 0 windows instead of none where bars stand in another part of the same output."""
        outputs = self._joined(_OUTPUTS, runs.select("source", "stream").clear())
        shown = outputs.filter(pl.col("source").is_in(self._parted)).unique().with_columns(shown=True)
        seen = pl.when("shown").then(pl.col("observed_windows").fill_null(0)).otherwise("observed_windows")
        return (
            runs.join(shown, on=["source", "stream"], how="left", nulls_equal=True, maintain_order="left")
            .with_columns(seen.alias("observed_windows"))
            .drop("shown")
        )


def _in_order(made: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Tables made in parts, in the order of inputs, then outputs: the parts of several outputs come interleaved."""
    sorted_ = {name: made[name].sort(_first_seen("source"), "stream", "line") for name in ("prompts", "runs")}
    places = {
        key: sorted_[table].select(key).unique(maintain_order=True).with_row_index("at")
        for key, table in (("prompt_id", "prompts"), ("run_id", "runs"))
    }
    for name in made.keys() - sorted_.keys():
        frame = made[name]
        key = "run_id" if "run_id" in frame.columns else "prompt_id"
        placed = frame.join(places[key], on=key, how="left", maintain_order="left")
        sorted_[name] = placed.sort("at", nulls_last=True, maintain_order=True).drop("at")
    return {name: sorted_[name] for name in made}


def _first_seen(column: str) -> pl.Expr:
    return pl.int_range(pl.len()).min().over(column)


def concatenated(batches: Sequence[Events]) -> Events:
    """The records of all batches, event by event."""
    if len(batches) == 1:
        return batches[0]
    frames: dict[str, list[pl.DataFrame]] = {}
    for batch in batches:
        for event, frame in batch.items():
            frames.setdefault(event, []).append(frame)
    return {event: pl.concat(parts, how="diagonal_relaxed") for event, parts in frames.items()}


def _height(events: Events) -> int:
    return sum(frame.height for frame in events.values())


def _of(events: Events, sources: Collection[int], *, those: bool = True) -> Events:
    """The records of these inputs, or of all others; nothing is copied where that is all of them."""
    own = pl.col("source").is_in(list(sources))
    return {event: only(frame, own if those else ~own) for event, frame in events.items()}


def _with_digest(part: Mapping[str, pl.DataFrame], source: Source) -> dict[str, pl.DataFrame]:
    """A part made before its input was read to the end, with the input's name and its digest in ids."""
    known = {name: pl.col(name).str.replace(_UNKNOWN, source.digest[:DIGEST], literal=True) for name in _IDS} | {
        "source": pl.lit(source.name).alias("source")
    }
    return {
        table: frame.with_columns(expr for name, expr in known.items() if name in frame.columns)
        for table, frame in part.items()
    }
