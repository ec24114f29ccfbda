"""Splits chunks into segments: the parts of physical lines that can contain a message or a bar's refresh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from loganalyzer.lines import html_text
from loganalyzer.lines.carriage_returns import has_spelled_returns
from loganalyzer.lines.dictionary import EncodedTexts, concat_encoded, encode_texts
from loganalyzer.lines.escape_codes import INSIDE_TEXT
from loganalyzer.lines.json_lines import HIDDEN_TEXT_MARKS, OPENINGS, escape_texts
from loganalyzer.lines.prefixes import SEPARATOR, STAMP_INSIDE, has_prefix, is_quoted, unwrap
from loganalyzer.sources.chunks import CUT_MARKS, Chunk, may_have_split_lines
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
"""Lines without any of these, without a timestamp and without a prefix are segments as they are."""


class Segments(NamedTuple):
    """Parts of physical lines.

    Attributes:
        places: `PLACES`, in the order of source, line, part: `source` is the input's number, `line` the physical line
            from 1, `part` the index among the line's segments.
        texts: the text of each.
    """

    places: pl.DataFrame
    texts: EncodedTexts

    def filter(self, mask: pl.Series) -> Segments:
        """The segments for which `mask` is true."""
        return Segments(filter_mask(self.places, mask), self.texts.filter(mask))


def concat_segments(parts: Sequence[Segments]) -> Segments:
    """Concatenates segments, given in order; at least one."""
    if len(parts) == 1:
        return parts[0]
    return Segments(pl.concat([part.places for part in parts]), concat_encoded([part.texts for part in parts]))


def split_segments(chunks: Sequence[Chunk], anchors: Sequence[str]) -> Segments:
    """All segments of these chunks that contain one of the fixed texts `anchors`; other lines are dropped unparsed.

    A line is split at carriage returns (each is one refresh of a bar) and before timestamps inside it. Lines with equal
    texts are examined once.
    """
    data = chunks[0].data if len(chunks) == 1 else b"".join(chunk.data for chunk in chunks)
    if not data:
        return Segments(pl.DataFrame(schema=PLACES), EncodedTexts(pl.Series("text", [], dtype=pl.String)))
    lines = pl.scan_lines(data, name="text", row_index_name="row").collect()
    texts = _strip_if_plain(encode_texts(lines["text"]))
    if texts is not None:
        anchored = _select_anchored(Segments(lines.select("row"), texts), anchors)
        return Segments(_as_uncut_segments(_number_lines(anchored.places, chunks)), anchored.texts)
    kept = _number_lines(_select_candidate_lines(lines, data, anchors), chunks)
    cut = _cut_lines(unwrap(kept, anchors))
    found = Segments(
        cut.select((pl.col(name).cast(dtype) for name, dtype in PLACES.items())), encode_texts(cut["text"])
    )
    return found if cut.height == kept.height else _select_anchored(found, anchors)


def _strip_if_plain(encoded: EncodedTexts) -> EncodedTexts | None:
    """`encoded` without trailing blanks if its texts repeat and none needs stripping or splitting; else None."""
    if encoded.codes is None:
        return None
    texts = encoded.values.str.strip_chars_end(_BLANKS)
    is_plain = not (
        texts.str.contains(_CODES_OR_CUTS).any()
        or texts.str.contains_any(_CONTAINED).any()
        or texts.str.contains(STAMP_INSIDE).any()
        or has_spelled_returns(texts).any()
        or is_quoted(texts).any()
        or html_text.is_html(texts).any()
        or has_prefix(texts).any()
        or ((texts != encoded.values).any() and texts.is_duplicated().any())
    )
    return EncodedTexts(texts, encoded.codes) if is_plain else None


def _select_anchored(found: Segments, anchors: Sequence[str]) -> Segments:
    """The segments that contain one of the fixed texts."""
    return found.filter(found.texts.expand(found.texts.values.str.contains_any(list(anchors))))


def _select_candidate_lines(lines: pl.DataFrame, data: bytes, anchors: Sequence[str]) -> pl.DataFrame:
    """The lines of `data` that contain a fixed text, or may.

    Lines with invisible characters or escapes are kept whatever they say, since these may occur inside a fixed text. So
    are all lines of chunks in which a container runtime split lines, perhaps within a fixed text.
    """
    text = lines["text"].str
    if text.contains_any([mark.decode() for mark in CUT_MARKS]).any() and may_have_split_lines(data):
        return lines
    return filter_mask(
        lines,
        text.contains_any(
            [*anchors, *escape_texts(tuple(anchors)), *INSIDE_TEXT, *html_text.INSIDE_TEXT, *HIDDEN_TEXT_MARKS]
        ),
    )


def _number_lines(rows: pl.DataFrame, chunks: Sequence[Chunk]) -> pl.DataFrame:
    """`rows` of all chunks together, with each row's source and line in place of `row`."""
    row = rows["row"].cast(pl.Int64)
    if len(chunks) == 1:
        source, line = pl.lit(chunks[0].source, pl.UInt32), row + chunks[0].first_line
    else:
        ends = pl.Series([chunk.lines for chunk in chunks], dtype=pl.Int64).cum_sum()
        place = ends.search_sorted(row, side="right")
        offsets = pl.Series([chunk.first_line for chunk in chunks], dtype=pl.Int64) - ends.shift(1, fill_value=0)
        source = pl.lit(pl.Series([chunk.source for chunk in chunks], dtype=pl.UInt32).gather(place))
        line = row + offsets.gather(place)
    return rows.select(source.alias("source"), line.alias("line"), pl.exclude("row"))


def _as_uncut_segments(lines: pl.DataFrame) -> pl.DataFrame:
    """`lines` (source, line) as segments that needed no stripping or splitting."""
    return lines.select(
        "source",
        "line",
        pl.lit(0, PLACES["part"]).alias("part"),
        *(pl.lit(None, PLACES[name]).alias(name) for name in ("stream", "time")),
    )


def _cut_lines(lines: pl.DataFrame) -> pl.DataFrame:
    stamped = lines["text"].str.contains(STAMP_INSIDE)
    if stamped.any():
        marked = lines.filter(stamped).with_columns(
            pl.col("text").str.replace_all(STAMP_INSIDE, SEPARATOR + "${1} - " + SEPARATOR)
        )
        return pl.concat([_cut_at_separator(lines.filter(~stamped), "\r"), _cut_at_stamps(marked)]).sort(
            "source", "line", "part"
        )
    return _cut_at_separator(lines, "\r")


def _cut_at_separator(lines: pl.DataFrame, separator: str) -> pl.DataFrame:
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
    """A timestamp belongs to the write that follows it; text before the first timestamp keeps the line's own time."""
    chunks = _cut_at_separator(
        lines.with_columns(pl.col("text").str.replace_all("\r", SEPARATOR, literal=True)), SEPARATOR
    )
    stamp = pl.col("text").str.extract(r"^([0-9T:.-]{26}) -$", 1)
    moment = stamp.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    return chunks.with_columns(pl.coalesce(moment.forward_fill().over("source", "line"), "time").alias("time")).filter(
        stamp.is_null()
    )
