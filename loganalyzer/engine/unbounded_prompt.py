"""Splits a prompt that never ends: bars without messages between them, as in a capture that has only the bars.

Only messages show where a prompt starts or ends. A log without messages is a single prompt, however long, and its
records would be buffered forever. But all facts about a stage that has only bars follow from its own bars, and from
whether another stage follows it. So such a prompt can be split where a stage starts. One difference remains: if
messages follow in the same prompt after all, they do not narrow down the possible wrapper revisions of its runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from loganalyzer.engine.splitting import Events, split_at_cuts
from loganalyzer.runs.stages import restarts_audio
from loganalyzer.runs.timeline import Timeline, build_timeline
from loganalyzer.runs.vocabulary import BANNER
from loganalyzer.tables.frames import unique_values

_OUTPUT_KEY = ["source", "stream"]


@dataclass(frozen=True, eq=False)
class StageSplit:
    """Records split in two.

    Attributes:
        ready: records before the last stage, and its first bar, which shows that another stage follows.
        rest: records from the last stage on, including its first bar.
        opened: source (number), stream, line: the start of that stage. `drop_opened_runs` drops its run from `ready`.
    """

    ready: Events
    rest: Events
    opened: pl.DataFrame


def split_at_stage(events: Events, neutral: frozenset[str]) -> StageSplit:
    """Splits the records of unfinished inputs, in each output whose last prompt contains only bars.

    Both halves get the server's last banner, as in `split_complete_prompts`.
    """
    timeline = build_timeline(events, neutral)
    opened = timeline.lanes.join(_find_stage_starts(timeline, neutral), on="lane").select(*_OUTPUT_KEY, "line", "cut")
    if opened.is_empty():
        return StageSplit({}, events, opened.drop("cut"))
    halves = split_at_cuts(events, opened.drop("line"), timeline, shared=True)
    return StageSplit(halves.ready, halves.rest, opened.drop("cut"))


def _find_stage_starts(timeline: Timeline, neutral: frozenset[str]) -> pl.DataFrame:
    """lane, line, cut: the last bar of each lane that restarts at the beginning of the audio, if it can be split there.

    Such a bar starts a stage if no header does. It must be on its own line, in a prompt without messages.
    """
    last = _find_bar_only_prompts(timeline, neutral)
    bars = timeline.bars["window-bar"]
    own_line = pl.col("line") > pl.col("line").shift(1)
    starts = bars.select((restarts_audio() & own_line).arg_true()).to_series()
    opening = bars[starts, ["lane", "place", "line", "prompt"]]
    return (
        opening.join(last, on=["lane", "prompt"], how="semi")
        .group_by("lane")
        .agg(pl.col("line").max(), pl.col("place").max().alias("cut"))
    )


def _find_bar_only_prompts(timeline: Timeline, neutral: frozenset[str]) -> pl.DataFrame:
    """lane, prompt: the last prompt of each lane, if it has no message except a banner.

    A lane whose banner precedes other messages is excluded: without those messages, the next banner would directly
    follow the carried one and would not count as a restart.
    """
    frames = [frame for frame in (timeline.messages, *timeline.bars.values()) if not frame.is_empty()]
    ends = [unique_values(frame, "lane", "prompt") for frame in frames or [timeline.messages]]
    last = pl.concat(ends).group_by("lane").agg(pl.col("prompt").max())
    counted = timeline.messages.filter(~pl.col("event").is_in(list(neutral)))
    banner = pl.col("event").is_in(BANNER)
    banner_lanes = counted.group_by("lane", maintain_order=True).agg(
        banner.any().alias("has_banner"), banner.last().alias("ends_with_banner")
    )
    with_messages = counted.filter(~banner).select("lane", "prompt").unique()
    return last.join(with_messages, on=["lane", "prompt"], how="anti").join(
        banner_lanes.filter(pl.col("has_banner") & ~pl.col("ends_with_banner")), on="lane", how="anti"
    )


def drop_opened_runs(tables: Mapping[str, pl.DataFrame], opened: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Tables of a ready part without the run of the stage that starts the rest; `opened` has stream and line.

    Rows of `events` stay: their records are in no other part, and the next part gives the run the same id.
    """
    dropped = tables["runs"].join(opened.select("stream", "line"), on=["stream", "line"], how="semi", nulls_equal=True)
    names = dropped["run_id"].implode()
    return {
        name: frame.filter(~pl.col("run_id").is_in(names).fill_null(value=False))
        if "run_id" in frame.columns and name != "events"
        else frame
        for name, frame in tables.items()
    }
