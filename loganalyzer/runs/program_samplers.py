"""Finds the stages of standalone programs: LightX2V, MeiGen's command line, Wan2GP, and those that a user adds.

A pattern file with a table [producer] describes such a program. All programs share the same event names. Either the
program's messages name windows and steps (`lines`), or each bar without description is a window (`bars`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from loganalyzer.grammar.model import Pattern
from loganalyzer.runs.timeline import Timeline
from loganalyzer.runs.vocabulary import BANNER, PRODUCER, PROGRAM_FIELDS
from loganalyzer.tables.frames import join_nearest, sort_by, unique_by, with_schema

BY_LINES: Final = "program-lines"
"""The kind of a stage whose messages name windows and steps."""
BY_BARS: Final = "program-bars"
"""The kind of a stage whose windows are bars without description."""
KINDS: Final = (BY_LINES, BY_BARS)

_END: Final = "program-end"
_SHOWS_COMFYUI: Final = ("arrival", *BANNER)
_MESSAGES: Final = ("program-audio", "program-windows", "program-window")
"""Messages in the order in which a run prints them. The window number counts up."""
_OPENERS: Final = pl.Schema(
    {"lane": pl.UInt32, "place": pl.Int64, "line": pl.Int64, "prompt": pl.Int64, "kind": pl.String, **PRODUCER}
)
_PROMPT: Final = ("lane", "prompt")
_MAY_BE_OTHERS: Final = (_END, "program-saved")
"""Events whose wording other programs also print."""


def is_program() -> pl.Expr:
    """Whether a standalone program sampled the stage."""
    return pl.col("kind").is_in(KINDS)


def prepare_records(events: Mapping[str, pl.DataFrame], patterns: Sequence[Pattern]) -> dict[str, pl.DataFrame]:
    """`events` with the program's name in each program's records, and the ends of program runs as ends of prompts.

    An end counts only if its input shows the program, and only above all messages of ComfyUI, because other programs
    print the same words. Preparing records twice changes nothing.
    """
    found = dict(events)
    present = [name for name in PROGRAM_FIELDS if name in events and not events[name].is_empty()]
    if not present:
        return found
    known = _list_producers(patterns)
    for name in present:
        own = found[name].drop(*PRODUCER, strict=False)
        found[name] = own.join(known, on="pattern", maintain_order="left")
    return _with_ends(found, present) if _END in present else found


def _with_ends(found: dict[str, pl.DataFrame], present: Sequence[str]) -> dict[str, pl.DataFrame]:
    """`found` with the ends of program runs moved to the ends of prompts; ends that prove nothing are dropped."""
    own = [found[name].select("source", "program") for name in present if name not in _MAY_BE_OTHERS]
    shown = pl.concat(own or [found[_END].select("source", "program").clear()])
    lines = found[_END].select("source", "line").clear()
    comfyui = pl.concat([lines, *(found[name].select("source", "line") for name in _SHOWS_COMFYUI if name in found)])
    first = comfyui.group_by("source").agg(pl.col("line").min().alias("comfyui_line"))
    ends = found[_END].join(shown.unique(), on=["source", "program"], how="semi", maintain_order="left")
    above = pl.col("comfyui_line").is_null() | (pl.col("line") < pl.col("comfyui_line"))
    ends = ends.join(first, on="source", how="left", maintain_order="left").filter(above)
    ends = ends.drop(*PRODUCER, "comfyui_line")
    found[_END] = found[_END].clear()
    executed = [frame for frame in (found.get("executed"), ends) if frame is not None]
    found["executed"] = pl.concat(executed, how="diagonal_relaxed")
    return found


def _list_producers(patterns: Sequence[Pattern]) -> pl.DataFrame:
    """Pattern and the columns of `PRODUCER`, for the patterns of files that describe a program."""
    rows = [
        (one.id, who.name, who.windows, who.mode, who.tail, who.models, who.unquantized)
        for one in patterns
        if (who := one.producer) is not None
    ]
    return pl.DataFrame(rows, schema={"pattern": pl.String, **PRODUCER}, orient="row")


def find_stages(timeline: Timeline) -> pl.DataFrame:
    """lane, place, line, prompt, kind and the columns of `PRODUCER`, one row per stage, in order."""
    opened = [
        with_schema(found.with_columns(pl.lit(kind).alias("kind")), _OPENERS)
        for found, kind in ((_starts_by_lines(timeline), BY_LINES), (_starts_by_bars(timeline), BY_BARS))
    ]
    return pl.concat(opened).pipe(sort_by, "lane", "place")


def _starts_by_lines(timeline: Timeline) -> pl.DataFrame:
    """The starts of runs: messages that a run prints before the previous message, or instead of it."""
    ranks = [pl.lit(rank, pl.Int64) + (pl.col("window") if name == _MESSAGES[-1] else 0) for rank, name in _RANKED]
    ranked = pl.concat(
        [
            timeline.records(name).filter(pl.col("windows_by") == "lines").select(*_KEYS, *PRODUCER, rank.alias("rank"))
            for name, rank in zip(_MESSAGES, ranks, strict=True)
        ]
    ).pipe(sort_by, "lane", "place")
    same = pl.all_horizontal(pl.col(key) == pl.col(key).shift(1) for key in (*_PROMPT, "program"))
    goes_on = (same & (pl.col("rank") > pl.col("rank").shift(1))).fill_null(value=False)
    return ranked.filter(~goes_on)


_KEYS: Final = ("lane", "place", "line", "prompt")
_RANKED: Final = tuple(enumerate(_MESSAGES))


def _starts_by_bars(timeline: Timeline) -> pl.DataFrame:
    """The starts of runs: printed arguments, and the first bar of each prompt below a known model."""
    runs = timeline.records("program-run").filter(pl.col("windows_by") == "bars")
    loaded = find_models(timeline)
    if loaded.is_empty():
        return runs
    bars = _program_bars(timeline).select(*_KEYS)
    below = join_nearest(bars, loaded.select("lane", "place", "is_analyzed", *PRODUCER)).filter(
        pl.col("is_analyzed").fill_null(value=False),
    )
    return pl.concat([frame.select(*_KEYS, *PRODUCER) for frame in (runs, unique_by(below, *_PROMPT))])


def _program_bars(timeline: Timeline) -> pl.DataFrame:
    """Bars without description, in outputs without messages of ComfyUI."""
    comfyui = pl.concat([timeline.records(name).select("lane") for name in _SHOWS_COMFYUI])["lane"]
    return timeline.bars["bare-bar"].filter(~pl.col("lane").is_in(comfyui.implode()))


_NO_BARS: Final = pl.DataFrame(schema={"lane": pl.UInt32, "prompt": pl.Int64, "n": pl.Int64, "name": pl.String})


def find_foreign_bars(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, n, name: the refreshes of bars below a model file that is not analyzed, in order."""
    loaded = find_models(timeline).select("lane", "place", "is_analyzed", "name")
    if loaded.is_empty():
        return _NO_BARS
    bars = _program_bars(timeline).select("lane", "place", "prompt", "n")
    return join_nearest(bars, loaded).filter(pl.col("is_analyzed").not_().fill_null(value=False))


def find_models(timeline: Timeline) -> pl.DataFrame:
    """Model files that programs loaded: lane, place, path, name, is_analyzed and the columns of `PRODUCER`."""
    loaded = timeline.records("program-model").filter(pl.col("windows_by") == "bars")
    name = pl.col("path").str.split("/").list.last().str.split("\\").list.last()
    named = loaded.with_columns(name.alias("name"))
    fits = pl.when(pl.col("models").is_null()).then(pl.lit(value=True)).otherwise(_is_known_model())
    return named.with_columns(fits.fill_null(value=False).alias("is_analyzed")).pipe(sort_by, "lane", "place")


def _is_known_model() -> pl.Expr:
    return pl.col("name").str.contains(pl.col("models"), strict=False)
