"""All messages of a batch in order, each in its lane (one process's output) and in the prompt it belongs to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from loganalyzer.rows import distinct, in_order, only
from loganalyzer.runs.vocabulary import BANNER, BARS, HOLES, event

_PARTS = 1 << 20


@dataclass(frozen=True)
class Timeline:
    """Messages and bars in their lanes.

    Attributes:
        lanes: lane, source (position), stream.
        messages: lane, place, line, time, event, pattern, prompt; every message, in order.
        events: event to its records with lane, place, prompt.
        ends: lane, end: the place of a lane's last record, where it is known to be the last.
        bars: the same for progress bars; `prompt` is that of the message before, or behind `Prompt executed` the next.

    `place` orders a lane: physical line, then segment, then bar before message. `prompt` counts the executions in
    a lane from 0: a new one begins behind each `Prompt executed` and at each restart of the server. Every frame is in
    the order of lane and place.
    """

    lanes: pl.DataFrame
    messages: pl.DataFrame
    events: Mapping[str, pl.DataFrame]
    bars: Mapping[str, pl.DataFrame]
    ends: pl.DataFrame

    def event(self, name: str) -> pl.DataFrame:
        """One event's records in order, empty where it never occurs."""
        return self.events[name]


def build(events: Mapping[str, pl.DataFrame], neutral: frozenset[str], going_on: Collection[int] = ()) -> Timeline:
    """The timeline of these records.

    `neutral` are events that say nothing about where a prompt begins, `going_on` inputs (their numbers) of which more
    records follow.
    """
    frames = {name: event(events, name) for name in sorted({*HOLES, *BARS})}
    frames["window-bar"] = only(frames["window-bar"], _whole_range())
    lanes = _lanes([*events.values()] or [frames["arrival"]])
    messages = _messages(_keys(events), lanes, neutral)
    ended = (pl.col("event") == "executed").cast(pl.Int64)
    prompts = messages.group_by("lane", "place", maintain_order=True).agg(
        (pl.col("prompt") + ended).last().alias("prompt")
    )
    of_event = {str(name): frame["prompt"] for (name,), frame in messages.partition_by("event", as_dict=True).items()}
    said, bars = {}, {}
    for name, frame in frames.items():
        placed = _placed(frame, lanes, is_bar=name in BARS)
        if name in BARS:
            bars[name] = _behind(placed, prompts)
        else:
            said[name] = placed.with_columns(of_event.get(name, _NO_PROMPT))
    return Timeline(
        lanes=lanes,
        messages=messages.select("lane", "place", "line", "time", "event", "pattern", "prompt"),
        events=said,
        bars=bars,
        ends=_ends(messages, bars, lanes.filter(~pl.col("source").is_in(list(going_on)))),
    )


_NO_PROMPT = pl.Series("prompt", [], dtype=pl.Int64)


def _lanes(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    held = [distinct(frame, "source", "stream") for frame in frames]
    return pl.concat(held).unique().sort("source", "stream", nulls_last=False).with_row_index("lane")


def _keys(events: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """What is common to all messages, with their events."""
    every = [event({}, "arrival").with_columns(pl.lit("arrival").alias("event"))]
    every += [frame.with_columns(pl.lit(name).alias("event")) for name, frame in events.items() if name not in BARS]
    columns = ("source", "stream", "line", "part", "time", "event", "pattern")
    return pl.concat([frame.select(columns) for frame in every])


def _ends(messages: pl.DataFrame, bars: Mapping[str, pl.DataFrame], lanes: pl.DataFrame) -> pl.DataFrame:
    places = [frame.select("lane", "place") for frame in (messages, *bars.values())]
    last = pl.concat(places).group_by("lane").agg(pl.col("place").max().alias("end"))
    return last.join(lanes, on="lane", how="semi")


def _placed(frame: pl.DataFrame, lanes: pl.DataFrame, *, is_bar: bool) -> pl.DataFrame:
    """Records with lane and place in place of their source, stream and part."""
    if frame.is_empty():
        kept = {name: kind for name, kind in frame.schema.items() if name not in ("source", "stream", "part")}
        return pl.DataFrame(schema={**kept, "lane": pl.UInt32, "place": pl.Int64})
    if lanes.height == 1:
        laned = frame.with_columns(lane=pl.lit(0, pl.UInt32))
    else:
        laned = frame.join(lanes, on=["source", "stream"], how="left", nulls_equal=True, maintain_order="left")
    return (
        laned.with_columns(place(is_bar=is_bar).alias("place"))
        .drop("source", "stream", "part")
        .pipe(in_order, "lane", "place")
    )


def _whole_range() -> pl.Expr:
    """No range, or a possible one; of a damaged range one figure may be too large for a number."""
    start, end = pl.col("audio_start"), pl.col("audio_end")
    return (start.is_null() & end.is_null()) | ((start >= 0) & (end > start)).fill_null(value=False)


def place(*, is_bar: bool) -> pl.Expr:
    """The place of a record in its lane, from line and part."""
    return pl.col("line") * _PARTS + pl.col("part").cast(pl.Int64) * 2 + (0 if is_bar else 1)


def _behind(bars: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """`bars` with the prompt of the message before, or, behind `Prompt executed`, the next."""
    if bars.is_empty():
        return bars.with_columns(_NO_PROMPT)
    found = bars.select("lane", "place").join_asof(
        prompts, on="place", by="lane", strategy="backward", check_sortedness=False
    )
    return bars.with_columns(found["prompt"].fill_null(0))


def _messages(every: pl.DataFrame, lanes: pl.DataFrame, neutral: frozenset[str]) -> pl.DataFrame:
    every = _placed(every, lanes, is_bar=False).sort("lane", "place", "event")
    counted = ~pl.col("event").is_in(list(neutral))
    telling = (
        every.filter(counted)
        .with_columns(pl.col("event").is_in(BANNER).alias("banner"))
        .with_columns((pl.col("banner") & ~pl.col("banner").shift(1, fill_value=False).over("lane")).alias("restart"))
        .group_by("lane", "place")
        .agg(pl.col("restart").any())
    )
    ended = pl.col("event") == "executed"
    return (
        every.join(telling, on=["lane", "place"], how="left")
        .with_columns(
            (
                ended.shift(1, fill_value=False).cast(pl.Int64).cum_sum().over("lane", order_by="place")
                + pl.col("restart").fill_null(value=False).cast(pl.Int64).cum_sum().over("lane", order_by="place")
            ).alias("prompt")
        )
        .drop("restart")
    )
