"""Records to tables as they come in: whole inputs together, a long one in parts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import polars as pl

from loganalyzer.engine import unbounded_prompt
from loganalyzer.engine.open_prompts import Frames, OpenPrompts
from loganalyzer.engine.spilled_parts import OUTPUTS, UNKNOWN, Making, Part
from loganalyzer.engine.splitting import Events, settled
from loganalyzer.grammar.model import Pattern
from loganalyzer.runs.assemble import REBUILT, neutral_events, rebuild
from loganalyzer.runs.cached_models import CachedModels
from loganalyzer.runs.program_samplers import prepare_records
from loganalyzer.settings.model import Settings
from loganalyzer.sources.chunks import Source
from loganalyzer.tables import schema
from loganalyzer.tables.spool import Spool

Filling = Callable[[Part, Callable[[], Frames]], None]

MOST_RECORDS: Final = 1 << 18
"""Records become tables once there are so many, so that memory stays bounded."""
MOST_OPEN: Final = 1 << 19
"""Records of a prompt that goes on and on which are held, where it can be parted; see `runs.unending`."""
MOST_WAITING: Final = 1 << 20
"""Records of one prompt that are held where it cannot be parted: two hundred times what a long video has."""


class Rebuilding:
    """The records that wait for more, and the tables made so far.

    With a `spool`, tables that outgrow its room wait on disk, and come back part by part; see `is_spooled`. `cut` has
    the inputs (their numbers) of which not everything was taken, since a prompt of theirs has no end, and the last line
    that was.
    """

    def __init__(self, patterns: Sequence[Pattern], settings: Settings, spool: Spool | None = None) -> None:
        self._patterns, self._settings = patterns, settings
        self._waiting: list[Events] = []
        self._rows = 0
        self._enough = MOST_RECORDS
        self._ended: list[Source] = []
        self._left_out: set[int] = set()
        self._making = Making(spool)
        self._early: list[Part] = []
        self._prompts = OpenPrompts()
        self._going_on: dict[int, OpenPrompts] = {}
        self._parts: list[Part] = []
        self._parted: set[str] = set()
        self._given_up: dict[int, int] = {}
        self.cut: dict[int, int] = {}

    @property
    def is_spooled(self) -> bool:
        """Whether tables wait on disk; known for good once all are made."""
        return self._making.is_spooled

    def add(self, events: Events) -> None:
        """More records, in order."""
        taken = _of(events, self._given_up, those=False) if self._given_up else events
        if _height(taken) < _height(events):
            lost = _last_lines(_of(events, self._given_up))
            self.cut |= {number: line for number, line in self._given_up.items() if number in lost}
        self._waiting.append(taken)
        self._rows += _height(taken)

    def end(self, source: Source, *, left_out: bool = False) -> None:
        """An input has been read to its end, and counts, or does not."""
        if left_out:
            self._left_out.add(source.number)
        else:
            self._ended.append(source)
            for part in self._early:
                part.source = source
            self._parts += self._early
            if self._early:
                self._parted.add(source.name)
                self._going_on[source.number] = self._prompts
        self._early, self._prompts = [], OpenPrompts()

    def advance(self) -> None:
        """Make tables of what can be told already, if there is enough of it."""
        if self._rows < self._enough:
            return
        waiting = self._taken()
        self._rebuild_ended(_of(waiting, [source.number for source in self._ended]), self._making.later)
        rest = _of(waiting, [*(source.number for source in self._ended), *self._left_out], those=False)
        self._ended = []
        if _height(rest) >= MOST_RECORDS:
            rest = self._rebuild_open(self._rebuild_settled(rest))
        if _height(rest) >= MOST_WAITING:
            self._given_up |= _last_lines(rest)
        self._waiting, self._rows = [rest], _height(rest)
        self._enough = max(MOST_RECORDS, 2 * self._rows)

    def finished(self) -> Iterator[dict[str, pl.DataFrame]]:
        """All tables, every input having ended: in one piece, or where they were spooled, part by part."""
        waiting = self._taken()
        if self._left_out:
            waiting = _of(waiting, self._left_out, those=False)
        self._rebuild_ended(waiting, self._making.now)
        self._making.finish()
        outputs = self._outputs()
        models = CachedModels()
        pieces = [[part] for part in self._parts] if self.is_spooled else [self._parts]
        for parts in pieces:
            made = _joined([part.read() for part in parts])
            if self._parted:
                made["runs"] = self._counted(made["runs"], outputs)
                made = _in_order(made) if _is_interleaved(made) else made
            made["runs"] = models.with_cached_quantization(made["runs"])
            yield made

    def _outputs(self) -> pl.DataFrame:
        """source, stream: the outputs that show any bar, of inputs that were made into tables in parts."""
        frames = [part.shown() for part in self._parts] if self._parted else []
        shown = pl.concat([_NO_OUTPUTS, *frames])
        return shown.filter(pl.col("source").is_in(self._parted)).unique().with_columns(shown=True)

    def _taken(self) -> Events:
        waiting, self._waiting = self._waiting, []
        return concatenated(waiting)

    def _rebuild_ended(self, whole: Events, fill: Filling) -> None:
        for source in self._ended:
            if prompts := self._going_on.pop(source.number, None):
                self._parts.append(Part(prompts, source=source))
                own = _of(whole, [source.number])
                fill(self._parts[-1], partial(self._rebuilt, own, [(source.number, "", UNKNOWN)]))
                whole = _of(whole, [source.number], those=False)
        known = [(source.number, source.name, source.digest) for source in self._ended]
        if known:
            self._parts.append(Part())
            fill(self._parts[-1], partial(self._rebuilt, whole, known))

    def _rebuild_settled(self, events: Events) -> Events:
        """Frames of the prompts that are complete in an input that goes on; the other records."""
        parted = settled(prepare_records(events, self._patterns), neutral_events(self._patterns))
        if _height(parted.ready):
            self._make_early(parted.ready)
        return parted.rest

    def _rebuild_open(self, events: Events) -> Events:
        """Frames of the stages that are complete in a prompt of nothing but bars; the other records."""
        if _height(events) < MOST_OPEN:
            return events
        parted = unbounded_prompt.parted(events, neutral_events(self._patterns))
        if not parted.opened.is_empty():
            self._make_early(parted.ready, parted.opened)
        return parted.rest

    def _make_early(self, events: Events, opened: pl.DataFrame | None = None) -> None:
        (number,) = {int(frame["source"][0]) for frame in events.values() if not frame.is_empty()}

        def make() -> Frames:
            made = self._rebuilt(events, [(number, "", UNKNOWN)], going_on=[number])
            return made if opened is None else unbounded_prompt.without_opened(made, opened)

        self._early.append(Part(self._prompts, opened))
        self._making.later(self._early[-1], make)

    def _rebuilt(
        self, events: Events, sources: Sequence[tuple[int, str, str]], going_on: Collection[int] = ()
    ) -> Frames:
        named = pl.DataFrame(
            sources, schema={"number": pl.UInt32, "source": pl.String, "digest": pl.String}, orient="row"
        )
        rebuilt = rebuild(events, named, self._patterns, self._settings, going_on)
        return {name: getattr(rebuilt, name) for name in (*REBUILT, OUTPUTS)}

    def _counted(self, runs: pl.DataFrame, outputs: pl.DataFrame) -> pl.DataFrame:
        """`runs`, with 0 windows instead of none where bars stand in another part of the same output."""
        seen = pl.when("shown").then(pl.col("observed_windows").fill_null(0)).otherwise("observed_windows")
        return (
            runs.join(outputs, on=["source", "stream"], how="left", nulls_equal=True, maintain_order="left")
            .with_columns(seen.alias("observed_windows"))
            .drop("shown")
        )


_NO_OUTPUTS: Final = pl.DataFrame(schema={"source": pl.String, "stream": pl.String})


def _joined(parts: Sequence[Mapping[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    frames = {name: [part[name] for part in parts if name in part] for name in REBUILT}
    return {name: pl.concat(held) if held else schema.empty(name) for name, held in frames.items()}


def _is_interleaved(made: Mapping[str, pl.DataFrame]) -> bool:
    """Whether any input has several outputs."""
    outputs = pl.concat([made[name].select("source", "stream") for name in ("prompts", "runs")])
    return outputs.n_unique() > outputs["source"].n_unique()


def _in_order(made: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Frames made in parts, in the order of inputs, then outputs: the parts of several outputs come interleaved."""
    sorted_ = {
        name: made[name].sort(_first_seen("source"), "stream", "line", maintain_order=True)
        for name in ("prompts", "runs", "environment")
    }
    places = {
        key: sorted_[table].select(key).unique(maintain_order=True).with_row_index("at")
        for key, table in (("prompt_id", "prompts"), ("run_id", "runs"))
    }
    for name in made.keys() - sorted_.keys():
        frame = made[name]
        key = "run_id" if "run_id" in frame.columns else "prompt_id"
        at = frame.select(key).join(places[key], on=key, how="left", maintain_order="left")["at"]
        if not at.is_sorted(nulls_last=True):
            frame = frame.with_columns(at).sort("at", nulls_last=True, maintain_order=True).drop("at")
        sorted_[name] = frame
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


def _last_lines(events: Events) -> dict[int, int]:
    """The last line of each input (number)."""
    lines = pl.concat([frame.select("source", "line") for frame in events.values()])
    return dict(lines.group_by("source").agg(pl.col("line").max()).rows())


def _height(events: Events) -> int:
    return sum(frame.height for frame in events.values())


def _of(events: Events, sources: Collection[int], *, those: bool = True) -> Events:
    """The records of these inputs, or of all others; nothing is copied where that is all of them."""
    own = pl.col("source").is_in(list(sources))
    return {event: frame.filter(own if those else ~own) for event, frame in events.items()}
