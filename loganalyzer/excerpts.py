"""The log lines that can serve as evidence: recognised messages, and the progress bars that findings cite."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

import polars as pl

from loganalyzer.records import Records
from loganalyzer.tables import EXCERPTS

LONGEST = 500
"""Characters of a line that a report shows."""
_BAR = "window-bar"
NO_MESSAGES = pl.DataFrame(schema={**EXCERPTS, "source": pl.UInt32()})


def messages(records: Records) -> pl.DataFrame:
    """The lines of recognised messages: source (number), line, event, text."""
    shown = [
        frame.select("source", "line", pl.lit(event).alias("event"), "text")
        for event, frame in records.events.items()
        if "text" in frame.columns
    ]
    if not shown:
        return NO_MESSAGES
    return (
        pl.concat(shown)
        .with_columns(_shortened())
        .unique(subset=["source", "line", "text"], keep="first", maintain_order=True)
        .sort("source", "line", maintain_order=True)
    )


def kept(records: Records) -> bytes:
    """The lines of progress bars, packed to a small part of their size: there may be millions, and few are cited."""
    if records.bars.is_empty():
        return b""
    packed = BytesIO()
    records.bars.with_columns(_shortened()).write_ipc(packed, compression="zstd")
    return packed.getvalue()


def cited(packs: Iterable[bytes], places: pl.DataFrame) -> pl.DataFrame:
    """Of the lines in `packs`, those at `places` (source, line); columns as in `messages`."""
    found = [
        pl.read_ipc(BytesIO(pack)).join(places, on=["source", "line"], how="semi", maintain_order="left")
        for pack in packs
        if pack and not places.is_empty()
    ]
    if not found:
        return NO_MESSAGES
    return pl.concat(found).select("source", "line", pl.lit(_BAR).alias("event"), "text")


def _shortened() -> pl.Expr:
    return pl.col("text").str.strip_chars(" \t").str.head(LONGEST)
