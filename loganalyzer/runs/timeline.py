"""Orders all messages of a batch, and assigns each to its lane (one process's output) and its prompt."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import polars as pl

from loganalyzer.runs.vocabulary import BANNER, BARS, FIELDS, select_records
from loganalyzer.tables.frames import (
    group_agg,
    join_nearest,
    left_join,
    semi_join,
    sort_by,
    unique_by,
    unique_values,
)
from loganalyzer.tables.listed_values import VALUES, VALUES_TYPE

_PARTS = 1 << 20


class Timeline(NamedTuple):
    """Messages and bars in their lanes.

    Attributes:
        lanes: lane, source (position), stream.
        messages: lane, place, line, time, event, pattern, prompt; every message, in order.
        events: event to its records with lane, place, prompt.
        bars: bar event to its refreshes with lane, place, prompt. A bar belongs to the prompt of the previous message,
            or to the next prompt after `Prompt executed`.
        ends: lane, end: the place of a lane's last record, if no more records follow.
        listed: lane, place, line, event, pattern and the column `VALUES`: records of patterns that users added.

    `place` orders a lane: physical line, then segment, then bar before message. `prompt` counts the executions in
    a lane from 0: a new one begins after each `Prompt executed` and at each server restart. Every frame is ordered by
    lane and place.
    """

    lanes: pl.DataFrame
    messages: pl.DataFrame
    events: Mapping[str, pl.DataFrame]
    bars: Mapping[str, pl.DataFrame]
    ends: pl.DataFrame
    listed: pl.DataFrame

    def records(self, name: str) -> pl.DataFrame:
        """The records of one event in order; empty if it never occurs."""
        return self.events[name]


def find_bare_lines(timeline: Timeline) -> pl.DataFrame:
    """Window lines (event `window-line`) that are not cut-off bars.

    A window line after a carriage return, or at the end of an output with bars, is a bar that was cut off.
    """
    lines = timeline.records("window-line")
    if lines.is_empty():
        return lines
    drawn = timeline.bars["window-bar"]["lane"].unique()
    ended = left_join(lines, timeline.ends, ["lane"])
    is_last = (pl.col("place") >= pl.col("end")).fill_null(value=False) & pl.col("lane").is_in(drawn.implode())
    is_alone = pl.col("place") % _PARTS < 2
    return ended.filter(is_alone & ~is_last).drop("end")


def build_timeline(
    events: Mapping[str, pl.DataFrame], neutral: frozenset[str], going_on: Collection[int] = ()
) -> Timeline:
    """The timeline of these records.

    `neutral` are the events that do not show where a prompt begins; `going_on` are the numbers of inputs with more
    records to come.
    """
    bars = {name: select_records(events, name) for name in BARS}
    bars["window-bar"] = bars["window-bar"].filter(_is_valid_range())
    messages_by_event = {name: events[name] for name in sorted(events) if name not in BARS}
    keys = _message_keys(messages_by_event)
    lanes = _number_lanes([keys, *bars.values()])
    messages = _order_messages(keys, lanes, neutral)
    prompts = _last_at_each_place(messages).select(
        "lane", "place", pl.col("prompt") + (pl.col("event") == "executed").cast(pl.Int64)
    )
    bars = {
        name: _with_prompt(sort_by(_with_place(frame, lanes, is_bar=True), "lane", "place"), prompts)
        for name, frame in bars.items()
    }
    places = messages.pipe(sort_by, "row").select("lane", "place", "prompt")
    return Timeline(
        lanes=lanes,
        messages=messages.select("lane", "place", "line", "time", "event", "pattern", "prompt"),
        events=_records_by_event(messages_by_event, places),
        bars=bars,
        ends=_lane_ends(messages, bars, lanes.filter(~pl.col("source").is_in(list(going_on)))),
        listed=_select_listed(messages_by_event, places),
    )


def _records_by_event(events: Mapping[str, pl.DataFrame], places: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Event to its records with lane, place and prompt; `places` holds these columns, one event after the other."""
    by_event = {}
    start = 0
    for name, frame in events.items():
        if name in FIELDS:
            own = select_records(events, name, without=_PLACE).hstack(places.slice(start, frame.height))
            by_event[name] = sort_by(own, "lane", "place")
        start += frame.height
    absent = FIELDS.keys() - by_event.keys()
    return by_event | {name: select_records({}, name, without=_PLACE).hstack(places.clear()) for name in absent}


def _select_listed(events: Mapping[str, pl.DataFrame], places: pl.DataFrame) -> pl.DataFrame:
    """The records whose values are listed; `places` as in `_records_by_event`."""
    frames, start = [_NOTHING_LISTED], 0
    for name, frame in events.items():
        if VALUES in frame.columns:
            own = frame.select("line", pl.lit(name).alias("event"), "pattern", VALUES)
            own = own.hstack(places[["lane", "place"]].slice(start, frame.height))
            frames.append(own.filter(pl.col(VALUES).is_not_null()).select(_NOTHING_LISTED.columns))
        start += frame.height
    return frames[0] if len(frames) == 1 else sort_by(pl.concat(frames), "lane", "place")


_NOTHING_LISTED = pl.DataFrame(
    schema={
        "lane": pl.UInt32, "place": pl.Int64, "line": pl.Int64, "event": pl.String, "pattern": pl.String,
        VALUES: VALUES_TYPE,
    }
)  # fmt: skip
_PLACE = ("source", "stream", "part")


def _number_lanes(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    filled = [unique_values(frame, "source", "stream") for frame in frames if not frame.is_empty()]
    every = pl.concat(filled or [frames[0].select("source", "stream")])
    return every.unique().sort("source", "stream", nulls_last=False).with_row_index("lane")


def _message_keys(events: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The columns that all messages have, with their events."""
    columns = ["source", "stream", "line", "part", "time", "pattern"]
    filled = {name: frame for name, frame in events.items() if not frame.is_empty()}
    every = pl.concat([frame[columns] for frame in filled.values()] or [select_records({}, "arrival")[columns]])
    heights = pl.Series([frame.height for frame in filled.values()], dtype=pl.UInt32)
    names = pl.Series("event", list(filled), dtype=pl.String)
    return every.hstack([names.gather(pl.arange(0, len(heights), eager=True).repeat_by(heights).explode())])


def _lane_ends(messages: pl.DataFrame, bars: Mapping[str, pl.DataFrame], lanes: pl.DataFrame) -> pl.DataFrame:
    places = [frame.select("lane", "place") for frame in (messages, *bars.values())]
    last = pl.concat(places).pipe(group_agg, ["lane"], pl.col("place").max().alias("end"))
    return semi_join(last, lanes, ["lane"])


def _with_place(frame: pl.DataFrame, lanes: pl.DataFrame, *, is_bar: bool) -> pl.DataFrame:
    """Records with lane and place instead of source, stream and part."""
    if lanes.height < 2:
        laned = frame.with_columns(lane=pl.lit(0, pl.UInt32))
    else:
        laned = left_join(frame, lanes, ["source", "stream"], nulls_equal=True)
    return laned.select(pl.exclude(_PLACE), record_place(is_bar=is_bar).alias("place"))


def _is_valid_range() -> pl.Expr:
    """Whether a bar has no range or a valid one. In a damaged range, a value may be too large for an integer."""
    start, end = pl.col("audio_start"), pl.col("audio_end")
    return (start.is_null() & end.is_null()) | ((start >= 0) & (end > start)).fill_null(value=False)


def record_place(*, is_bar: bool) -> pl.Expr:
    """The place of a record in its lane, computed from line and part."""
    return pl.col("line") * _PARTS + pl.col("part").cast(pl.Int64) * 2 + (0 if is_bar else 1)


def _with_prompt(bars: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """`bars` with the prompt of the previous message, or with the next prompt after `Prompt executed`."""
    if bars.is_empty() or prompts.is_empty():
        return bars.with_columns(pl.lit(0, pl.Int64).alias("prompt"))
    found = join_nearest(bars[:, ["lane", "place"]], prompts)
    return bars.with_columns(found["prompt"].fill_null(0))


def _order_messages(every: pl.DataFrame, lanes: pl.DataFrame, neutral: frozenset[str]) -> pl.DataFrame:
    """`every` in order, with lane, place, prompt, and the original position as `row`.

    Messages at the same place keep the order of `every`, which is by event name.
    """
    placed = _with_place(every, lanes, is_bar=False).with_row_index("row")
    alone = lanes.height < 2
    every = placed.sort("place" if alone else ["lane", "place"], maintain_order=True)
    before = (pl.col("event") == "executed").shift(1, fill_value=False).cast(pl.Int64).cum_sum()
    if not every["event"].is_in(BANNER).any():
        return every.with_columns((before if alone else before.over("lane")).alias("prompt"))
    prompt = before + pl.col("restart").fill_null(value=False).cast(pl.Int64).cum_sum()
    return (
        left_join(every, _find_restarts(every, neutral, alone=alone), ["lane", "place"])
        .with_columns((prompt if alone else prompt.over("lane")).alias("prompt"))
        .drop("restart")
    )


def _find_restarts(every: pl.DataFrame, neutral: frozenset[str], *, alone: bool) -> pl.DataFrame:
    """lane, place, restart (true): the beginnings of banners, at which the server restarts."""
    relevant = every.filter(~pl.col("event").is_in(list(neutral))).select(
        "lane", "place", pl.col("event").is_in(BANNER).alias("restart")
    )
    goes_on = pl.col("restart").shift(1, fill_value=False)
    begins = pl.col("restart") & ~(goes_on if alone else goes_on.over("lane"))
    return relevant.filter(begins).pipe(unique_by, "lane", "place")


def _last_at_each_place(messages: pl.DataFrame) -> pl.DataFrame:
    """The last message at each place."""
    same = (pl.col("place") == pl.col("place").shift(-1)) & (pl.col("lane") == pl.col("lane").shift(-1))
    return messages.filter(~same.fill_null(value=False))
