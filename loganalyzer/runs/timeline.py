"""All messages of a batch in order, each in its lane (one process's output) and in the prompt it belongs to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import polars as pl

from loganalyzer.runs.vocabulary import BANNER, BARS, HOLES, event
from loganalyzer.tables.frames import (
    group_agg,
    join_nearest,
    left_join,
    semi_join,
    sort_by,
    unique_by,
    unique_values,
)

_PARTS = 1 << 20


class Timeline(NamedTuple):
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


def bare_lines(timeline: Timeline) -> pl.DataFrame:
    """Window lines (event `window-line`) that stand by themselves.

    What stands behind a carriage return, or ends an output with bars, is a bar that was cut off, perhaps in a figure.
    """
    lines = timeline.event("window-line")
    if lines.is_empty():
        return lines
    drawn = timeline.bars["window-bar"]["lane"].unique()
    ended = left_join(lines, timeline.ends, ["lane"])
    is_last = (pl.col("place") >= pl.col("end")).fill_null(value=False) & pl.col("lane").is_in(drawn.implode())
    whole = pl.col("place") % _PARTS < 2
    return ended.filter(whole & ~is_last).drop("end")


def build(events: Mapping[str, pl.DataFrame], neutral: frozenset[str], going_on: Collection[int] = ()) -> Timeline:
    """The timeline of these records.

    `neutral` are events that say nothing about where a prompt begins, `going_on` inputs (their numbers) of which more
    records follow.
    """
    bars = {name: event(events, name) for name in BARS}
    bars["window-bar"] = bars["window-bar"].filter(_whole_range())
    said = {name: events[name] for name in sorted(events) if name not in BARS}
    keys = _keys(said)
    lanes = _lanes([keys, *bars.values()])
    messages = _messages(keys, lanes, neutral)
    prompts = _lasts(messages).select(
        "lane", "place", pl.col("prompt") + (pl.col("event") == "executed").cast(pl.Int64)
    )
    bars = {
        name: _behind(sort_by(_placed(frame, lanes, is_bar=True), "lane", "place"), prompts)
        for name, frame in bars.items()
    }
    return Timeline(
        lanes=lanes,
        messages=messages.select("lane", "place", "line", "time", "event", "pattern", "prompt"),
        events=_by_event(said, messages.pipe(sort_by, "row").select("lane", "place", "prompt")),
        bars=bars,
        ends=_ends(messages, bars, lanes.filter(~pl.col("source").is_in(list(going_on)))),
    )


def _by_event(events: Mapping[str, pl.DataFrame], places: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The records of each event with lane, place and prompt: `places` has them, one event after the other."""
    by_event = {}
    start = 0
    for name, frame in events.items():
        if name in HOLES:
            own = event(events, name, without=_PLACE).hstack(places.slice(start, frame.height))
            by_event[name] = sort_by(own, "lane", "place")
        start += frame.height
    absent = HOLES.keys() - by_event.keys()
    return by_event | {name: event({}, name, without=_PLACE).hstack(places.clear()) for name in absent}


_PLACE = ("source", "stream", "part")


def _lanes(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    held = [unique_values(frame, "source", "stream") for frame in frames if not frame.is_empty()]
    every = pl.concat(held or [frames[0].select("source", "stream")])
    return every.unique().sort("source", "stream", nulls_last=False).with_row_index("lane")


def _keys(events: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """What is common to all messages, with their events."""
    columns = ["source", "stream", "line", "part", "time", "pattern"]
    held = {name: frame for name, frame in events.items() if not frame.is_empty()}
    every = pl.concat([frame[columns] for frame in held.values()] or [event({}, "arrival")[columns]])
    heights = pl.Series([frame.height for frame in held.values()], dtype=pl.UInt32)
    names = pl.Series("event", list(held), dtype=pl.String)
    return every.hstack([names.gather(pl.arange(0, len(heights), eager=True).repeat_by(heights).explode())])


def _ends(messages: pl.DataFrame, bars: Mapping[str, pl.DataFrame], lanes: pl.DataFrame) -> pl.DataFrame:
    places = [frame.select("lane", "place") for frame in (messages, *bars.values())]
    last = pl.concat(places).pipe(group_agg, ["lane"], pl.col("place").max().alias("end"))
    return semi_join(last, lanes, ["lane"])


def _placed(frame: pl.DataFrame, lanes: pl.DataFrame, *, is_bar: bool) -> pl.DataFrame:
    """Records with lane and place in place of their source, stream and part."""
    if lanes.height < 2:
        laned = frame.with_columns(lane=pl.lit(0, pl.UInt32))
    else:
        laned = left_join(frame, lanes, ["source", "stream"], nulls_equal=True)
    return laned.select(pl.exclude(_PLACE), place(is_bar=is_bar).alias("place"))


def _whole_range() -> pl.Expr:
    """No range, or a possible one; of a damaged range one figure may be too large for a number."""
    start, end = pl.col("audio_start"), pl.col("audio_end")
    return (start.is_null() & end.is_null()) | ((start >= 0) & (end > start)).fill_null(value=False)


def place(*, is_bar: bool) -> pl.Expr:
    """The place of a record in its lane, from line and part."""
    return pl.col("line") * _PARTS + pl.col("part").cast(pl.Int64) * 2 + (0 if is_bar else 1)


def _behind(bars: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """`bars` with the prompt of the message before, or, behind `Prompt executed`, the next."""
    if bars.is_empty() or prompts.is_empty():
        return bars.with_columns(pl.lit(0, pl.Int64).alias("prompt"))
    found = join_nearest(bars[:, ["lane", "place"]], prompts)
    return bars.with_columns(found["prompt"].fill_null(0))


def _messages(every: pl.DataFrame, lanes: pl.DataFrame, neutral: frozenset[str]) -> pl.DataFrame:
    """`every` in order, with lane, place, prompt, and `row`: where each stood before.

    At the same place messages stay in the order of their events' names, in which `every` holds them.
    """
    placed = _placed(every, lanes, is_bar=False).with_row_index("row")
    alone = lanes.height < 2
    every = placed.sort("place" if alone else ["lane", "place"], maintain_order=True)
    before = (pl.col("event") == "executed").shift(1, fill_value=False).cast(pl.Int64).cum_sum()
    if not every["event"].is_in(BANNER).any():
        return every.with_columns((before if alone else before.over("lane")).alias("prompt"))
    prompt = before + pl.col("restart").fill_null(value=False).cast(pl.Int64).cum_sum()
    return (
        left_join(every, _restarts(every, neutral, alone=alone), ["lane", "place"])
        .with_columns((prompt if alone else prompt.over("lane")).alias("prompt"))
        .drop("restart")
    )


def _restarts(every: pl.DataFrame, neutral: frozenset[str], *, alone: bool) -> pl.DataFrame:
    """lane, place, restart (true): where a banner begins, since the server starts anew."""
    told = every.filter(~pl.col("event").is_in(list(neutral))).select(
        "lane", "place", pl.col("event").is_in(BANNER).alias("restart")
    )
    goes_on = pl.col("restart").shift(1, fill_value=False)
    begun = pl.col("restart") & ~(goes_on if alone else goes_on.over("lane"))
    return told.filter(begun).pipe(unique_by, "lane", "place")


def _lasts(messages: pl.DataFrame) -> pl.DataFrame:
    """The last message at each place."""
    same = (pl.col("place") == pl.col("place").shift(-1)) & (pl.col("lane") == pl.col("lane").shift(-1))
    return messages.filter(~same.fill_null(value=False))
