"""The log lines that can serve as evidence: kept packed while logs are read, unpacked where a finding cites them."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

import polars as pl

from loganalyzer.records.extraction import Records
from loganalyzer.redact.cutting import shorten_texts
from loganalyzer.tables.frames import semi_join
from loganalyzer.tables.schema import EXCERPTS

LONGEST = 500
"""Characters of a line that a report shows."""
_FEW = 1000
"""Lines that are not worth the time to compress them."""
OUTSIDE_PROMPTS = ("refusal", "output-ignored", "validation-node", "validation-detail")
"""Events about prompts that did not run, or not as a whole: they stand between prompts, or in another one."""
FAILURES = (
    *("exception", "wrapper-error", "out-of-memory", "interruption", "process-died", "worker-died", "vae-retried"),
    *("video-writer-failed", "invalid-cast", "lora-key-missing"),
    *OUTSIDE_PROMPTS,
)
"""Events whose lines the rules themselves look for."""
MOST_ALIKE = 50
"""Lines of one event and input that are kept from one batch: a LoRA of another model has a thousand keys."""
NO_LINES = pl.DataFrame(schema={**EXCERPTS, "source": pl.UInt32()})
NO_FAILURES = pl.DataFrame(schema={"source": pl.UInt32(), "stream": pl.String(), **NO_LINES.schema})


def failures(records: Records) -> pl.DataFrame:
    """The lines of messages that say how a prompt ended: source (number), stream, line, event, text."""
    found = _lines(records.messages, pl.col("event").is_in(FAILURES), NO_FAILURES)
    frequent = pl.int_range(pl.len()).over("source", "event") >= MOST_ALIKE
    return found if found.height < MOST_ALIKE else found.filter(~(frequent & (pl.col("event") == "lora-key-missing")))


def kept(records: Records) -> tuple[bytes, ...]:
    """All other lines of messages, and what each progress bar showed last on a line, packed: there may be millions.

    They shrink to a small part of their size, and few are cited.
    """
    bars = [shown.select("source", "line", pl.lit("window-bar").alias("event"), "text") for shown in records.bars]
    others = records.messages.select("source", "line", "event", "text")
    every = [_lines(others, ~pl.col("event").is_in(FAILURES), NO_LINES), *bars]
    return tuple(_packed(frame) for frame in every if not frame.is_empty())


def _packed(lines: pl.DataFrame) -> bytes:
    packed = BytesIO()
    lines.write_ipc(packed, compression="zstd" if lines.height > _FEW else "uncompressed")
    return packed.getvalue()


def cited(packs: Iterable[bytes], places: pl.DataFrame) -> pl.DataFrame:
    """Of the lines in `packs`, those at `places` (source, line); columns as in `failures`."""
    found = [
        semi_join(pl.read_ipc(BytesIO(pack)), places, ["source", "line"]) for pack in packs if not places.is_empty()
    ]
    told = [_shortened(lines.with_columns(pl.col("text").cast(pl.String))) for lines in found if not lines.is_empty()]
    return pl.concat([NO_LINES, *told]).sort("source", "line", maintain_order=True)


def _lines(messages: pl.DataFrame, wanted: pl.Expr, without: pl.DataFrame) -> pl.DataFrame:
    own = messages.filter(wanted)
    if own.is_empty():
        return without
    return _shortened(own).unique(["source", "line", "text"], keep="first", maintain_order=True)


def _shortened(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.with_columns(shorten_texts(pl.col("text").str.strip_chars(" \t"), LONGEST).alias("text"))
