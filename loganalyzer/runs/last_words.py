"""Infers how a prompt ended from its last messages, if no known message says so.

Nodes catch exceptions, print them and continue; the web server prints tracebacks when a connection breaks. So a message
counts only if none of the prompt's work follows it: a near miss of a failure or an interruption, or a traceback. If the
traceback's first frame is ComfyUI's own `execute`, the exception left the node and ended the prompt.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.runs.recorded.ends import AFTER_A_FAILURE
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import group_agg, left_join

LOST: Final = ("exception", "out-of-memory", "wrapper-error", "process-died")
_TRACES: Final = ("traceback", "core-frame")
_LIKE: Final = {"failure-like": "like_lost", "interruption-like": "like_stopped"}
_AT: Final = ("lane", "prompt", "place")
_KEYS: Final = ["lane", "prompt"]
_NONE: Final = pl.DataFrame(
    schema={"lane": pl.UInt32, "prompt": pl.Int64} | dict.fromkeys(("like_lost", "like_stopped", "left"), pl.Boolean)
)


def find_last_words(timeline: Timeline, found: pl.DataFrame, idle: frozenset[str]) -> pl.DataFrame:
    """One row for each prompt that ends with such a message: lane, prompt, like_lost, like_stopped, left.

    `like_lost` and `like_stopped`: a message is a near miss of a failure or of an interruption. `left`: whether the
    exception of a traceback left a node; null without a traceback. `found` has lane, prompt, place of each prompt;
    `idle` are the events that do not show that a prompt is running.
    """
    if all(timeline.records(event).is_empty() for event in (*_LIKE, "traceback")):
        return _NONE
    words = _collect_messages(timeline)
    ends = left_join(
        found[:, list(_AT)].rename({"place": "begins"}),
        _last_activity(timeline, {*idle, *LOST, *AFTER_A_FAILURE, "interruption", "executed"}),
        _KEYS,
    )
    last = left_join(words, ends, _KEYS).filter(
        pl.col("place") > pl.max_horizontal("begins", pl.col("works").fill_null(-1))
    )
    traced = pl.col("event") == "traceback"
    return last.pipe(
        group_agg,
        _KEYS,
        *((pl.col("event") == event).any().alias(name) for event, name in _LIKE.items()),
        pl.when(traced.any()).then((traced & pl.col("is_core")).any()).alias("left"),
    )


def _collect_messages(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, place, event, is_core: near misses and tracebacks; is_core if ComfyUI's own frame follows."""
    frames = [timeline.records(event).select(*_AT, pl.lit(event).alias("event")) for event in (*_LIKE, *_TRACES)]
    words = pl.concat(frames).sort("lane", "place")
    behind = pl.col("event").shift(-1).over("lane", "prompt") == "core-frame"
    return words.select(*_AT, "event", behind.fill_null(value=False).alias("is_core")).filter(
        pl.col("event") != "core-frame"
    )


def _last_activity(timeline: Timeline, idle: set[str]) -> pl.DataFrame:
    """lane, prompt, works: the place of the last message or bar advance that shows that a prompt is running.

    A redrawn bar may belong to a failed window, whose bar closes after the exception. For bars without parsed figures,
    the last refresh is ignored, because it may be such a redraw.
    """
    messages = timeline.messages.filter(~pl.col("event").is_in(sorted(idle))).select(*_AT)
    bars = (frame.sort("lane", "place").filter(_advances(frame)) for frame in timeline.bars.values())
    places = pl.concat([messages, *(frame.select(*_AT) for frame in bars)])
    return places.pipe(group_agg, _KEYS, pl.col("place").max().alias("works"))


def _advances(bars: pl.DataFrame) -> pl.Expr:
    if "n" not in bars.columns:
        return pl.col("place").shift(-1).over("lane", "prompt").is_not_null()
    return (pl.col("n") > pl.col("n").shift(1).over("lane")).fill_null(value=False)
