"""A prompt that goes on and on: bars without any message between them, as in a capture of the bars alone.

Where a prompt begins or ends only messages tell. A log without them is one prompt for us, however long, and what must
wait for a prompt's end would have to be held for ever. But all that is said of a stage of nothing but bars follows from
its own bars, and from another stage behind it: so such a prompt can be parted where a stage begins. Only the revisions
of the wrapper that its runs may come from are not narrowed down, should messages follow in the same prompt after all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from loganalyzer.engine.splitting import Events, split
from loganalyzer.runs.stages import restarts_audio
from loganalyzer.runs.timeline import Timeline, build_timeline
from loganalyzer.runs.vocabulary import BANNER
from loganalyzer.tables.frames import unique_values

_OUTPUT = ["source", "stream"]


@dataclass(frozen=True, eq=False)
class Parted:
    """Records parted in two.

    Attributes:
        ready: those before the last stage, and its first bar, which shows that the stage before was followed.
        rest: those of the last stage on; the first bar again.
        opened: source (number), stream, line: where that stage begins. What `ready` says of it is to be left out.
    """

    ready: Events
    rest: Events
    opened: pl.DataFrame


def parted(events: Events, neutral: frozenset[str]) -> Parted:
    """Part the records of inputs that go on, in each output whose last prompt shows nothing but bars.

    The last banner of a server stays with both parts, as in `settled`.
    """
    timeline = build_timeline(events, neutral)
    opened = timeline.lanes.join(_openings(timeline, neutral), on="lane").select(*_OUTPUT, "line", "cut")
    if opened.is_empty():
        return Parted({}, events, opened.drop("cut"))
    sides = split(events, opened.drop("line"), timeline, shared=True)
    return Parted(sides.ready, sides.rest, opened.drop("cut"))


def _openings(timeline: Timeline, neutral: frozenset[str]) -> pl.DataFrame:
    """lane, line, cut: the place of the last bar of each lane that starts the audio anew, where it can be parted there.

    That bar opens a stage, where no header does. It stands on a line of its own, in a prompt without messages.
    """
    last = _silent(timeline, neutral)
    bars = timeline.bars["window-bar"]
    own_line = pl.col("line") > pl.col("line").shift(1)
    begun = bars.select((restarts_audio() & own_line).arg_true()).to_series()
    opening = bars[begun, ["lane", "place", "line", "prompt"]]
    return (
        opening.join(last, on=["lane", "prompt"], how="semi")
        .group_by("lane")
        .agg(pl.col("line").max(), pl.col("place").max().alias("cut"))
    )


def _silent(timeline: Timeline, neutral: frozenset[str]) -> pl.DataFrame:
    """lane, prompt: the last prompt of each lane, where it has no message but a banner.

    A lane whose banner stands before other messages is none of these: without them, the next banner would follow that
    of the rest, and be no restart.
    """
    frames = [frame for frame in (timeline.messages, *timeline.bars.values()) if not frame.is_empty()]
    ends = [unique_values(frame, "lane", "prompt") for frame in frames or [timeline.messages]]
    last = pl.concat(ends).group_by("lane").agg(pl.col("prompt").max())
    counted = timeline.messages.filter(~pl.col("event").is_in(list(neutral)))
    banner = pl.col("event").is_in(BANNER)
    covered = counted.group_by("lane", maintain_order=True).agg(
        banner.any().alias("has_banner"), banner.last().alias("ends_with_banner")
    )
    telling = counted.filter(~banner).select("lane", "prompt").unique()
    return last.join(telling, on=["lane", "prompt"], how="anti").join(
        covered.filter(pl.col("has_banner") & ~pl.col("ends_with_banner")), on="lane", how="anti"
    )


def without_opened(made: Mapping[str, pl.DataFrame], opened: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Tables of a ready part without the run of the stage that the rest begins with; `opened` has stream and line."""
    gone = made["runs"].join(opened.select("stream", "line"), on=["stream", "line"], how="semi", nulls_equal=True)
    names = gone["run_id"].implode()
    return {
        name: frame.filter(~pl.col("run_id").is_in(names).fill_null(value=False))
        if "run_id" in frame.columns
        else frame
        for name, frame in made.items()
    }
