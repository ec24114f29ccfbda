"""Segments to records: which messages stand in them, with which values, and which almost stood there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from loganalyzer.grammar import model
from loganalyzer.grammar.lower import Lowered, lower, read_all
from loganalyzer.lines import Segments
from loganalyzer.repeats import Repeats
from loganalyzer.rows import thinned, those

KEY = ("source", "line", "part")
NO_NEAR = pl.DataFrame(schema={"source": pl.UInt32, "line": pl.Int64, "pattern": pl.String, "text": pl.String})
NO_COUNTS = pl.DataFrame(schema={"source": pl.UInt32, **dict.fromkeys(("records", "near", "known"), pl.Int64)})
BAR_MARKS = ("%|", "it [")
"""What every progress bar holds; segments with a bar are kept away from the patterns of plain messages."""
MOST_NEAR = 1000
"""Near misses of one input that are kept with their text; the rest is counted."""


@dataclass(frozen=True)
class Compiled:
    """A pattern made ready to run over columns.

    Attributes:
        anchors: fixed texts of which one stands in each line that it fits, or almost.
        is_bar: whether it reads progress bars.
        is_told: whether its values are asked for, rather than only where it stands.
    """

    pattern: model.Pattern
    anchors: tuple[str, ...]
    is_bar: bool
    is_told: bool

    @cached_property
    def lowered(self) -> Lowered:
        """What reads it; of all patterns a log needs a few."""
        nodes = self.pattern.nodes if self.is_told else model.without_values(self.pattern.nodes)
        return lower(nodes, starts_line=self.pattern.starts_line, ends_line=self.pattern.ends_line)

    @cached_property
    def signature(self) -> str:
        """The regular expression of near misses."""
        return lower(self.pattern.signature, starts_line=self.pattern.starts_line).regex


@dataclass(frozen=True)
class Grammars:
    """All patterns of a call, compiled, and the fixed texts by which their lines are found."""

    compiled: tuple[Compiled, ...]
    anchors: tuple[str, ...]

    @property
    def by_id(self) -> dict[str, model.Pattern]:
        """The patterns by their ids."""
        return {item.pattern.id: item.pattern for item in self.compiled}


@dataclass(frozen=True)
class Records:
    """What a batch of pieces says.

    Attributes:
        events: event to its records: source (number), line, part, stream, time, pattern (id), one column per hole of
            the event's patterns where its values are asked for, and the text of those that are no bars.
        bars: by pattern source, line, text (String or Enum): what a progress bar showed last on each line.
        near: source, line, pattern, text: lines that are almost a message, `MOST_NEAR` of each input.
        counts: source, records, near, known: how many lines were recognised, how many almost, and how many were either,
            since a line's segments may be both.
    """

    events: Mapping[str, pl.DataFrame]
    bars: Sequence[pl.DataFrame]
    near: pl.DataFrame
    counts: pl.DataFrame


def compile_all(patterns: Sequence[model.Pattern], told: Collection[str] | None = None) -> Grammars:
    """Patterns made ready, once per call; `told` are the events whose values are asked for, by default all."""
    forms = Counter(pattern.event for pattern in patterns)
    # Of several forms that fit, the one with the most values counts, whoever asks for them.
    kept = {event for event, count in forms.items() if told is None or event in told or count > 1}
    compiled = tuple(_compile(pattern, is_told=pattern.event in kept) for pattern in patterns)
    anchors = {text for item in compiled for text in item.anchors}
    needed = tuple(sorted(text for text in anchors if not any(o != text and o in text for o in anchors)))
    return Grammars(compiled, needed)


def _compile(pattern: model.Pattern, *, is_told: bool) -> Compiled:
    is_bar = any(mark in text for mark in BAR_MARKS for text in _texts(pattern.nodes))
    return Compiled(pattern, model.anchors(pattern.signature), is_bar, is_told)


def _texts(nodes: model.Nodes) -> Iterable[str]:
    for node in nodes:
        match node:
            case model.Text(text):
                yield text
            case model.Optional(body):
                yield from _texts(body)
            case model.Alternatives(options):
                for option in options:
                    yield from _texts(option)
            case _:
                continue


def extract(segments: Segments, grammars: Grammars) -> Records:
    """All messages and bars in these segments."""
    segments = Segments(segments.places.with_row_index("row"), segments.told)
    texts = segments.told.texts.str
    has_bar = texts.contains_any(list(BAR_MARKS))
    closed = texts.ends_with("s/it]") | texts.ends_with("it/s]")
    bars = list(_bars(grammars, segments.those(segments.told.spread(has_bar))))
    others = segments.those(segments.told.spread(~(has_bar & closed)))
    messages = _messages(grammars, others.places.with_columns(others.told.rows.alias("text")))
    found = [one for one in (*bars, *messages) if not one.records.is_empty()]
    events = _by_event([(one.item.pattern.event, one.records) for one in found])
    near = _unrecognised(bars, messages)
    shown = tuple(one.shown for one in bars if one.shown is not None)
    return Records(events, shown, near.group_by("source", maintain_order=True).head(MOST_NEAR), _counts(events, near))


@dataclass(frozen=True)
class _Scanned:
    """What one pattern reads in a batch; `row` is the segment's place in it, `shown` as in `Records.bars`."""

    item: Compiled
    records: pl.DataFrame
    near: pl.DataFrame
    shown: pl.DataFrame | None = None


_NO_NEAR = pl.DataFrame(schema={"row": pl.UInt32})


def _bars(grammars: Grammars, rest: Segments) -> Iterator[_Scanned]:
    """A segment holds one bar: what a pattern reads, the next ones need not look at."""
    for item in grammars.compiled:
        if not item.is_bar or rest.places.is_empty():
            continue
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


def _messages(grammars: Grammars, rows: pl.DataFrame) -> list[_Scanned]:
    """A segment holds one message or several; those of a pattern are found by its fixed texts, all in one pass."""
    own = _carrying([item for item in grammars.compiled if not item.is_bar], rows)
    read = read_all([(item.lowered, held.select("row", "text")) for item, held in own])
    scanned = []
    for (item, held), found in zip(own, read, strict=True):
        fits = found["fits"]
        values = those(found, fits).drop("row", "text", "fits").get_columns()
        records = those(held, fits).with_columns(pl.lit(item.pattern.id).alias("pattern"), *values)
        scanned.append(_Scanned(item, records, _near(item, Segments(held, Repeats(held["text"])), fits)))
    return scanned


def _carrying(patterns: Sequence[Compiled], rows: pl.DataFrame) -> list[tuple[Compiled, pl.DataFrame]]:
    """Each pattern that has any, with the rows that carry one of its fixed texts."""
    owners = [(text, place) for place, item in enumerate(patterns) for text in item.anchors]
    texts = sorted({text for text, _ in owners})
    held = (
        rows.select(pl.col("text").str.extract_many(texts, overlapping=True).alias("anchor"))
        .with_row_index("at")
        .explode("anchor")
        .join(pl.DataFrame(owners, schema={"anchor": pl.String, "pattern": pl.UInt32}, orient="row"), on="anchor")
        .select("pattern", "at")
        .unique()
        .sort("pattern", "at")
    )
    carrying = rows[held["at"]]
    own, start = [], 0
    for pattern, count in held["pattern"].rle().struct.unnest().select("value", "len").rows():
        own.append((patterns[pattern], carrying.slice(start, count)))
        start += count
    return own


def _near(item: Compiled, own: Segments, fits: pl.Series) -> pl.DataFrame:
    """Of segments that carry a pattern's fixed texts those that almost fit it."""
    if fits.all():
        return _NO_NEAR
    rest = own.those(~fits)
    near = rest.those(rest.told.spread(rest.told.texts.str.contains(item.signature)))
    return near.places.select(
        "row",
        "source",
        "line",
        pl.lit(item.pattern.id).alias("pattern"),
        near.told.rows.alias("text"),
        pl.lit(len(item.signature)).alias("weight"),
    )


def _last_on_line(bars: Segments) -> pl.DataFrame:
    shown = bars.places.select("source", "line").with_columns(bars.told.coded.alias("text"))
    behind = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(-1)) for name in ("source", "line"))
    return shown.filter(behind)


def _by_event(found: list[tuple[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    events: dict[str, list[pl.DataFrame]] = {}
    for event, records in found:
        events.setdefault(event, []).append(records)
    return {event: _one_form(frames).drop("row") for event, frames in events.items()}


_ALWAYS = frozenset({"row", *KEY, "stream", "time", "text", "pattern"})


def _one_form(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Where two forms of an event fit the same segment, the one that says more: the one with more values."""
    if len(frames) == 1:
        return frames[0]
    every = pl.concat(frames, how="diagonal_relaxed")
    filled = (pl.col(name).is_not_null().cast(pl.Int32) for name in every.columns if name not in _ALWAYS)
    return (
        every.with_columns(pl.sum_horizontal(*filled, pl.lit(0)).alias("filled"))
        .sort("row", "filled", descending=[False, True])
        .unique(subset="row", keep="first", maintain_order=True)
        .drop("filled")
    )


def _unrecognised(bars: Sequence[_Scanned], messages: Sequence[_Scanned]) -> pl.DataFrame:
    """Near misses of segments in which no message was recognised; the most specific pattern for each."""
    near = [
        *_without([one.near for one in messages], [one.records["row"] for one in messages]),
        *_without([one.near for one in bars], [one.records["row"] for one in (*messages, *bars)]),
    ]
    if not near:
        return NO_NEAR
    return (
        pl.concat(near)
        .sort("row", "weight", descending=[False, True])
        .unique(subset="row", keep="first", maintain_order=True)
        .select("source", "line", "pattern", "text")
    )


def _without(near: list[pl.DataFrame], recognised: list[pl.Series]) -> list[pl.DataFrame]:
    """Those of `near` whose row is in none of `recognised`."""
    near = [one for one in near if not one.is_empty()]
    if not near:
        return []
    known = pl.concat(recognised).implode()
    return [pl.concat(near).filter(~pl.col("row").is_in(known))]


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


def _counts(events: Mapping[str, pl.DataFrame], near: pl.DataFrame) -> pl.DataFrame:
    place = ("source", "line")
    recognised = [thinned(frame.select(place), *place) for frame in events.values()]
    told = pl.concat(
        [
            pl.concat([NO_NEAR.select(place), *recognised]).with_columns(seen=pl.lit(value=True)),
            near.select(place).with_columns(seen=pl.lit(value=False)),
        ]
    )
    return told.group_by("source").agg(
        pl.col("line").filter("seen").n_unique().cast(pl.Int64).alias("records"),
        pl.col("line").filter(~pl.col("seen")).n_unique().cast(pl.Int64).alias("near"),
        pl.col("line").n_unique().cast(pl.Int64).alias("known"),
    )
