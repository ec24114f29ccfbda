"""All messages of a batch in order, each in its lane (one process's output) and in the prompt it belongs to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import polars as pl

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
    names = sorted(set(HOLES) | set(BARS) | set(events))
    frames = {name: event(events, name) for name in names}
    frames["window-bar"] = frames["window-bar"].filter(_whole_range())
    lanes = _lanes(frames)
    placed = {name: _place(frame, lanes, is_bar=name in BARS) for name, frame in frames.items()}
    messages = _messages({name: frame for name, frame in placed.items() if name not in BARS}, neutral)
    ended = (pl.col("event") == "executed").cast(pl.Int64)
    prompts = messages.group_by("lane", "place", maintain_order=True).agg(
        pl.col("prompt").last(), (pl.col("prompt") + ended).last().alias("prompt_behind")
    )
    numbered = {name: _with_prompt(placed.pop(name), prompts, is_bar=name in BARS) for name in names}
    bars = {name: frame for name, frame in numbered.items() if name in BARS}
    return Timeline(
        lanes=lanes,
        messages=messages,
        events={name: frame for name, frame in numbered.items() if name not in BARS},
        bars=bars,
        ends=_ends(messages, bars, lanes.filter(~pl.col("source").is_in(list(going_on)))),
    )


def _lanes(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    held = [frame.select("source", "stream").unique() for frame in frames.values() if not frame.is_empty()]
    every = pl.concat(held) if held else next(iter(frames.values())).select("source", "stream")
    return every.unique().sort("source", "stream", nulls_last=False).with_row_index("lane")


def _ends(messages: pl.DataFrame, bars: Mapping[str, pl.DataFrame], lanes: pl.DataFrame) -> pl.DataFrame:
    places = [frame.select("lane", "place") for frame in (messages, *bars.values())]
    last = pl.concat(places).group_by("lane").agg(pl.col("place").max().alias("end"))
    return last.join(lanes, on="lane", how="semi")


def _place(frame: pl.DataFrame, lanes: pl.DataFrame, *, is_bar: bool) -> pl.DataFrame:
    if frame.is_empty():
        kept = {name: kind for name, kind in frame.schema.items() if name not in ("source", "stream", "part")}
        return pl.DataFrame(schema={**kept, "lane": pl.UInt32, "place": pl.Int64})
    return (
        frame.join(lanes, on=["source", "stream"], how="left", nulls_equal=True, maintain_order="left")
        .with_columns(place(is_bar=is_bar).alias("place"))
        .drop("source", "stream", "part")
        .pipe(_in_order)
    )


def _in_order(frame: pl.DataFrame) -> pl.DataFrame:
    """Sorted by lane and place, which most are already."""
    lane, place = pl.col("lane"), pl.col("place")
    behind = (lane < lane.shift(1)) | ((lane == lane.shift(1)) & (place < place.shift(1)))
    return frame.sort("lane", "place") if frame.select(behind.any()).item() else frame


def _whole_range() -> pl.Expr:
    """No range, or a possible one; of a damaged range one figure may be too large for a number."""
    start, end = pl.col("audio_start"), pl.col("audio_end")
    return (start.is_null() & end.is_null()) | ((start >= 0) & (end > start)).fill_null(value=False)


def place(*, is_bar: bool) -> pl.Expr:
    """The place of a record in its lane, from line and part."""
    return pl.col("line") * _PARTS + pl.col("part").cast(pl.Int64) * 2 + (0 if is_bar else 1)


def _with_prompt(frame: pl.DataFrame, prompts: pl.DataFrame, *, is_bar: bool) -> pl.DataFrame:
    if frame.is_empty():
        return pl.DataFrame(schema={**frame.schema, "prompt": pl.Int64})
    number = pl.col("prompt_behind" if is_bar else "prompt").alias("prompt")
    return frame.join_asof(
        prompts.select("lane", "place", number), on="place", by="lane", strategy="backward", check_sortedness=False
    ).with_columns(pl.col("prompt").fill_null(0))


def _messages(frames: Mapping[str, pl.DataFrame], neutral: frozenset[str]) -> pl.DataFrame:
    every = pl.concat(
        [
            frame.select("lane", "place", "line", "time", pl.lit(name).alias("event"), "pattern")
            for name, frame in frames.items()
            if not frame.is_empty() or name == "arrival"
        ]
    ).sort("lane", "place")
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
