"""Builds tables in parts in a background thread, and moves them to disk once they outgrow the room in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from loganalyzer.engine.open_prompts import Frames, OpenPrompts
from loganalyzer.runs.identity import DIGEST
from loganalyzer.sources.chunks import Source
from loganalyzer.tables.spool import Spool, Stored, load_table

DIGEST_PLACEHOLDER: Final = "unknown-"
"""Placeholder in ids for an input's digest, which is known once the input was read to its end."""
BAR_OUTPUTS: Final = "bar_outputs"
_ID_COLUMNS: Final = ("run_id", "prompt_id")


@dataclass(eq=False)
class Part:
    """The tables of some prompts.

    Attributes:
        prompts: the unfinished prompts of the part's input.
        opened: source, stream: outputs whose last prompt continues in the next part; None if no part follows.
        source: the input, if the part was built before the input's digest was known.
        frames, stored: the tables that are not empty, in memory or on disk.
        outputs: source, stream: outputs that contain any bar.
    """

    prompts: OpenPrompts = field(default_factory=OpenPrompts)
    opened: pl.DataFrame | None = None
    source: Source | None = None
    frames: Frames = field(default_factory=dict)
    outputs: pl.DataFrame = field(default_factory=pl.DataFrame)
    stored: dict[str, Stored] = field(default_factory=dict)

    def load(self) -> Frames:
        """The tables that are not empty."""
        frames = self.frames | {name: load_table(stored) for name, stored in self.stored.items()}
        if "runs" in frames:
            frames["runs"] = self.prompts.with_durations(frames["runs"])
        return self._with_digest(frames)

    def outputs_with_bars(self) -> pl.DataFrame:
        """source, stream: outputs that contain any bar."""
        return self._with_digest({BAR_OUTPUTS: self.outputs})[BAR_OUTPUTS]

    def _with_digest(self, frames: Frames) -> Frames:
        return frames if self.source is None else _fill_in_digest(frames, self.source)


class PartBuilder:
    """Builds parts in order. With a `spool`, all parts move to disk once their total size exceeds its room.

    A part's tables can be built while those of the previous part are in progress. Only joining unfinished prompts and
    storing happen in order.
    """

    def __init__(self, spool: Spool | None) -> None:
        self._spool = spool
        self._filled_parts: list[Part] = []
        self._stored_bytes = 0.0
        self._pool: ThreadPoolExecutor | None = None
        self._running: Future[None] | None = None
        self.is_spooled = False

    def fill_in_background(self, part: Part, make: Callable[[], Frames]) -> None:
        """Waits for the previous part, then fills `part` with the result of `make` in the background."""
        self.wait()
        self._pool = self._pool or ThreadPoolExecutor(1)
        self._running = self._pool.submit(self._fill, part, make)

    def fill(self, part: Part, make: Callable[[], Frames]) -> None:
        """Fills `part` with the result of `make` while the previous part may still be in progress."""
        tables = make()
        self.wait()
        self._store(part, tables)

    def wait(self) -> None:
        """Waits until every part is filled. Raises the error of a part that failed."""
        if self._running is not None:
            at_work, self._running = self._running, None
            at_work.result()

    def finish(self) -> None:
        """Waits as `wait` does, then stops the background thread."""
        self.wait()
        if self._pool is not None:
            self._pool.shutdown()

    def _fill(self, part: Part, make: Callable[[], Frames]) -> None:
        self._store(part, make())

    def _store(self, part: Part, tables: Frames) -> None:
        joined_tables = part.prompts.next_part(tables, part.opened)
        part.outputs = joined_tables.pop(BAR_OUTPUTS)
        part.frames = {name: frame for name, frame in joined_tables.items() if not frame.is_empty()}
        if self._spool is None:
            return
        self._filled_parts.append(part)
        self._stored_bytes += sum(frame.estimated_size() for frame in part.frames.values())
        if self._stored_bytes > self._spool.room:
            self.is_spooled = True
            for stored_part in self._filled_parts:
                stored_part.stored |= self._spool.tables(stored_part.frames)
                stored_part.frames = {}
            self._filled_parts.clear()


def _fill_in_digest(part: Mapping[str, pl.DataFrame], source: Source) -> Frames:
    """A part with its input's name and digest in place of the placeholders."""
    digest, name = source.digest[:DIGEST], pl.lit(source.name).alias("source")
    filled = {}
    for name_of_table, frame in part.items():
        ids = [_replace_placeholder(frame[column], digest) for column in _ID_COLUMNS if column in frame.columns]
        filled[name_of_table] = frame.with_columns(*ids, *([name] if "source" in frame.columns else []))
    return filled


def _replace_placeholder(ids: pl.Series, digest: str) -> pl.Series:
    """Ids with the digest in place of the placeholder. Equal ids are adjacent, so each is replaced once."""
    values = ids.rle().struct.field("value").str.replace(DIGEST_PLACEHOLDER, digest, literal=True)
    return values.gather(ids.rle_id()).alias(ids.name)
