"""Keeps log lines that can serve as evidence: compressed while logs are read, unpacked when a finding cites them."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

import polars as pl

from loganalyzer.records.extraction import Records
from loganalyzer.redact.cutting import shorten_texts
from loganalyzer.tables.frames import semi_join
from loganalyzer.tables.schema import EXCERPTS

MAX_LINE_LENGTH = 500
"""Maximum characters of a line in a report."""
_MIN_COMPRESSED = 1000
"""Fewer lines are not worth compressing."""
OUTSIDE_PROMPTS = ("refusal", "output-ignored", "validation-node", "validation-detail")
"""Events about prompts that did not run, or not completely. Their lines are between prompts, or in another prompt."""
FAILURES = (
    *("exception", "wrapper-error", "out-of-memory", "interruption", "process-died", "worker-died", "vae-retried"),
    *("video-writer-failed", "invalid-cast", "lora-key-missing"),
    *OUTSIDE_PROMPTS,
)
"""Events whose lines the rules search for."""
MAX_PER_EVENT = 50
"""Lines of one event and input that are kept per batch: a LoRA for another model has a thousand missing keys."""
EMPTY_LINES = pl.DataFrame(schema={**EXCERPTS, "source": pl.UInt32()})
EMPTY_FAILURES = pl.DataFrame(schema={"source": pl.UInt32(), "stream": pl.String(), **EMPTY_LINES.schema})


def select_failures(records: Records) -> pl.DataFrame:
    """The lines of messages about how a prompt ended: source (number), stream, line, event, text."""
    found = _select_lines(records.messages, pl.col("event").is_in(FAILURES), EMPTY_FAILURES)
    frequent = pl.int_range(pl.len()).over("source", "event") >= MAX_PER_EVENT
    return (
        found if found.height < MAX_PER_EVENT else found.filter(~(frequent & (pl.col("event") == "lora-key-missing")))
    )


def pack_evidence(records: Records) -> tuple[bytes, ...]:
    """All other message lines, and the last state of each progress bar per line, compressed.

    There may be millions. They compress well, and few are cited.
    """
    bars = [shown.select("source", "line", pl.lit("window-bar").alias("event"), "text") for shown in records.bars]
    others = records.messages.select("source", "line", "event", "text")
    tables = [_select_lines(others, ~pl.col("event").is_in(FAILURES), EMPTY_LINES), *bars]
    return tuple(_compress(frame) for frame in tables if not frame.is_empty())


def _compress(lines: pl.DataFrame) -> bytes:
    packed = BytesIO()
    lines.write_ipc(packed, compression="zstd" if lines.height > _MIN_COMPRESSED else "uncompressed")
    return packed.getvalue()


def unpack_cited(packs: Iterable[bytes], places: pl.DataFrame) -> pl.DataFrame:
    """The lines in `packs` at `places` (source, line); columns as in `select_failures`."""
    found = [
        semi_join(pl.read_ipc(BytesIO(pack)), places, ["source", "line"]) for pack in packs if not places.is_empty()
    ]
    excerpts = [
        _shorten_text(lines.with_columns(pl.col("text").cast(pl.String))) for lines in found if not lines.is_empty()
    ]
    return pl.concat([EMPTY_LINES, *excerpts]).sort("source", "line", maintain_order=True)


def _select_lines(messages: pl.DataFrame, is_wanted: pl.Expr, empty: pl.DataFrame) -> pl.DataFrame:
    own = messages.filter(is_wanted)
    if own.is_empty():
        return empty
    return _shorten_text(own).unique(["source", "line", "text"], keep="first", maintain_order=True)


def _shorten_text(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.with_columns(shorten_texts(pl.col("text").str.strip_chars(" \t"), MAX_LINE_LENGTH).alias("text"))
