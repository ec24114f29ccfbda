"""Splits the records of an input that is still being read: complete prompts become tables, the rest is kept.

All facts about a prompt follow from its own records, those of the previous prompt, and the server's banner. So a long
log can be processed prompt by prompt: if it is split where prompts start, the parts give the same tables.
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
_OUTPUT_KEY = ["source", "stream"]
_STARTUP_EVENTS = frozenset({*BANNER, *PRELUDE, *ENVIRONMENT})
_MAX_CARRIED = 1000
"""Startup records of each output that are carried from part to part."""


class Split(NamedTuple):
    """Records split in two: those of complete prompts, and those to keep."""

    ready: Events
    rest: Events


def split_complete_prompts(events: Events, neutral: frozenset[str]) -> Split:
    """Splits the records of unfinished inputs at the last prompt start; both halves get the server's last banner."""
    if not any(name in events and not events[name].is_empty() for name in ("executed", *BANNER)):
        return Split({}, events)
    timeline = build_timeline(events, neutral)
    cuts = timeline.lanes.join(_find_cuts(timeline), on="lane").select("source", "stream", "cut")
    return split_at_cuts(events, cuts, timeline)


def split_at_cuts(events: Events, cuts: pl.DataFrame, timeline: Timeline, *, shared: bool = False) -> Split:
    """Splits the records of a timeline at one place per output; `cuts` has source, stream and cut.

    Outputs without a cut are kept. A record at the cut is kept as well; if `shared`, both halves get it.
    """
    ready, rest = {}, {}
    outputs = timeline.lanes.height
    start_line = _find_last_starts(timeline, cuts)
    for name, frame in events.items():
        position = _compare_to_cuts(frame, cuts, outputs, is_bar=name in BARS)
        ready[name] = filter_mask(frame, position <= 0 if shared else position < 0)
        kept = [filter_mask(frame, position >= 0)]
        if name in _STARTUP_EVENTS:
            kept.insert(0, _select_carried(ready[name], start_line, keeps_last=name not in ENVIRONMENT))
        rest[name] = pl.concat(kept, how="diagonal_relaxed")
    return Split(ready, rest)


def _find_last_starts(timeline: Timeline, cuts: pl.DataFrame) -> pl.DataFrame:
    """source, stream, start_line: the line of the last server start before each cut."""
    start_line = find_starts(timeline).join(timeline.lanes, on="lane").join(cuts, on=_OUTPUT_KEY, nulls_equal=True)
    return (
        start_line.filter(pl.col("place") < pl.col("cut"))
        .group_by(_OUTPUT_KEY)
        .agg(pl.col("line").max().alias("start_line"))
    )


def _select_carried(records: pl.DataFrame, start_line: pl.DataFrame, *, keeps_last: bool) -> pl.DataFrame:
    """The startup records that the next part needs: those of the last server start.

    A start that lacks a banner message inherits the previous start's. So the last record is carried in any case.
    """
    if records.is_empty():
        return records
    known = records.join(start_line, on=_OUTPUT_KEY, how="left", nulls_equal=True, maintain_order="left")
    own = pl.col("line") >= pl.col("start_line").fill_null(0)
    own &= own.cast(pl.Int64).cum_sum().over(_OUTPUT_KEY) <= _MAX_CARRIED
    if keeps_last:
        own |= pl.int_range(pl.len()).over(_OUTPUT_KEY) == pl.len().over(_OUTPUT_KEY) - 1
    start = pl.when(pl.col("line") >= pl.col("start_line")).then("start_line").otherwise(-1)
    return known.filter(own).with_columns(start.alias("carried_from")).drop("start_line")


def _compare_to_cuts(frame: pl.DataFrame, cuts: pl.DataFrame, outputs: int, *, is_bar: bool) -> pl.Series:
    """Position of each record relative to the cut of its output: -1 before, 0 at, 1 after."""
    own, cut = record_place(is_bar=is_bar), pl.col("cut")
    if outputs == 1:
        cut = pl.lit(cuts["cut"].max(), pl.Int64)
    else:
        frame = frame.select(*_OUTPUT_KEY, "line", "part").join(
            cuts, on=_OUTPUT_KEY, how="left", nulls_equal=True, maintain_order="left"
        )
    return frame.select((own - cut).sign().fill_null(1)).to_series()


def _find_cuts(timeline: Timeline) -> pl.DataFrame:
    """lane, cut: the last place at which each lane can be split.

    There a prompt starts on a line of its own, another prompt follows it, and none of its bars lacks a header: such a
    bar may belong to an earlier stage.
    """
    bars = timeline.bars["window-bar"]
    with_orphans = (
        mark_orphans(bars, find_headers(timeline)).filter("unowned").select("lane", "prompt").unique()
        if not bars.is_empty()
        else bars.select("lane", "prompt")
    )
    records = pl.concat(
        [frame.select("lane", "place", "line", "prompt") for frame in (timeline.messages, *timeline.bars.values())],
        how="vertical_relaxed",
    ).sort(*(("place",) if timeline.lanes.height == 1 else ("lane", "place")))
    same_lane = pl.col("lane") == pl.col("lane").shift(1)
    begins = same_lane & (pl.col("prompt") != pl.col("prompt").shift(1)) & (pl.col("line") > pl.col("line").shift(1))
    last = records.group_by("lane").agg(pl.col("prompt").max().alias("last"))
    return (
        records.filter(begins)
        .join(last, on="lane")
        .filter(pl.col("prompt") < pl.col("last"))
        .join(with_orphans, on=["lane", "prompt"], how="anti")
        .group_by("lane")
        .agg(pl.col("place").max().alias("cut"))
    )
