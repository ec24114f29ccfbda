"""Extracts records from segments: the messages and their values, and lines that nearly match a message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from loganalyzer.grammar.compiled import BAR_MARKS, CompiledPattern, Grammars
from loganalyzer.grammar.lower import read_all
from loganalyzer.lines.dictionary import EncodedTexts
from loganalyzer.lines.doubled_lines import drop_doubles
from loganalyzer.lines.segmentation import Segments
from loganalyzer.records.listed_values import count_values, list_values
from loganalyzer.tables.frames import (
    anti_join,
    filter_mask,
    first_of_equal_neighbors,
    group_agg,
    join_pairs,
    sort_by,
    unique_by,
    unique_rows,
)
from loganalyzer.tables.listed_values import VALUES

KEY = ("source", "line", "part")
EMPTY_NEAR_MISSES = pl.DataFrame(
    schema={"source": pl.UInt32, "line": pl.Int64, "pattern": pl.String, "text": pl.String}
)
EMPTY_COUNTS = pl.DataFrame(schema={"source": pl.UInt32, **dict.fromkeys(("records", "near", "known"), pl.Int64)})
_MAX_SEARCHED = 10_000
NEAR_MISS_EVENTS = {
    "exception": "failure-like",
    "wrapper-error": "failure-like",
    "out-of-memory": "failure-like",
    "interruption": "interruption-like",
}
"""Events whose near misses become events too: a reworded message about a prompt's end must not go unnoticed."""
MAX_NEAR_MISSES = 1000
"""Near misses of one input that keep their text; further ones are only counted."""


@dataclass(frozen=True, eq=False)
class Records:
    """The content of a batch of chunks.

    Attributes:
        events: event to its records: source (number), line, part, stream, time, pattern (id), and, if the event's
            values are used, one column per field of its patterns. Patterns that users added have the column `VALUES` of
            `tables.listed_values` instead.
        messages: source, stream, line, event, text of every message that is not a bar.
        bars: per pattern source, line, text (String or Enum): the last state of a progress bar on each line.
        near: source, line, pattern, text: lines that nearly match a message, at most `MAX_NEAR_MISSES` per input.
        counts: source, records, near, known: the numbers of recognized lines, of nearly matching lines, and of lines
            that are either, since a line's segments may be both.
    """

    events: Mapping[str, pl.DataFrame]
    messages: pl.DataFrame
    bars: Sequence[pl.DataFrame]
    near: pl.DataFrame
    counts: pl.DataFrame


def extract(segments: Segments, grammars: Grammars) -> Records:
    """Extracts all messages and bars from these segments."""
    texts = segments.texts.values.str
    has_bar = texts.contains_any(list(BAR_MARKS))
    closed = texts.ends_with("s/it]") | texts.ends_with("it/s]")
    bars = list(_parse_bars(grammars, segments.filter(segments.texts.expand(has_bar))))
    others = drop_doubles(segments.filter(segments.texts.expand(~(has_bar & closed))))
    candidates = _find_candidates(grammars, others.places.with_columns(others.texts.per_row.alias("text")))
    recognized, messages = _parse_messages(candidates)
    near = _select_near_misses(bars, messages, recognized)
    return Records(
        events=_group_by_event([*bars, *messages]) | _near_miss_events(near, grammars),
        messages=recognized.select("source", "stream", "line", "event", "text"),
        bars=tuple(one.shown for one in bars if one.shown is not None),
        near=near[:, EMPTY_NEAR_MISSES.columns].group_by("source", maintain_order=True).head(MAX_NEAR_MISSES),
        counts=_count_lines([recognized, *(one.records for one in bars)], near),
    )


class _PatternResult(NamedTuple):
    """The result of one pattern for a batch; `shown` as in `Records.bars`."""

    item: CompiledPattern
    records: pl.DataFrame
    near: pl.DataFrame | None
    shown: pl.DataFrame | None = None


def _parse_bars(grammars: Grammars, rest: Segments) -> Iterator[_PatternResult]:
    """Parses bars. A segment contains one bar, so a segment that a pattern matched is not offered to the next ones."""
    for item in _select_occurring([item for item in grammars.compiled if item.is_bar], rest.texts.values):
        if rest.places.is_empty():
            return
        carries = rest.texts.expand(rest.texts.values.str.contains_any(list(item.anchors)))
        if not carries.any():
            continue
        own = rest.filter(carries)
        reads, values = item.lowered.read(own.texts.values)
        fits = own.texts.expand(reads)
        read = own.filter(fits)
        if read.texts.codes is not None:
            at = read.texts.codes
            values = values[at] if reads.all() else values[(reads.cum_sum() - 1).gather(at)]
        name = pl.lit(item.pattern.id).alias("pattern")
        records = read.places.with_columns(name, *values.get_columns())
        if item.lists_values:
            records = records.with_columns(list_values(item.value_form, read.texts.per_row))
        yield _PatternResult(item, records, _find_near_misses(item, own, fits), _last_on_line(read))
        rest = rest.filter(~fits if carries.all() else ~carries.scatter(carries.arg_true(), fits))


def _select_occurring(patterns: Sequence[CompiledPattern], texts: pl.Series) -> Sequence[CompiledPattern]:
    """The patterns with a fixed text that occurs. With many texts this costs more than it saves and is skipped."""
    if len(texts) > _MAX_SEARCHED:
        return patterns
    anchors = sorted({text for item in patterns for text in item.anchors})
    found = set(
        texts.to_frame("text").select(pl.col("text").str.extract_many(anchors, overlapping=True).explode()).to_series()
    )
    return [item for item in patterns if not found.isdisjoint(item.anchors)]


class _Candidates(NamedTuple):
    """For each pattern the segments that contain one of its fixed texts, pattern by pattern.

    Attributes:
        rows: `PLACES`, text, and the pattern's `event` and `pattern` (id).
        spans: each pattern and its number of rows.
    """

    rows: pl.DataFrame
    spans: Sequence[tuple[CompiledPattern, int]]


def _find_candidates(grammars: Grammars, rows: pl.DataFrame) -> _Candidates:
    """Finds the segments of each pattern by its fixed texts in one pass. A segment may contain several messages."""
    patterns = [item for item in grammars.compiled if not item.is_bar]
    owners = [(text, place) for place, item in enumerate(patterns) for text in item.anchors]
    texts = sorted({text for text, _ in owners})
    pairs = (
        rows.select(pl.col("text").str.extract_many(texts, overlapping=True).alias("anchor"))
        .with_row_index("at")
        .explode("anchor")
        .pipe(
            join_pairs, pl.DataFrame(owners, schema={"anchor": pl.String, "place": pl.UInt32}, orient="row"), ["anchor"]
        )
        .select("place", "at")
        .pipe(unique_rows)
        .pipe(sort_by, "place", "at")
    )
    names = (
        pl.Series(name, labels, dtype=pl.String).gather(pairs["place"])
        for name, labels in (
            ("event", [item.pattern.event for item in patterns]),
            ("pattern", [item.pattern.id for item in patterns]),
        )
    )
    counts = pairs["place"].rle().struct.unnest().select("value", "len").rows()
    return _Candidates(rows[pairs["at"]].with_columns(*names), [(patterns[place], count) for place, count in counts])


def _parse_messages(candidates: _Candidates) -> tuple[pl.DataFrame, list[_PatternResult]]:
    """All messages, columns as in `_Candidates.rows`, and the result of each pattern."""
    texts, inputs, start = candidates.rows.select("text").with_row_index("row"), [], 0
    for item, count in candidates.spans:
        inputs.append((item.lowered, texts.slice(start, count)))
        start += count
    read = read_all(inputs)
    recognized = filter_mask(candidates.rows, pl.concat([_NO_MATCHES, *(found["fits"] for found in read)]))
    records, results, start, row_offset = recognized.drop("event", "text"), [], 0, 0
    for (item, count), found in zip(candidates.spans, read, strict=True):
        fits = found["fits"]
        own = records.slice(start, int(fits.sum()))
        if item.lowered.groups:
            own = own.with_columns(filter_mask(found, fits).drop("row", "text", "fits").get_columns())
        if item.lists_values:
            own = own.with_columns(list_values(item.value_form, recognized["text"].slice(start, own.height)))
        rows = candidates.rows.slice(row_offset, count)
        near = None if fits.all() else _find_near_misses(item, _as_segments(rows), fits)
        results.append(_PatternResult(item, own, near))
        start, row_offset = start + own.height, row_offset + count
    return recognized, results


_NO_MATCHES = pl.Series("fits", [], dtype=pl.Boolean)


def _as_segments(rows: pl.DataFrame) -> Segments:
    return Segments(rows, EncodedTexts(rows["text"]))


def _find_near_misses(item: CompiledPattern, own: Segments, fits: pl.Series) -> pl.DataFrame | None:
    """Segments that contain a pattern's fixed text and nearly match it."""
    if fits.all():
        return None
    rest = own.filter(~fits)
    near = rest.filter(rest.texts.expand(rest.texts.values.str.contains(item.signature)))
    if near.places.is_empty():
        return None
    named = (pl.lit(item.pattern.id).alias("pattern"), pl.lit(len(item.signature)).alias("weight"))
    return near.places[:, [*KEY, "stream", "time"]].with_columns(*named).hstack([near.texts.per_row.alias("text")])


def _last_on_line(bars: Segments) -> pl.DataFrame:
    shown = bars.places.select("source", "line").with_columns(bars.texts.as_enum.alias("text"))
    is_last = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(-1)) for name in ("source", "line"))
    return shown.filter(is_last)


def _group_by_event(found: Sequence[_PatternResult]) -> dict[str, pl.DataFrame]:
    events: dict[str, list[pl.DataFrame]] = {}
    for one in found:
        if not one.records.is_empty():
            events.setdefault(one.item.pattern.event, []).append(one.records)
    return {event: _merge_forms(frames) for event, frames in events.items()}


_COMMON_COLUMNS = frozenset({*KEY, "stream", "time", "pattern", VALUES})


def _merge_forms(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """If two forms of an event match the same segment, the one with more values."""
    if len(frames) == 1:
        return frames[0]
    all_forms = pl.concat(frames, how="diagonal_relaxed")
    filled = [pl.col(name).is_not_null().cast(pl.Int32) for name in all_forms.columns if name not in _COMMON_COLUMNS]
    if VALUES in all_forms.columns:
        filled.append(count_values())
    return (
        all_forms.with_columns(pl.sum_horizontal(*filled, pl.lit(0)).alias("filled"))
        .sort(*KEY, "filled", descending=[False, False, False, True], maintain_order=True)
        .unique(subset=list(KEY), keep="first", maintain_order=True)
        .drop("filled")
    )


def _select_near_misses(
    bars: Sequence[_PatternResult], messages: Sequence[_PatternResult], recognized: pl.DataFrame
) -> pl.DataFrame:
    """Near misses in segments without a recognized message; the most specific pattern for each.

    A message whose fixed text resembles a bar is not a near miss where the bar itself was parsed.
    """
    bar_like = [one for one in messages if _contains_bar_text(one.item, bars)]
    rest = [one for one in messages if one not in bar_like] if bar_like else messages
    drawn = [recognized, *(one.records for one in bars)]
    near = [*_drop_recognized(rest, [recognized]), *_drop_recognized(bar_like, drawn), *_drop_recognized(bars, drawn)]
    if not near:
        return EMPTY_NEAR_MISSES
    return (
        pl.concat(near)
        .sort(*KEY, "weight", descending=[False, False, False, True], maintain_order=True)
        .pipe(unique_by, *KEY)
        .drop("weight")
    )


def _contains_bar_text(item: CompiledPattern, bars: Sequence[_PatternResult]) -> bool:
    """Whether a message's fixed text contains that of a bar that occurs."""
    return any(text in own for one in bars for text in one.item.anchors for own in item.anchors)


def _near_miss_events(near: pl.DataFrame, grammars: Grammars) -> dict[str, pl.DataFrame]:
    """Near misses of messages about a prompt's end, as events of their own."""
    if near.is_empty():
        return {}
    names = {
        item.pattern.id: NEAR_MISS_EVENTS[item.pattern.event]
        for item in grammars.compiled
        if item.pattern.event in NEAR_MISS_EVENTS
    }
    labeled = near.with_columns(
        pl.col("pattern").replace_strict(names, default=None, return_dtype=pl.String).alias("like")
    )
    frames = {name: labeled.filter(pl.col("like") == name).drop("like", "text") for name in {*names.values()}}
    return {name: frame for name, frame in frames.items() if not frame.is_empty()}


def _drop_recognized(results: Sequence[_PatternResult], recognized: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """The near misses of `results` in segments without a recognized message."""
    near = [one.near for one in results if one.near is not None]
    if not near:
        return []
    known = pl.concat([records.select(KEY) for records in recognized])
    return [anti_join(pl.concat(near), known, *KEY)]


def _count_lines(recognized: Sequence[pl.DataFrame], near: pl.DataFrame) -> pl.DataFrame:
    place = ("source", "line")
    lines = [first_of_equal_neighbors(frame.select(place), *place) for frame in recognized]
    marked = pl.concat(
        [
            pl.concat(lines).with_columns(seen=pl.lit(value=True)),
            near.select(place).with_columns(seen=pl.lit(value=False)),
        ]
    )
    return marked.pipe(
        group_agg,
        ["source"],
        pl.col("line").filter("seen").n_unique().cast(pl.Int64).alias("records"),
        pl.col("line").filter(~pl.col("seen")).n_unique().cast(pl.Int64).alias("near"),
        pl.col("line").n_unique().cast(pl.Int64).alias("known"),
    )
