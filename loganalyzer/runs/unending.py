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

from loganalyzer.runs.stages import open_stages
from loganalyzer.runs.timeline import Timeline, build, place
from loganalyzer.runs.vocabulary import BANNER, BARS

Events = dict[str, pl.DataFrame]
_OUTPUT = ["source", "stream"]


@dataclass(frozen=True)
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
    timeline = build(events, neutral)
    opened = timeline.lanes.join(_openings(timeline, neutral), on="lane").select(*_OUTPUT, "line", "cut")
    if opened.is_empty():
        return Parted({}, events, opened.drop("cut"))
    ready, rest = {}, {}
    for name, frame in events.items():
        own = place(is_bar=name in BARS)
        marked = frame.join(
            opened.select(*_OUTPUT, "cut"), on=_OUTPUT, how="left", nulls_equal=True, maintain_order="left"
        )
        ready[name] = marked.filter((own <= pl.col("cut")).fill_null(value=False)).drop("cut")
        kept = [marked.filter((own >= pl.col("cut")).fill_null(value=True)).drop("cut")]
        if name in BANNER:
            kept.insert(0, ready[name].unique(_OUTPUT, keep="last", maintain_order=True))
        rest[name] = pl.concat(kept)
    return Parted(ready, rest, opened.drop("cut"))


def _openings(timeline: Timeline, neutral: frozenset[str]) -> pl.DataFrame:
    """lane, line, cut: the place of the first bar of each lane's last stage, where the lane can be parted there.

    It is a bar on a line of its own, in a prompt without messages, and not the lane's first.
    """
    idle = [*BANNER, *neutral]
    telling = timeline.messages.filter(~pl.col("event").is_in(idle)).select("lane", "prompt").unique()
    last = (
        pl.concat([frame.select("lane", "prompt") for frame in (timeline.messages, *timeline.bars.values())])
        .group_by("lane")
        .agg(pl.col("prompt").max())
        .join(telling, on=["lane", "prompt"], how="anti")
    )
    bars = timeline.bars["window-bar"].select("lane", "place", "line", "prompt").join(last, on=["lane", "prompt"])
    before = pl.when(pl.col("lane") == pl.col("lane").shift(1)).then(pl.col("line").shift(1))
    begins = bars.sort("lane", "place").filter(pl.col("line") > before)
    stages = open_stages(timeline).select("lane", (pl.col("place") + 1).alias("place"))
    return (
        begins.join(stages, on=["lane", "place"], how="semi")
        .group_by("lane")
        .agg(pl.col("line").max(), pl.col("place").max().alias("cut"))
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
