"""Frames made in parts: each in a thread of its own while more is read, held while there is room, else on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from loganalyzer.engine.open_prompts import Frames, OpenPrompts
from loganalyzer.runs.identity import DIGEST
from loganalyzer.sources.chunks import Source
from loganalyzer.tables.spool import Spool, Stored, table

UNKNOWN: Final = "unknown-"
"""Stands in ids for an input's digest, which is known once the input was read."""
OUTPUTS: Final = "bar_outputs"
_IDS: Final = ("run_id", "prompt_id")


@dataclass(eq=False)
class Part:
    """Frames of some prompts.

    Attributes:
        prompts: those of the part's input that go on from part to part.
        opened: source, stream: the outputs of which a prompt goes on in the next part; None where no part follows.
        source: their input, where they were made before it was known by its digest.
        frames, stored: the tables that are not empty, held or written.
        outputs: source, stream: the outputs in which any bar stands.
    """

    prompts: OpenPrompts = field(default_factory=OpenPrompts)
    opened: pl.DataFrame | None = None
    source: Source | None = None
    frames: Frames = field(default_factory=dict)
    outputs: pl.DataFrame = field(default_factory=pl.DataFrame)
    stored: dict[str, Stored] = field(default_factory=dict)

    def read(self) -> Frames:
        """The tables that are not empty."""
        frames = self.frames | {name: table(stored) for name, stored in self.stored.items()}
        if "runs" in frames:
            frames["runs"] = self.prompts.timed(frames["runs"])
        return self._named(frames)

    def shown(self) -> pl.DataFrame:
        """source, stream: the outputs in which any bar stands."""
        return self._named({OUTPUTS: self.outputs})[OUTPUTS]

    def _named(self, frames: Frames) -> Frames:
        return frames if self.source is None else _with_digest(frames, self.source)


class Making:
    """Makes parts in order; with a `spool`, all go to disk once they are too large together.

    Frames of a part are made while those of the part before may still be: what must be done in order is what joins
    prompts that go on, and what is kept.
    """

    def __init__(self, spool: Spool | None) -> None:
        self._spool = spool
        self._filled: list[Part] = []
        self._held = 0.0
        self._pool: ThreadPoolExecutor | None = None
        self._at_work: Future[None] | None = None
        self.is_spooled = False

    def later(self, part: Part, make: Callable[[], Frames]) -> None:
        """Fill `part` with what `make` gives, while the caller goes on; waits until the one before is made."""
        self.wait()
        self._pool = self._pool or ThreadPoolExecutor(1)
        self._at_work = self._pool.submit(self._fill, part, make)

    def now(self, part: Part, make: Callable[[], Frames]) -> None:
        """Fill `part`, beside the one before."""
        made = make()
        self.wait()
        self._keep(part, made)

    def wait(self) -> None:
        """Until every part is made. What went wrong with one is raised here."""
        if self._at_work is not None:
            at_work, self._at_work = self._at_work, None
            at_work.result()

    def finish(self) -> None:
        """As `wait`; nothing is made later any more."""
        self.wait()
        if self._pool is not None:
            self._pool.shutdown()

    def _fill(self, part: Part, make: Callable[[], Frames]) -> None:
        self._keep(part, make())

    def _keep(self, part: Part, made: Frames) -> None:
        joined = part.prompts.part(made, part.opened)
        part.outputs = joined.pop(OUTPUTS)
        part.frames = {name: frame for name, frame in joined.items() if not frame.is_empty()}
        if self._spool is None:
            return
        self._filled.append(part)
        self._held += sum(frame.estimated_size() for frame in part.frames.values())
        if self._held > self._spool.room:
            self.is_spooled = True
            for one in self._filled:
                one.stored |= self._spool.tables(one.frames)
                one.frames = {}
            self._filled.clear()


def _with_digest(part: Mapping[str, pl.DataFrame], source: Source) -> Frames:
    """A part made before its input was read to the end, with the input's name and its digest in ids."""
    digest, name = source.digest[:DIGEST], pl.lit(source.name).alias("source")
    named = {}
    for what, frame in part.items():
        ids = [_known(frame[column], digest) for column in _IDS if column in frame.columns]
        named[what] = frame.with_columns(*ids, *([name] if "source" in frame.columns else []))
    return named


def _known(ids: pl.Series, digest: str) -> pl.Series:
    """Ids with a digest in them. Equal ones stand together, and are looked at once."""
    values = ids.rle().struct.field("value").str.replace(UNKNOWN, digest, literal=True)
    return values.gather(ids.rle_id()).alias(ids.name)
