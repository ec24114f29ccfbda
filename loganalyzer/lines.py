"""Sources to segments: the pieces of physical lines in which a message or a bar's refresh can stand."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from loganalyzer.sources import Source
from loganalyzer.wrappers import SEPARATOR, STAMP_INSIDE, is_cut, unwrap

SEGMENTS = pl.Schema(
    {
        "source": pl.UInt32(),
        "line": pl.Int64(),
        "part": pl.UInt32(),
        "stream": pl.String(),
        "time": pl.Datetime("us"),
        "text": pl.String(),
    }
)


def segments(sources: Sequence[Source], anchors: Sequence[str]) -> pl.DataFrame:
    """All segments of a batch that hold one of the fixed texts `anchors`; other lines are dropped unread.

    Columns as in `SEGMENTS`: `source` is the position in `sources`, `line` the physical line from 1, `part` the
    place among the line's segments. A line is cut at carriage returns (each is one refresh of a bar) and in front
    of stamps that stand inside it.
    """
    kept = _lines_with(sources, anchors)
    if kept.is_empty():
        return pl.DataFrame(schema=SEGMENTS)
    cut = _cut(unwrap(kept))
    return cut.filter(pl.col("text").str.contains_any(list(anchors))).select(
        pl.col(name).cast(dtype) for name, dtype in SEGMENTS.items()
    )


def _lines_with(sources: Sequence[Source], anchors: Sequence[str]) -> pl.DataFrame:
    """The only place that reads lines: polars marks `scan_lines` as unstable."""
    data = sources[0].data if len(sources) == 1 else b"".join(source.data for source in sources)
    if not data:
        return pl.DataFrame(schema={"source": pl.UInt32, "line": pl.Int64, "text": pl.String})
    rows = (
        pl.scan_lines(data, name="text", row_index_name="row")
        .filter(is_cut(data) | pl.col("text").str.contains_any(list(anchors)))
        .collect()
    )
    ends = pl.Series([source.lines for source in sources], dtype=pl.Int64).cum_sum()
    source = ends.search_sorted(rows["row"].cast(pl.Int64), side="right").cast(pl.UInt32)
    before = (ends - pl.Series([source.lines for source in sources], dtype=pl.Int64)).gather(source)
    return rows.select(
        source.alias("source"),
        (pl.col("row").cast(pl.Int64) - before + 1).alias("line"),
        "text",
    )


def _cut(lines: pl.DataFrame) -> pl.DataFrame:
    stamped = lines["text"].str.contains(STAMP_INSIDE)
    if stamped.any():
        marked = lines.filter(stamped).with_columns(
            pl.col("text").str.replace_all(STAMP_INSIDE, SEPARATOR + "${1} - " + SEPARATOR)
        )
        return pl.concat([_cut_at(lines.filter(~stamped), "\r"), _cut_at_stamps(marked)]).sort("source", "line", "part")
    return _cut_at(lines, "\r")


def _cut_at(lines: pl.DataFrame, separator: str) -> pl.DataFrame:
    pieces = lines.with_columns(pl.col("text").str.split(separator))
    return (
        pieces.with_columns(pl.int_ranges(0, pl.col("text").list.len(), dtype=pl.UInt32).alias("part"))
        .explode("text", "part")
        .with_columns(pl.col("text").str.strip_chars_end(" \t\r"))
        .select(SEGMENTS.names())
    )


def _cut_at_stamps(lines: pl.DataFrame) -> pl.DataFrame:
    """A stamp belongs to the write behind it; text before the first one keeps the line's own time."""
    pieces = _cut_at(lines.with_columns(pl.col("text").str.replace_all("\r", SEPARATOR, literal=True)), SEPARATOR)
    stamp = pl.col("text").str.extract(r"^([0-9T:.-]{26}) -$", 1)
    moment = stamp.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    return pieces.with_columns(pl.coalesce(moment.forward_fill().over("source", "line"), "time").alias("time")).filter(
        stamp.is_null()
    )
