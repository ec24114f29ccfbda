"""The log lines that can serve as evidence: recognised messages, not the progress bars."""

from __future__ import annotations

import polars as pl

from loganalyzer.records import Records
from loganalyzer.tables import EXCERPTS

LONGEST = 500
"""Characters of a line that a report shows."""
_LAST_BARS = "window-bar"


def excerpts(records: Records) -> pl.DataFrame:
    """The lines (source position, line, event, text); of a window's bar the last refresh on each line only."""
    texts = [
        _last_refreshes(frame) if event == _LAST_BARS else frame.select("source", "line", "text")
        for event, frame in records.events.items()
        if event == _LAST_BARS or not event.endswith("-bar")
    ]
    names = [event for event in records.events if event == _LAST_BARS or not event.endswith("-bar")]
    if not texts:
        return pl.DataFrame(schema={"source": pl.UInt32, **{k: v for k, v in EXCERPTS.items() if k != "source"}})
    shown = [frame.with_columns(pl.lit(event).alias("event")) for event, frame in zip(names, texts, strict=True)]
    return (
        pl.concat(shown)
        .with_columns(pl.col("text").str.strip_chars(" \t").str.head(LONGEST))
        .unique(subset=["source", "line", "text"], keep="first", maintain_order=True)
        .sort("source", "line", maintain_order=True)
    )


def _last_refreshes(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.group_by("source", "line", maintain_order=True).agg(pl.col("text").last())
