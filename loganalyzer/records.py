"""Segments to records: which messages stand in them, with which values, and which almost stood there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from loganalyzer.grammar import model
from loganalyzer.grammar.lower import Lowered, lower
from loganalyzer.grammar.meaning import Stopped, read

KEY = ("source", "line", "part")
BAR_MARKS = ("%|", "it [")
"""What every progress bar holds; segments with a bar are kept away from the patterns of plain messages."""
MOST_EXPLAINED = 200
"""Near misses whose place of failure is worked out; further ones keep their pattern only."""


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
    """What a batch says.

    Attributes:
        events: event to its records: source (position), line, part, stream, time, pattern (id), text, and one
            column per hole of the event's patterns.
        near_misses: source (position), line, pattern, column, expected, text.
        counts: source (position), records, near: how many lines were recognised, and almost.
    """

    events: Mapping[str, pl.DataFrame]
    near_misses: pl.DataFrame
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


def extract(segments: pl.DataFrame, grammars: Grammars, sources: int) -> Records:
    """All messages and bars in `segments` (columns as in `lines.SEGMENTS`)."""
    has_bar = segments["text"].str.contains_any(list(BAR_MARKS))
    closed = segments["text"].str.ends_with("s/it]") | segments["text"].str.ends_with("it/s]")
    scanned = [
        *_scan(grammars, segments.filter(has_bar), is_bar=True),
        *_scan(grammars, segments.filter(~(has_bar & closed)), is_bar=False),
    ]
    events = _by_event([(item.pattern.event, records) for item, records, _ in scanned if not records.is_empty()])
    near = [misses for _, _, misses in scanned if not misses.is_empty()]
    near_misses = _explain(_unrecognised(near, events, grammars), grammars)
    return Records(events, near_misses, _counts(events, near_misses, sources))


def _scan(
    grammars: Grammars, rows: pl.DataFrame, *, is_bar: bool
) -> Iterator[tuple[Compiled, pl.DataFrame, pl.DataFrame]]:
    """Each pattern that occurs, with its records and near misses. A segment holds one bar, but several messages."""
    left = rows
    for item in _active(grammars, rows, is_bar=is_bar):
        records, misses, unread = _extract_one(item, left)
        left = unread if is_bar else rows
        yield item, records, misses


def _active(grammars: Grammars, rows: pl.DataFrame, *, is_bar: bool) -> list[Compiled]:
    """The patterns whose fixed text occurs at all: most do not, in most logs."""
    wanted = [item for item in grammars.compiled if item.is_bar is is_bar]
    if rows.is_empty() or not wanted:
        return []
    text = pl.col("text")
    present = rows.select(
        text.str.contains_any(list(item.anchors)).any().alias(str(index)) for index, item in enumerate(wanted)
    ).row(0)
    return [item for item, there in zip(wanted, present, strict=True) if there]


def _extract_one(item: Compiled, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The records of one pattern, its near misses, and the rows without its records."""
    carries = rows["text"].str.contains_any(list(item.anchors))
    candidates = rows.filter(carries)
    fits, values = item.lowered.read(candidates["text"])
    matched = candidates.filter(fits).with_columns(pl.lit(item.pattern.id).alias("pattern"))
    records = matched.hstack(values.get_columns())
    missed = candidates.filter(~fits)
    unread = pl.concat([rows.filter(~carries), missed])
    if not missed.is_empty():
        missed = missed.filter(pl.col("text").str.contains(item.signature))
    near = missed.select(
        *KEY, pl.lit(item.pattern.id).alias("pattern"), "text", pl.lit(len(item.signature)).alias("weight")
    )
    return records, near, unread


def _by_event(found: list[tuple[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    events: dict[str, list[pl.DataFrame]] = {}
    for event, records in found:
        events.setdefault(event, []).append(records)
    return {event: _one_form(frames) for event, frames in events.items()}


def _one_form(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Where two forms of an event fit the same segment, the one that says more: the one with more values."""
    if len(frames) == 1:
        return frames[0].sort(KEY)
    filled = [
        frame.with_columns(
            pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.Int32) for name in frame.columns[6:]).alias("filled")
        )
        for frame in frames
    ]
    return (
        pl.concat(filled, how="diagonal_relaxed")
        .sort(*KEY, "filled", descending=[False, False, False, True])
        .unique(subset=list(KEY), keep="first", maintain_order=True)
        .drop("filled")
    )


def _unrecognised(near: list[pl.DataFrame], events: Mapping[str, pl.DataFrame], grammars: Grammars) -> pl.DataFrame:
    """Near misses of segments in which no message was recognised; the most specific pattern for each."""
    if not near:
        return pl.DataFrame(schema={"source": pl.UInt32, "line": pl.Int64, "pattern": pl.String, "text": pl.String})
    bars = {item.pattern.id for item in grammars.compiled if item.is_bar}
    misses = pl.concat(near)
    recognised = [frame.select(*KEY, pl.col("pattern").is_in(bars).alias("bar")) for frame in events.values()]
    if recognised:
        seen = pl.concat(recognised)
        misses = misses.join(seen.filter(~pl.col("bar")), on=KEY, how="anti")
        of_bars = misses["pattern"].is_in(bars)
        misses = pl.concat([misses.filter(of_bars).join(seen, on=KEY, how="anti"), misses.filter(~of_bars)])
    return (
        misses.sort(*KEY, "weight", descending=[False, False, False, True])
        .unique(subset=list(KEY), keep="first", maintain_order=True)
        .drop("part", "weight")
    )


def _explain(misses: pl.DataFrame, grammars: Grammars) -> pl.DataFrame:
    """Where parsing stopped and what was wanted there: the grammar itself is asked, for the first few."""
    patterns = grammars.by_id
    stops = [read(patterns[name], text) for name, text in misses.select("pattern", "text").head(MOST_EXPLAINED).rows()]
    stopped = [stop if isinstance(stop, Stopped) else Stopped(1, "") for stop in stops]
    padding = [None] * (misses.height - len(stopped))
    return misses.with_columns(
        pl.Series("column", [stop.column for stop in stopped] + padding, dtype=pl.Int64),
        pl.Series("expected", [stop.expected for stop in stopped] + padding, dtype=pl.String),
    )


def _counts(events: Mapping[str, pl.DataFrame], near: pl.DataFrame, sources: int) -> pl.DataFrame:
    every = pl.DataFrame({"source": pl.Series(range(sources), dtype=pl.UInt32)})
    lines = [frame.select("source", "line") for frame in events.values()]
    seen = pl.concat(lines).unique() if lines else pl.DataFrame(schema={"source": pl.UInt32, "line": pl.Int64})
    records = seen.group_by("source").len("records")
    misses = near.group_by("source").agg(pl.col("line").n_unique().alias("near"))
    return (
        every.join(records, on="source", how="left")
        .join(misses, on="source", how="left")
        .with_columns(pl.col("records", "near").fill_null(0).cast(pl.Int64))
        .sort("source")
    )
