"""Segments to records: which messages stand in them, with which values, and which almost stood there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from loganalyzer.grammar import model
from loganalyzer.grammar.lower import Lowered, lower
from loganalyzer.repeats import Repeats, repeats

KEY = ("source", "line", "part")
NO_NEAR = pl.DataFrame(schema={"source": pl.UInt32, "line": pl.Int64, "pattern": pl.String, "text": pl.String})
NO_COUNTS = pl.DataFrame(schema={"source": pl.UInt32, **dict.fromkeys(("records", "near", "known"), pl.Int64)})
BAR_MARKS = ("%|", "it [")
"""What every progress bar holds; segments with a bar are kept away from the patterns of plain messages."""
MOST_NEAR = 1000
"""Near misses of one input that are kept with their text; the rest is counted."""


@dataclass(frozen=True)
class Compiled:
    """A pattern made ready to run over columns."""

    pattern: model.Pattern
    lowered: Lowered
    signature: str
    anchors: tuple[str, ...]
    is_bar: bool


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
            the event's patterns, and the text of those that are no bars.
        bars: source, line, text: what a progress bar showed last on each line.
        near: source, line, pattern, text: lines that are almost a message, `MOST_NEAR` of each input.
        counts: source, records, near, known: how many lines were recognised, how many almost, and how many were either,
            since a line's segments may be both.
    """

    events: Mapping[str, pl.DataFrame]
    bars: pl.DataFrame
    near: pl.DataFrame
    counts: pl.DataFrame


def compile_all(patterns: Sequence[model.Pattern]) -> Grammars:
    """Patterns lowered to regular expressions, once per call."""
    compiled = tuple(_compile(pattern) for pattern in patterns)
    anchors = {text for item in compiled for text in item.anchors}
    needed = tuple(sorted(text for text in anchors if not any(o != text and o in text for o in anchors)))
    return Grammars(compiled, needed)


def _compile(pattern: model.Pattern) -> Compiled:
    return Compiled(
        pattern=pattern,
        lowered=lower(pattern.nodes, starts_line=pattern.starts_line, ends_line=pattern.ends_line),
        signature=lower(pattern.signature, starts_line=pattern.starts_line).regex,
        anchors=model.anchors(pattern.signature),
        is_bar=any(mark in text for mark in BAR_MARKS for text in _texts(pattern.nodes)),
    )


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


def extract(segments: pl.DataFrame, grammars: Grammars) -> Records:
    """All messages and bars in `segments` (columns and order as in `lines.SEGMENTS`)."""
    has_bar = segments["text"].str.contains_any(list(BAR_MARKS))
    closed = segments["text"].str.ends_with("s/it]") | segments["text"].str.ends_with("it/s]")
    scanned = [
        *_bars(grammars, segments.filter(has_bar)),
        *_messages(grammars, segments.filter(~(has_bar & closed))),
    ]
    found = [one for one in scanned if not one.records.is_empty()]
    texts = pl.concat([_last_on_line(one.records) for one in found if one.item.is_bar] or [_NO_TEXT])
    events = _by_event([(one.item.pattern.event, _slim(one)) for one in found])
    near = _unrecognised([one for one in scanned if not one.near.is_empty()], found)
    return Records(events, texts, near.group_by("source", maintain_order=True).head(MOST_NEAR), _counts(events, near))


@dataclass(frozen=True)
class _Scanned:
    """What one pattern reads in a batch."""

    item: Compiled
    records: pl.DataFrame
    near: pl.DataFrame


_NO_NEAR = pl.DataFrame(schema={"source": pl.UInt32})
_NO_TEXT = pl.DataFrame(schema={"source": pl.UInt32, "line": pl.Int64, "text": pl.String})


def _bars(grammars: Grammars, rows: pl.DataFrame) -> Iterator[_Scanned]:
    """A segment holds one bar: what a pattern reads, the next ones need not look at."""
    for item in grammars.compiled:
        if not item.is_bar or rows.is_empty():
            continue
        carries = rows["text"].str.contains_any(list(item.anchors))
        if not carries.any():
            continue
        every = bool(carries.all())
        own = rows if every else rows.filter(carries)
        scanned, fits = _scan(item, own, repeats(own["text"]))
        yield scanned
        rows = rows.filter(~fits) if every else rows.filter(~carries.scatter(carries.arg_true(), fits))


def _messages(grammars: Grammars, rows: pl.DataFrame) -> Iterator[_Scanned]:
    """A segment holds one message or several; those of a pattern are found by its fixed texts, all in one pass."""
    patterns = [item for item in grammars.compiled if not item.is_bar]
    texts = sorted({text for item in patterns for text in item.anchors})
    held = (
        rows.select(pl.col("text").str.extract_many(texts, overlapping=True).alias("anchor"))
        .with_row_index("row")
        .explode("anchor")
        .drop_nulls()
        .unique(maintain_order=True)
    )
    places = {str(anchor): frame["row"] for (anchor,), frame in held.partition_by("anchor", as_dict=True).items()}
    for item in patterns:
        known = [places[anchor] for anchor in item.anchors if anchor in places]
        if known:
            own = rows[known[0] if len(known) == 1 else pl.concat(known).unique().sort()]
            yield _scan(item, own, Repeats(own["text"]))[0]


def _scan(item: Compiled, rows: pl.DataFrame, told: Repeats) -> tuple[_Scanned, pl.Series]:
    """What a pattern reads in rows that carry its fixed texts, and which it fits; `told` are the rows' texts."""
    reads, values = item.lowered.read(told.texts)
    fits = told.spread(reads)
    name = pl.lit(item.pattern.id).alias("pattern")
    every = bool(fits.all())
    own = rows if every else rows.filter(fits)
    if told.places is not None:
        places = told.places if every else told.places.filter(fits)
        values = values[(reads.cum_sum() - 1).gather(places)] if not bool(reads.all()) else values[places]
    records = own.with_columns(name, *values.get_columns())
    if every:
        return _Scanned(item, records, _NO_NEAR), fits
    near = rows.filter(~fits).filter(pl.col("text").str.contains(item.signature))
    return _Scanned(item, records, near.select(*KEY, name, "text", pl.lit(len(item.signature)).alias("weight"))), fits


def _slim(one: _Scanned) -> pl.DataFrame:
    """Bars without their text, of which there is more than of anything else."""
    return one.records.drop("text") if one.item.is_bar else one.records


def _last_on_line(bars: pl.DataFrame) -> pl.DataFrame:
    return bars.filter(_other_line(-1)).select("source", "line", "text")


def _other_line(places: int) -> pl.Expr:
    """Whether the row so many places above (or below) stands on another line."""
    return pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(places)) for name in ("source", "line"))


def _by_event(found: list[tuple[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    events: dict[str, list[pl.DataFrame]] = {}
    for event, records in found:
        events.setdefault(event, []).append(records)
    return {event: _one_form(frames) for event, frames in events.items()}


_ALWAYS = frozenset({*KEY, "stream", "time", "text", "pattern"})


def _one_form(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Where two forms of an event fit the same segment, the one that says more: the one with more values."""
    if len(frames) == 1:
        return frames[0]
    filled = [
        frame.with_columns(
            pl.sum_horizontal(
                pl.col(name).is_not_null().cast(pl.Int32) for name in frame.columns if name not in _ALWAYS
            ).alias("filled")
        )
        for frame in frames
    ]
    return (
        pl.concat(filled, how="diagonal_relaxed")
        .sort(*KEY, "filled", descending=[False, False, False, True])
        .unique(subset=list(KEY), keep="first", maintain_order=True)
        .drop("filled")
    )


def _unrecognised(near: list[_Scanned], found: list[_Scanned]) -> pl.DataFrame:
    """Near misses of segments in which no message was recognised; the most specific pattern for each."""
    if not near:
        return NO_NEAR
    messages = _without([one.near for one in near if not one.item.is_bar], _keys(found, is_bar=False))
    bars = _without(
        [one.near for one in near if one.item.is_bar],
        [*_keys(found, is_bar=False), *_keys(found, is_bar=True)],
    )
    return (
        pl.concat([*messages, *bars])
        .sort(*KEY, "weight", descending=[False, False, False, True])
        .unique(subset=list(KEY), keep="first", maintain_order=True)
        .select("source", "line", "pattern", "text")
    )


def _keys(found: list[_Scanned], *, is_bar: bool) -> list[pl.DataFrame]:
    return [one.records.select(KEY) for one in found if one.item.is_bar is is_bar]


def _without(near: list[pl.DataFrame], recognised: list[pl.DataFrame]) -> list[pl.DataFrame]:
    if not near or not recognised:
        return near
    return [pl.concat(near).join(pl.concat(recognised), on=KEY, how="anti")]


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
    seen = pl.lit(True).alias("seen")
    lines = [frame.select("source", "line", seen).filter(_other_line(1)) for frame in events.values()]
    told = pl.concat([*lines, near.select("source", "line", ~seen)])
    return told.group_by("source").agg(
        pl.col("line").filter("seen").n_unique().cast(pl.Int64).alias("records"),
        pl.col("line").filter(~pl.col("seen")).n_unique().cast(pl.Int64).alias("near"),
        pl.col("line").n_unique().cast(pl.Int64).alias("known"),
    )
