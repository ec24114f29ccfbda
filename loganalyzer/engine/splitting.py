"""How far the records of an input that is still being read can be made into tables already.

Whatever is said of a prompt follows from its own records and those of the prompt before (and the server's banner), so
that a long log can be worked on prompt by prompt: cut where a prompt begins, the parts give the tables of the whole.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from loganalyzer.runs.servers import find_starts
from loganalyzer.runs.stages import find_headers, mark_orphans
from loganalyzer.runs.timeline import Timeline, build_timeline, record_place
from loganalyzer.runs.vocabulary import BANNER, BARS, ENVIRONMENT, PRELUDE
from loganalyzer.tables.frames import filter_mask

Events = dict[str, pl.DataFrame]
_OUTPUT = ["source", "stream"]
_CARRIED = frozenset({*BANNER, *PRELUDE, *ENVIRONMENT})
_MOST_CARRIED = 1000
"""Records of a startup message that go on from part to part, for each output."""


class Settled(NamedTuple):
    """Records parted in two: those of prompts that nothing more can be said of, and those to keep."""

    ready: Events
    rest: Events


def settled(events: Events, neutral: frozenset[str]) -> Settled:
    """Part the records of inputs that go on; the last banner of a server stays with both parts."""
    if not any(name in events and not events[name].is_empty() for name in ("executed", *BANNER)):
        return Settled({}, events)
    timeline = build_timeline(events, neutral)
    cuts = timeline.lanes.join(_cuts(timeline), on="lane").select("source", "stream", "cut")
    return split(events, cuts, timeline)


def split(events: Events, cuts: pl.DataFrame, timeline: Timeline, *, shared: bool = False) -> Settled:
    """Records of a timeline parted at a place of each output; `cuts` has source, stream and cut.

    What has no cut is kept. A record at the cut is kept as well; where it is `shared`, both parts have it.
    """
    ready, rest = {}, {}
    outputs = timeline.lanes.height
    begun = _last_starts(timeline, cuts)
    for name, frame in events.items():
        side = _side(frame, cuts, outputs, is_bar=name in BARS)
        ready[name] = filter_mask(frame, side <= 0 if shared else side < 0)
        kept = [filter_mask(frame, side >= 0)]
        if name in _CARRIED:
            kept.insert(0, _carried(ready[name], begun, keeps_last=name not in ENVIRONMENT))
        rest[name] = pl.concat(kept, how="diagonal_relaxed")
    return Settled(ready, rest)


def _last_starts(timeline: Timeline, cuts: pl.DataFrame) -> pl.DataFrame:
    """source, stream, begun: the line of the last server start before each cut."""
    begun = find_starts(timeline).join(timeline.lanes, on="lane").join(cuts, on=_OUTPUT, nulls_equal=True)
    return begun.filter(pl.col("place") < pl.col("cut")).group_by(_OUTPUT).agg(pl.col("line").max().alias("begun"))


def _carried(records: pl.DataFrame, begun: pl.DataFrame, *, keeps_last: bool) -> pl.DataFrame:
    """Of the records of a startup message those that the next part needs: those of the last start.

    A start that lacks a message of the banner has that of the start before: so the last record is carried in any case.
    """
    if records.is_empty():
        return records
    known = records.join(begun, on=_OUTPUT, how="left", nulls_equal=True, maintain_order="left")
    own = pl.col("line") >= pl.col("begun").fill_null(0)
    own &= own.cast(pl.Int64).cum_sum().over(_OUTPUT) <= _MOST_CARRIED
    if keeps_last:
        own |= pl.int_range(pl.len()).over(_OUTPUT) == pl.len().over(_OUTPUT) - 1
    start = pl.when(pl.col("line") >= pl.col("begun")).then("begun").otherwise(-1)
    return known.filter(own).with_columns(start.alias("carried_from")).drop("begun")


def _side(frame: pl.DataFrame, cuts: pl.DataFrame, outputs: int, *, is_bar: bool) -> pl.Series:
    """Whether each record stands before the cut of its output (-1), at it (0), or behind it (1)."""
    own, cut = record_place(is_bar=is_bar), pl.col("cut")
    if outputs == 1:
        cut = pl.lit(cuts["cut"].max(), pl.Int64)
    else:
        frame = frame.select(*_OUTPUT, "line", "part").join(
            cuts, on=_OUTPUT, how="left", nulls_equal=True, maintain_order="left"
        )
    return frame.select((own - cut).sign().fill_null(1)).to_series()


def _cuts(timeline: Timeline) -> pl.DataFrame:
    """lane, cut: the last place at which each lane can be parted.

    It is where a prompt begins that has ended, on a line of its own, and in which no bar is without a header: such a
    bar may belong to a stage further up.
    """
    bars = timeline.bars["window-bar"]
    lost = (
        mark_orphans(bars, find_headers(timeline)).filter("unowned").select("lane", "prompt").unique()
        if not bars.is_empty()
        else bars.select("lane", "prompt")
    )
    rows = pl.concat(
        [frame.select("lane", "place", "line", "prompt") for frame in (timeline.messages, *timeline.bars.values())],
        how="vertical_relaxed",
    ).sort(*(("place",) if timeline.lanes.height == 1 else ("lane", "place")))
    same_lane = pl.col("lane") == pl.col("lane").shift(1)
    begins = same_lane & (pl.col("prompt") != pl.col("prompt").shift(1)) & (pl.col("line") > pl.col("line").shift(1))
    last = rows.group_by("lane").agg(pl.col("prompt").max().alias("last"))
    return (
        rows.filter(begins)
        .join(last, on="lane")
        .filter(pl.col("prompt") < pl.col("last"))
        .join(lost, on=["lane", "prompt"], how="anti")
        .group_by("lane")
        .agg(pl.col("place").max().alias("cut"))
    )
