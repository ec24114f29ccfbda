"""Segments to records: which messages stand in them, with which values, and which almost stood there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from loganalyzer.grammar.compiled import BAR_MARKS, Compiled, Grammars
from loganalyzer.grammar.lower import read_all
from loganalyzer.lines.dictionary import Repeats
from loganalyzer.lines.doubled_lines import without_doubles
from loganalyzer.lines.segmentation import Segments
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

KEY = ("source", "line", "part")
NO_NEAR = pl.DataFrame(schema={"source": pl.UInt32, "line": pl.Int64, "pattern": pl.String, "text": pl.String})
NO_COUNTS = pl.DataFrame(schema={"source": pl.UInt32, **dict.fromkeys(("records", "near", "known"), pl.Int64)})
_FEW = 10_000
ALIKE = {
    "exception": "failure-like",
    "wrapper-error": "failure-like",
    "out-of-memory": "failure-like",
    "interruption": "interruption-like",
}
"""Events whose near misses are events too: a message about a prompt's end that has changed must not be silence."""
MOST_NEAR = 1000
"""Near misses of one input that are kept with their text; the rest is counted."""


@dataclass(frozen=True, eq=False)
class Records:
    """What a batch of pieces says.

    Attributes:
        events: event to its records: source (number), line, part, stream, time, pattern (id), and, where the event's
            values are asked for, one column per hole of its patterns.
        messages: source, stream, line, event, text of every message that is no bar.
        bars: by pattern source, line, text (String or Enum): what a progress bar showed last on each line.
        near: source, line, pattern, text: lines that are almost a message, `MOST_NEAR` of each input.
        counts: source, records, near, known: how many lines were recognised, how many almost, and how many were either,
            since a line's segments may be both.
    """

    events: Mapping[str, pl.DataFrame]
    messages: pl.DataFrame
    bars: Sequence[pl.DataFrame]
    near: pl.DataFrame
    counts: pl.DataFrame


def extract(segments: Segments, grammars: Grammars) -> Records:
    """All messages and bars in these segments."""
    texts = segments.told.texts.str
    has_bar = texts.contains_any(list(BAR_MARKS))
    closed = texts.ends_with("s/it]") | texts.ends_with("it/s]")
    bars = list(_bars(grammars, segments.those(segments.told.spread(has_bar))))
    others = without_doubles(segments.those(segments.told.spread(~(has_bar & closed))))
    carrying = _carrying(grammars, others.places.with_columns(others.told.rows.alias("text")))
    said, messages = _messages(carrying)
    near = _unrecognised(bars, messages, said)
    return Records(
        events=_by_event([*bars, *messages]) | _alike(near, grammars),
        messages=said.select("source", "stream", "line", "event", "text"),
        bars=tuple(one.shown for one in bars if one.shown is not None),
        near=near[:, NO_NEAR.columns].group_by("source", maintain_order=True).head(MOST_NEAR),
        counts=_counts([said, *(one.records for one in bars)], near),
    )


class _Scanned(NamedTuple):
    """What one pattern reads in a batch; `shown` as in `Records.bars`."""

    item: Compiled
    records: pl.DataFrame
    near: pl.DataFrame | None
    shown: pl.DataFrame | None = None


def _bars(grammars: Grammars, rest: Segments) -> Iterator[_Scanned]:
    """A segment holds one bar: what a pattern reads, the next ones need not look at."""
    for item in _occurring([item for item in grammars.compiled if item.is_bar], rest.told.texts):
        if rest.places.is_empty():
            return
        carries = rest.told.spread(rest.told.texts.str.contains_any(list(item.anchors)))
        if not carries.any():
            continue
        own = rest.those(carries)
        reads, values = item.lowered.read(own.told.texts)
        fits = own.told.spread(reads)
        read = own.those(fits)
        if read.told.places is not None:
            at = read.told.places
            values = values[at] if reads.all() else values[(reads.cum_sum() - 1).gather(at)]
        name = pl.lit(item.pattern.id).alias("pattern")
        records = read.places.with_columns(name, *values.get_columns())
        yield _Scanned(item, records, _near(item, own, fits), _last_on_line(read))
        rest = rest.those(~fits if carries.all() else ~carries.scatter(carries.arg_true(), fits))


def _occurring(patterns: Sequence[Compiled], texts: pl.Series) -> Sequence[Compiled]:
    """Those of which a fixed text occurs; not asked of many texts, where one look for all costs more than it saves."""
    if len(texts) > _FEW:
        return patterns
    anchors = sorted({text for item in patterns for text in item.anchors})
    found = set(
        texts.to_frame("text").select(pl.col("text").str.extract_many(anchors, overlapping=True).explode()).to_series()
    )
    return [item for item in patterns if not found.isdisjoint(item.anchors)]


class _Carrying(NamedTuple):
    """Segments, for each pattern that has any those that carry one of its fixed texts, pattern after pattern.

    Attributes:
        rows: `lines.PLACES`, text, and the pattern's `event` and `pattern` (id).
        spans: each pattern and how many of the rows are its own.
    """

    rows: pl.DataFrame
    spans: Sequence[tuple[Compiled, int]]


def _carrying(grammars: Grammars, rows: pl.DataFrame) -> _Carrying:
    """A segment holds one message or several; those of a pattern are found by its fixed texts, all in one pass."""
    patterns = [item for item in grammars.compiled if not item.is_bar]
    owners = [(text, place) for place, item in enumerate(patterns) for text in item.anchors]
    texts = sorted({text for text, _ in owners})
    held = (
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
        pl.Series(name, told, dtype=pl.String).gather(held["place"])
        for name, told in (
            ("event", [item.pattern.event for item in patterns]),
            ("pattern", [item.pattern.id for item in patterns]),
        )
    )
    counts = held["place"].rle().struct.unnest().select("value", "len").rows()
    return _Carrying(rows[held["at"]].with_columns(*names), [(patterns[place], count) for place, count in counts])


def _messages(carrying: _Carrying) -> tuple[pl.DataFrame, list[_Scanned]]:
    """All messages, columns as in `_Carrying.rows`, and what each pattern reads."""
    texts, wanted, start = carrying.rows.select("text").with_row_index("row"), [], 0
    for item, count in carrying.spans:
        wanted.append((item.lowered, texts.slice(start, count)))
        start += count
    read = read_all(wanted)
    said = filter_mask(carrying.rows, pl.concat([_NONE, *(found["fits"] for found in read)]))
    records, scanned, start, behind = said.drop("event", "text"), [], 0, 0
    for (item, count), found in zip(carrying.spans, read, strict=True):
        fits = found["fits"]
        own = records.slice(start, int(fits.sum()))
        if item.lowered.groups:
            own = own.with_columns(filter_mask(found, fits).drop("row", "text", "fits").get_columns())
        near = None if fits.all() else _near(item, _segments(carrying.rows.slice(behind, count)), fits)
        scanned.append(_Scanned(item, own, near))
        start, behind = start + own.height, behind + count
    return said, scanned


_NONE = pl.Series("fits", [], dtype=pl.Boolean)


def _segments(rows: pl.DataFrame) -> Segments:
    return Segments(rows, Repeats(rows["text"]))


def _near(item: Compiled, own: Segments, fits: pl.Series) -> pl.DataFrame | None:
    """Of segments that carry a pattern's fixed texts those that almost fit it."""
    if fits.all():
        return None
    rest = own.those(~fits)
    near = rest.those(rest.told.spread(rest.told.texts.str.contains(item.signature)))
    if near.places.is_empty():
        return None
    named = (pl.lit(item.pattern.id).alias("pattern"), pl.lit(len(item.signature)).alias("weight"))
    return near.places[:, [*KEY, "stream", "time"]].with_columns(*named).hstack([near.told.rows.alias("text")])


def _last_on_line(bars: Segments) -> pl.DataFrame:
    shown = bars.places.select("source", "line").with_columns(bars.told.coded.alias("text"))
    behind = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(-1)) for name in ("source", "line"))
    return shown.filter(behind)


def _by_event(found: Sequence[_Scanned]) -> dict[str, pl.DataFrame]:
    events: dict[str, list[pl.DataFrame]] = {}
    for one in found:
        if not one.records.is_empty():
            events.setdefault(one.item.pattern.event, []).append(one.records)
    return {event: _one_form(frames) for event, frames in events.items()}


_ALWAYS = frozenset({*KEY, "stream", "time", "pattern"})


def _one_form(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Where two forms of an event fit the same segment, the one that says more: the one with more values."""
    if len(frames) == 1:
        return frames[0]
    every = pl.concat(frames, how="diagonal_relaxed")
    filled = (pl.col(name).is_not_null().cast(pl.Int32) for name in every.columns if name not in _ALWAYS)
    return (
        every.with_columns(pl.sum_horizontal(*filled, pl.lit(0)).alias("filled"))
        .sort(*KEY, "filled", descending=[False, False, False, True], maintain_order=True)
        .unique(subset=list(KEY), keep="first", maintain_order=True)
        .drop("filled")
    )


def _unrecognised(bars: Sequence[_Scanned], messages: Sequence[_Scanned], said: pl.DataFrame) -> pl.DataFrame:
    """Near misses of segments in which no message was recognised; the most specific pattern for each.

    A message that says the words of a bar is none where the bar itself was read.
    """
    like_bars = [one for one in messages if _begins_a_bar(one.item, bars)]
    rest = [one for one in messages if one not in like_bars] if like_bars else messages
    drawn = [said, *(one.records for one in bars)]
    near = [*_without(rest, [said]), *_without(like_bars, drawn), *_without(bars, drawn)]
    if not near:
        return NO_NEAR
    return (
        pl.concat(near)
        .sort(*KEY, "weight", descending=[False, False, False, True], maintain_order=True)
        .pipe(unique_by, *KEY)
        .drop("weight")
    )


def _begins_a_bar(item: Compiled, bars: Sequence[_Scanned]) -> bool:
    """Whether a message's fixed text holds that of a bar that occurs."""
    return any(text in own for one in bars for text in one.item.anchors for own in item.anchors)


def _alike(near: pl.DataFrame, grammars: Grammars) -> dict[str, pl.DataFrame]:
    """Near misses of messages that say how a prompt ended, as events of their own."""
    if near.is_empty():
        return {}
    names = {item.pattern.id: ALIKE[item.pattern.event] for item in grammars.compiled if item.pattern.event in ALIKE}
    told = near.with_columns(
        pl.col("pattern").replace_strict(names, default=None, return_dtype=pl.String).alias("like")
    )
    frames = {name: told.filter(pl.col("like") == name).drop("like", "text") for name in {*names.values()}}
    return {name: frame for name, frame in frames.items() if not frame.is_empty()}


def _without(scanned: Sequence[_Scanned], recognised: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """The near misses of `scanned` in segments in which nothing was recognised."""
    near = [one.near for one in scanned if one.near is not None]
    if not near:
        return []
    known = pl.concat([records.select(KEY) for records in recognised])
    return [anti_join(pl.concat(near), known, *KEY)]


def explain(near: pl.DataFrame, grammars: Grammars) -> pl.DataFrame:
    """`near` with `column` and `expected`: where parsing stopped and what was wanted there, says the grammar itself."""
    unexplained = near.with_columns(pl.lit(None, pl.Int64).alias("column"), pl.lit(None, pl.String).alias("expected"))
    if near.is_empty():
        return unexplained
    from loganalyzer.grammar.meaning import Stopped, read  # pyparsing, which most logs do not need

    patterns = grammars.by_id
    stops = [read(patterns[name], text) for name, text in near.select("pattern", "text").rows()]
    stopped = [stop if isinstance(stop, Stopped) else Stopped(1, "") for stop in stops]
    return unexplained.with_columns(
        pl.Series("column", [stop.column for stop in stopped], dtype=pl.Int64),
        pl.Series("expected", [stop.expected for stop in stopped], dtype=pl.String),
    )


def _counts(recognised: Sequence[pl.DataFrame], near: pl.DataFrame) -> pl.DataFrame:
    place = ("source", "line")
    lines = [first_of_equal_neighbors(frame.select(place), *place) for frame in recognised]
    told = pl.concat(
        [
            pl.concat(lines).with_columns(seen=pl.lit(value=True)),
            near.select(place).with_columns(seen=pl.lit(value=False)),
        ]
    )
    return told.pipe(
        group_agg,
        ["source"],
        pl.col("line").filter("seen").n_unique().cast(pl.Int64).alias("records"),
        pl.col("line").filter(~pl.col("seen")).n_unique().cast(pl.Int64).alias("near"),
        pl.col("line").n_unique().cast(pl.Int64).alias("known"),
    )
