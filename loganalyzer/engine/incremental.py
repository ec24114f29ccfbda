"""Builds tables while records arrive: complete inputs together, a long input in parts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import polars as pl

from loganalyzer.engine import unbounded_prompt
from loganalyzer.engine.open_prompts import Frames, OpenPrompts
from loganalyzer.engine.spilled_parts import BAR_OUTPUTS, DIGEST_PLACEHOLDER, Part, PartBuilder
from loganalyzer.engine.splitting import Events, split_complete_prompts
from loganalyzer.grammar.model import Pattern
from loganalyzer.runs.assemble import REBUILT, neutral_events, rebuild
from loganalyzer.runs.cached_models import CachedModels
from loganalyzer.runs.program_samplers import prepare_records
from loganalyzer.settings.model import Settings
from loganalyzer.sources.chunks import Source
from loganalyzer.tables import schema
from loganalyzer.tables.spool import Spool

FillPart = Callable[[Part, Callable[[], Frames]], None]

FLUSH_RECORDS: Final = 1 << 18
"""Tables are built once this many records wait, so that memory stays bounded."""
SPLIT_RECORDS: Final = 1 << 19
"""Buffered records of an unfinished prompt before it is split at a stage; see `engine.unbounded_prompt`."""
MAX_RECORDS: Final = 1 << 20
"""Buffered records of a prompt that cannot be split: two hundred times the records of a long video."""


class IncrementalBuilder:
    """Buffers records until their input or prompt is complete, and keeps the tables built so far.

    With a `spool`, tables that outgrow its room wait on disk and come back part by part; see `is_spooled`. `cut` maps
    each input (its number) whose prompt never ends, and which was therefore not read completely, to the last line that
    was used.
    """

    def __init__(self, patterns: Sequence[Pattern], settings: Settings, spool: Spool | None = None) -> None:
        self._patterns, self._settings = patterns, settings
        self._waiting: list[Events] = []
        self._waiting_records = 0
        self._flush_at = FLUSH_RECORDS
        self._ended: list[Source] = []
        self._dropped: set[int] = set()
        self._part_builder = PartBuilder(spool)
        self._early_parts: list[Part] = []
        self._prompts = OpenPrompts()
        self._unfinished: dict[int, OpenPrompts] = {}
        self._parts: list[Part] = []
        self._split_names: set[str] = set()
        self._endless: dict[int, int] = {}
        self.cut: dict[int, int] = {}

    @property
    def is_spooled(self) -> bool:
        """Whether tables wait on disk. Final once all tables are built."""
        return self._part_builder.is_spooled

    def add(self, events: Events) -> None:
        """Buffers more records, in order."""
        wanted = _exclude_inputs(events, self._endless) if self._endless else events
        if _count_records(wanted) < _count_records(events):
            dropped = _find_last_lines(_select_inputs(events, self._endless))
            self.cut |= {number: line for number, line in self._endless.items() if number in dropped}
        self._waiting.append(wanted)
        self._waiting_records += _count_records(wanted)

    def end(self, source: Source, *, is_duplicate: bool = False) -> None:
        """Marks an input as complete. The records of a duplicate are dropped."""
        if is_duplicate:
            self._dropped.add(source.number)
        else:
            self._ended.append(source)
            for part in self._early_parts:
                part.source = source
            self._parts += self._early_parts
            if self._early_parts:
                self._split_names.add(source.name)
                self._unfinished[source.number] = self._prompts
        self._early_parts, self._prompts = [], OpenPrompts()

    def advance(self) -> None:
        """Builds tables from complete inputs and prompts if enough records wait."""
        if self._waiting_records < self._flush_at:
            return
        waiting = self._take_waiting()
        self._build_ended(
            _select_inputs(waiting, [source.number for source in self._ended]), self._part_builder.fill_in_background
        )
        rest = _exclude_inputs(waiting, [*(source.number for source in self._ended), *self._dropped])
        self._ended = []
        if _count_records(rest) >= FLUSH_RECORDS:
            rest = self._build_complete_stages(self._build_complete_prompts(rest))
        if _count_records(rest) >= MAX_RECORDS:
            self._endless |= _find_last_lines(rest)
        self._waiting, self._waiting_records = [rest], _count_records(rest)
        self._flush_at = max(FLUSH_RECORDS, 2 * self._waiting_records)

    def finish(self) -> Iterator[dict[str, pl.DataFrame]]:
        """All tables once every input has ended: all at once, or part by part if they were spooled."""
        waiting = self._take_waiting()
        if self._dropped:
            waiting = _exclude_inputs(waiting, self._dropped)
        self._build_ended(waiting, self._part_builder.fill)
        self._part_builder.finish()
        outputs = self._find_outputs_with_bars()
        models = CachedModels()
        groups = [[part] for part in self._parts] if self.is_spooled else [self._parts]
        for parts in groups:
            made = _concat_tables([part.load() for part in parts])
            if self._split_names:
                made["runs"] = self._fill_window_counts(made["runs"], outputs)
                made = _sort_by_input(made) if _is_interleaved(made) else made
            made["runs"] = models.with_cached_quantization(made["runs"])
            yield made

    def _find_outputs_with_bars(self) -> pl.DataFrame:
        """source, stream, shown: outputs that contain any bar, of inputs whose tables were built in parts."""
        frames = [part.outputs_with_bars() for part in self._parts] if self._split_names else []
        shown = pl.concat([_EMPTY_OUTPUTS, *frames])
        return shown.filter(pl.col("source").is_in(self._split_names)).unique().with_columns(shown=True)

    def _take_waiting(self) -> Events:
        waiting, self._waiting = self._waiting, []
        return concat_events(waiting)

    def _build_ended(self, complete: Events, fill: FillPart) -> None:
        for source in self._ended:
            if prompts := self._unfinished.pop(source.number, None):
                self._parts.append(Part(prompts, source=source))
                own = _select_inputs(complete, [source.number])
                fill(self._parts[-1], partial(self._rebuild, own, [(source.number, "", DIGEST_PLACEHOLDER)]))
                complete = _exclude_inputs(complete, [source.number])
        known = [(source.number, source.name, source.digest) for source in self._ended]
        if known:
            self._parts.append(Part())
            fill(self._parts[-1], partial(self._rebuild, complete, known))

    def _build_complete_prompts(self, events: Events) -> Events:
        """Builds tables of complete prompts in an input that continues; returns the remaining records."""
        halves = split_complete_prompts(prepare_records(events, self._patterns), neutral_events(self._patterns))
        if _count_records(halves.ready):
            self._build_early(halves.ready)
        return halves.rest

    def _build_complete_stages(self, events: Events) -> Events:
        """Builds tables of complete stages in a prompt that contains only bars; returns the remaining records."""
        if _count_records(events) < SPLIT_RECORDS:
            return events
        halves = unbounded_prompt.split_at_stage(events, neutral_events(self._patterns))
        if not halves.opened.is_empty():
            self._build_early(halves.ready, halves.opened)
        return halves.rest

    def _build_early(self, events: Events, opened: pl.DataFrame | None = None) -> None:
        (number,) = {int(frame["source"][0]) for frame in events.values() if not frame.is_empty()}

        def make() -> Frames:
            made = self._rebuild(events, [(number, "", DIGEST_PLACEHOLDER)], going_on=[number])
            return made if opened is None else unbounded_prompt.drop_opened_runs(made, opened)

        self._early_parts.append(Part(self._prompts, opened))
        self._part_builder.fill_in_background(self._early_parts[-1], make)

    def _rebuild(
        self, events: Events, sources: Sequence[tuple[int, str, str]], going_on: Collection[int] = ()
    ) -> Frames:
        named = pl.DataFrame(
            sources, schema={"number": pl.UInt32, "source": pl.String, "digest": pl.String}, orient="row"
        )
        rebuilt = rebuild(events, named, self._patterns, self._settings, going_on)
        return {name: getattr(rebuilt, name) for name in (*REBUILT, BAR_OUTPUTS)}

    def _fill_window_counts(self, runs: pl.DataFrame, outputs: pl.DataFrame) -> pl.DataFrame:
        """`runs` with 0 observed windows instead of null if another part of the same output contains bars."""
        seen = pl.when("shown").then(pl.col("observed_windows").fill_null(0)).otherwise("observed_windows")
        return (
            runs.join(outputs, on=["source", "stream"], how="left", nulls_equal=True, maintain_order="left")
            .with_columns(seen.alias("observed_windows"))
            .drop("shown")
        )


_EMPTY_OUTPUTS: Final = pl.DataFrame(schema={"source": pl.String, "stream": pl.String})


def _concat_tables(parts: Sequence[Mapping[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    frames = {name: [part[name] for part in parts if name in part] for name in REBUILT}
    return {name: pl.concat(tables) if tables else schema.empty(name) for name, tables in frames.items()}


def _is_interleaved(made: Mapping[str, pl.DataFrame]) -> bool:
    """Whether any input has several outputs."""
    outputs = pl.concat([made[name].select("source", "stream") for name in ("prompts", "runs", "events")])
    return outputs.n_unique() > outputs["source"].n_unique()


def _sort_by_input(made: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Sorts frames that were built in parts by input, then output: parts of several outputs arrive interleaved."""
    ordered = {
        name: made[name].sort(_first_row_of("source"), "stream", "line", maintain_order=True)
        for name in ("prompts", "runs", "events", "environment")
    }
    positions = {
        key: ordered[table].select(key).unique(maintain_order=True).with_row_index("at")
        for key, table in (("prompt_id", "prompts"), ("run_id", "runs"))
    }
    for name in made.keys() - ordered.keys():
        frame = made[name]
        key = "run_id" if "run_id" in frame.columns else "prompt_id"
        at = frame.select(key).join(positions[key], on=key, how="left", maintain_order="left")["at"]
        if not at.is_sorted(nulls_last=True):
            frame = frame.with_columns(at).sort("at", nulls_last=True, maintain_order=True).drop("at")
        ordered[name] = frame
    return {name: ordered[name] for name in made}


def _first_row_of(column: str) -> pl.Expr:
    return pl.int_range(pl.len()).min().over(column)


def concat_events(batches: Sequence[Events]) -> Events:
    """Concatenates the records of all batches, event by event."""
    if len(batches) == 1:
        return batches[0]
    frames: dict[str, list[pl.DataFrame]] = {}
    for batch in batches:
        for event, frame in batch.items():
            frames.setdefault(event, []).append(frame)
    return {event: pl.concat(parts, how="diagonal_relaxed") for event, parts in frames.items()}


def _find_last_lines(events: Events) -> dict[int, int]:
    """The last line of each input (by number)."""
    lines = pl.concat([frame.select("source", "line") for frame in events.values()])
    return dict(lines.group_by("source").agg(pl.col("line").max()).rows())


def _count_records(events: Events) -> int:
    return sum(frame.height for frame in events.values())


def _select_inputs(events: Events, sources: Collection[int]) -> Events:
    """The records of these inputs."""
    return {event: frame.filter(pl.col("source").is_in(list(sources))) for event, frame in events.items()}


def _exclude_inputs(events: Events, sources: Collection[int]) -> Events:
    """The records of all other inputs."""
    return {event: frame.filter(~pl.col("source").is_in(list(sources))) for event, frame in events.items()}
