"""Pieces to segments: the pieces of physical lines in which a message or a bar's refresh can stand."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from loganalyzer.pieces import CUT_MARKS, Piece, is_cut
from loganalyzer.wrappers import INSIDE_TEXT, SEPARATOR, STAMP_INSIDE, unwrap

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

_BLANKS = " \t\r"


def segments(pieces: Sequence[Piece], anchors: Sequence[str]) -> pl.DataFrame:
    """All segments of these pieces that hold one of the fixed texts `anchors`; other lines are dropped unread.

    Columns as in `SEGMENTS`, in the order of source, line, part: `source` is the input's number, `line` the physical
    line from 1, `part` the place among the line's segments. A line is cut at carriage returns (each is one refresh
    of a bar) and in front of stamps that stand inside it.
    """
    kept = _lines_with(pieces, anchors)
    if kept.is_empty():
        return pl.DataFrame(schema=SEGMENTS)
    cut = _cut(unwrap(kept))
    if cut.height != kept.height:
        cut = cut.filter(pl.col("text").str.contains_any(list(anchors)))
    return cut.select(pl.col(name).cast(dtype) for name, dtype in SEGMENTS.items())


def _lines_with(pieces: Sequence[Piece], anchors: Sequence[str]) -> pl.DataFrame:
    """The only place that reads lines: polars marks `scan_lines` as unstable.

    Lines with codes or NULs inside are kept whatever they say, since these may stand inside a fixed text; so are all
    lines of pieces in which a container runtime cut lines, perhaps in the middle of one.
    """
    data = pieces[0].data if len(pieces) == 1 else b"".join(piece.data for piece in pieces)
    if not data:
        return pl.DataFrame(schema={"source": pl.UInt32, "line": pl.Int64, "text": pl.String})
    text = pl.col("text").str
    wanted = text.contains_any(list(anchors))
    if any(code.encode() in data for code in INSIDE_TEXT):
        wanted |= text.contains_any(list(INSIDE_TEXT))
    every = pl.scan_lines(data, name="text", row_index_name="row")
    may_be_cut = every.select(text.contains_any([mark.decode() for mark in CUT_MARKS]).any()).collect().item()
    rows = (every if may_be_cut and is_cut(data) else every.filter(wanted)).collect()
    if len(pieces) == 1:
        return rows.select(
            pl.lit(pieces[0].source, pl.UInt32).alias("source"),
            (pl.col("row").cast(pl.Int64) + pieces[0].first_line).alias("line"),
            "text",
        )
    ends = pl.Series([piece.lines for piece in pieces], dtype=pl.Int64).cum_sum()
    place = ends.search_sorted(rows["row"].cast(pl.Int64), side="right")
    sources = pl.Series([piece.source for piece in pieces], dtype=pl.UInt32)
    offsets = pl.Series([piece.first_line for piece in pieces], dtype=pl.Int64) - ends.shift(1, fill_value=0)
    return rows.select(
        sources.gather(place).alias("source"),
        (pl.col("row").cast(pl.Int64) + offsets.gather(place)).alias("line"),
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
    lines = lines.with_columns(pl.col("text").str.strip_chars_end(_BLANKS))
    if not lines["text"].str.contains(separator, literal=True).any():
        return lines.select(pl.lit(0, pl.UInt32).alias(name) if name == "part" else name for name in SEGMENTS.names())
    return (
        lines.with_columns(pl.col("text").str.split(separator))
        .with_columns(pl.int_ranges(0, pl.col("text").list.len(), dtype=pl.UInt32).alias("part"))
        .explode("text", "part")
        .with_columns(pl.col("text").str.strip_chars_end(_BLANKS))
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
