"""Recognizes excerpts: prompts without their beginning and end in the input, and without signs of an unfinished run.

ComfyUI prints `got prompt` for every request and a banner for every start. An input without these and without any
`Prompt executed` is a part of a log that a person copied. Its missing end proves nothing, unless the lines show an
unfinished run: a bar below its total, a last window without a closing refresh, or missing windows.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.runs import native_samplers, program_samplers
from loganalyzer.runs.timeline import Timeline
from loganalyzer.runs.vocabulary import BANNER
from loganalyzer.runs.window_lines import LINE
from loganalyzer.tables.frames import group_agg, left_join

MOST_LINES: Final = 1000
"""Maximum lines of an excerpt: nobody pastes more. A log too long for the memory never counts as an excerpt."""
_KEYS: Final = ["lane", "prompt"]


def with_excerpts(
    prompts: pl.DataFrame, timeline: Timeline, stages: pl.DataFrame, windows: pl.DataFrame
) -> pl.DataFrame:
    """`prompts` with `excerpt`; `stages` is as from `outcome.with_outcomes`, with observed_windows.

    Ranges without bars occur only in text that a person copied. Such an excerpt may contain `got prompt`.
    """
    cut = pl.col("status") == "truncated"
    if not prompts.select(cut.any()).item():
        return prompts.with_columns(pl.lit(value=False).alias("excerpt"))
    ends = ("executed", *BANNER)
    framed, ended = _lanes_with(timeline, ("arrival", *ends)), _lanes_with(timeline, ends)
    drawn = pl.concat([bars.select("lane") for bars in timeline.bars.values()])["lane"].unique()
    runs = _run_signs(stages, windows).pipe(
        group_agg,
        _KEYS,
        pl.col("is_open").any(),
        pl.col("is_copied").all(),
        pl.lit(value=True).first().alias("has_run"),
    )
    known = left_join(prompts, runs, _KEYS)
    has_run = pl.col("has_run").fill_null(value=False)
    is_open = pl.when(has_run).then("is_open").otherwise(pl.col("lane").is_in(drawn.implode()))
    copied = pl.col("is_copied").fill_null(value=False) & ~pl.col("lane").is_in(ended.implode())
    part = ~pl.col("lane").is_in(framed.implode()) | copied
    short = pl.col("end_line") <= MOST_LINES
    return known.with_columns((cut & part & short & ~is_open).fill_null(value=False).alias("excerpt")).drop(
        "is_open", "is_copied", "has_run"
    )


def _lanes_with(timeline: Timeline, events: tuple[str, ...]) -> pl.Series:
    """The lanes with any of `events`."""
    return timeline.messages.filter(pl.col("event").is_in(list(events)))["lane"].unique()


def _run_signs(stages: pl.DataFrame, windows: pl.DataFrame) -> pl.DataFrame:
    """lane, prompt, is_open (the run shows that it is unfinished), is_copied (its ranges have no bars)."""
    seen = windows.filter(pl.col("bar").is_not_null())
    last = seen.pipe(
        group_agg,
        ["stage"],
        (pl.col("steps_done").is_not_null() & pl.col("total_s").is_null()).last().alias("is_unclosed"),
        (pl.col("range_source") == LINE).all().alias("by_lines"),
    )
    known = left_join(stages, last, ["stage"])
    reported = pl.col("report_place").is_not_null()
    missing = pl.col("windowed") & (pl.col("observed_windows") < pl.col("expected_windows"))
    unfinished = pl.col("stopped_at").is_not_null() | (pl.col("is_unclosed") | missing).fill_null(value=False)
    copied = pl.col("by_lines").fill_null(value=False) & ~native_samplers.is_native() & ~program_samplers.is_program()
    return known.select(
        *_KEYS,
        ((~reported & unfinished) | program_samplers.is_program()).alias("is_open"),
        copied.alias("is_copied"),
    )
