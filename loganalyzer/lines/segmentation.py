"""Pieces to segments: the pieces of physical lines in which a message or a bar's refresh can stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from loganalyzer.lines import html_text
from loganalyzer.lines.carriage_returns import is_spelled
from loganalyzer.lines.dictionary import Repeats, repeats, together
from loganalyzer.lines.escape_codes import INSIDE_TEXT
from loganalyzer.lines.json_lines import HIDING, OPENINGS, escaped
from loganalyzer.lines.prefixes import SEPARATOR, STAMP_INSIDE, is_prefixed, is_quoted, unwrap
from loganalyzer.sources.chunks import CUT_MARKS, Piece, is_cut
from loganalyzer.tables.frames import filter_mask

PLACES = pl.Schema(
    {
        "source": pl.UInt32(),
        "line": pl.Int64(),
        "part": pl.UInt32(),
        "stream": pl.String(),
        "time": pl.Datetime("us"),
    }
)

_BLANKS = " \t\r"
_CODES_OR_CUTS = f"[{''.join(INSIDE_TEXT)}\r]"
_CONTAINED = [*(mark.decode() for mark in CUT_MARKS), *OPENINGS]
"""Lines without any of these, without a stamp or a prefix are segments as they stand."""


class Segments(NamedTuple):
    """Pieces of physical lines.

    Attributes:
        places: `PLACES`, in the order of source, line, part: `source` is the input's number, `line` the physical line
            from 1, `part` the place among the line's segments.
        told: what each says.
    """

    places: pl.DataFrame
    told: Repeats

    def those(self, mask: pl.Series) -> Segments:
        """The segments where `mask` is true."""
        return Segments(filter_mask(self.places, mask), self.told.those(mask))


def joined(parts: Sequence[Segments]) -> Segments:
    """All of these, which are in order; at least one."""
    if len(parts) == 1:
        return parts[0]
    return Segments(pl.concat([part.places for part in parts]), together([part.told for part in parts]))


def segments(pieces: Sequence[Piece], anchors: Sequence[str]) -> Segments:
    """All segments of these pieces that hold one of the fixed texts `anchors`; other lines are dropped unread.

    A line is cut at carriage returns (each is one refresh of a bar) and in front of stamps that stand inside it.
    Lines that say what others say are looked at once.
    """
    data = pieces[0].data if len(pieces) == 1 else b"".join(piece.data for piece in pieces)
    if not data:
        return Segments(pl.DataFrame(schema=PLACES), Repeats(pl.Series("text", [], dtype=pl.String)))
    lines = pl.scan_lines(data, name="text", row_index_name="row").collect()
    told = _unwrapped(repeats(lines["text"]))
    if told is not None:
        held = _holding(Segments(lines.select("row"), told), anchors)
        return Segments(_placed(_numbered(held.places, pieces)), held.told)
    kept = _numbered(_lines_with(lines, data, anchors), pieces)
    cut = _cut(unwrap(kept, anchors))
    found = Segments(cut.select((pl.col(name).cast(dtype) for name, dtype in PLACES.items())), repeats(cut["text"]))
    return found if cut.height == kept.height else _holding(found, anchors)


def _unwrapped(told: Repeats) -> Repeats | None:
    """`told` where its texts repeat, and none holds anything to take off or to cut at; else None."""
    if told.places is None:
        return None
    texts = told.texts.str.strip_chars_end(_BLANKS)
    is_plain = not (
        texts.str.contains(_CODES_OR_CUTS).any()
        or texts.str.contains_any(_CONTAINED).any()
        or texts.str.contains(STAMP_INSIDE).any()
        or is_spelled(texts).any()
        or is_quoted(texts).any()
        or html_text.is_html(texts).any()
        or is_prefixed(texts).any()
        or ((texts != told.texts).any() and texts.is_duplicated().any())
    )
    return Repeats(texts, told.places) if is_plain else None


def _holding(found: Segments, anchors: Sequence[str]) -> Segments:
    """The segments that hold one of the fixed texts."""
    return found.those(found.told.spread(found.told.texts.str.contains_any(list(anchors))))


def _lines_with(lines: pl.DataFrame, data: bytes, anchors: Sequence[str]) -> pl.DataFrame:
    """The lines of `data` that hold a fixed text, or may.

    Lines with what nobody sees inside, or with escapes, are kept whatever they say, since these may stand inside a
    fixed text; so are all lines of pieces in which a container runtime cut lines, perhaps in the middle of one.
    """
    text = lines["text"].str
    if text.contains_any([mark.decode() for mark in CUT_MARKS]).any() and is_cut(data):
        return lines
    return filter_mask(
        lines, text.contains_any([*anchors, *escaped(anchors), *INSIDE_TEXT, *html_text.INSIDE_TEXT, *HIDING])
    )


def _numbered(rows: pl.DataFrame, pieces: Sequence[Piece]) -> pl.DataFrame:
    """`rows` of all pieces together, with the source and the line of each in place of `row`."""
    row = rows["row"].cast(pl.Int64)
    if len(pieces) == 1:
        source, line = pl.lit(pieces[0].source, pl.UInt32), row + pieces[0].first_line
    else:
        ends = pl.Series([piece.lines for piece in pieces], dtype=pl.Int64).cum_sum()
        place = ends.search_sorted(row, side="right")
        offsets = pl.Series([piece.first_line for piece in pieces], dtype=pl.Int64) - ends.shift(1, fill_value=0)
        source = pl.lit(pl.Series([piece.source for piece in pieces], dtype=pl.UInt32).gather(place))
        line = row + offsets.gather(place)
    return rows.select(source.alias("source"), line.alias("line"), pl.exclude("row"))


def _placed(lines: pl.DataFrame) -> pl.DataFrame:
    """`lines` (source, line) as segments of which nothing was taken off or cut."""
    return lines.select(
        "source",
        "line",
        pl.lit(0, PLACES["part"]).alias("part"),
        *(pl.lit(None, PLACES[name]).alias(name) for name in ("stream", "time")),
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
        return lines.select(pl.lit(0, pl.UInt32).alias(name) if name == "part" else name for name in (*PLACES, "text"))
    return (
        lines.with_columns(pl.col("text").str.split(separator))
        .with_columns(pl.int_ranges(0, pl.col("text").list.len(), dtype=pl.UInt32).alias("part"))
        .explode("text", "part")
        .with_columns(pl.col("text").str.strip_chars_end(_BLANKS))
        .select(*PLACES, "text")
    )


def _cut_at_stamps(lines: pl.DataFrame) -> pl.DataFrame:
    """A stamp belongs to the write behind it; text before the first one keeps the line's own time."""
    pieces = _cut_at(lines.with_columns(pl.col("text").str.replace_all("\r", SEPARATOR, literal=True)), SEPARATOR)
    stamp = pl.col("text").str.extract(r"^([0-9T:.-]{26}) -$", 1)
    moment = stamp.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    return pieces.with_columns(pl.coalesce(moment.forward_fill().over("source", "line"), "time").alias("time")).filter(
        stamp.is_null()
    )
