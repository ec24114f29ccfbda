"""Adds windows that the log shows as a line without a bar, as in excerpts and text searches."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.runs import native_samplers
from loganalyzer.runs.stages import assign_stage
from loganalyzer.runs.timeline import Timeline, find_bare_lines
from loganalyzer.tables.frames import anti_join, sort_by, unique_by, with_schema

LINE: Final = "line"
BAR: Final = "bar"
_RANGE: Final = ("stage", "audio_start", "audio_end")


def with_window_lines(found: pl.DataFrame, timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """`found` (windows with bars) with `range_source`, and with the windows that only a line shows.

    A line adds nothing if the bar of its range is present. Windows are ordered by their first bar or line.
    """
    has_range = pl.when(pl.col("audio_start").is_not_null())
    drawn = pl.when(pl.col("pattern").str.starts_with("window-bar")).then(pl.lit(BAR)).otherwise(pl.lit(LINE))
    known = found.with_columns(has_range.then(drawn).alias("range_source"))
    lines = find_bare_lines(timeline)
    if lines.is_empty():
        return known
    possible = (pl.col("audio_start") >= 0) & (pl.col("audio_end") > pl.col("audio_start"))
    own = stages.filter(~native_samplers.is_native())["stage"]
    own_lines = assign_stage(lines.filter(possible.fill_null(value=False)), stages).filter(
        pl.col("stage").is_in(own.implode())
    )
    new = anti_join(unique_by(sort_by(own_lines, "stage", "place"), *_RANGE), known, *_RANGE)
    if new.is_empty():
        return known
    shown = new.with_columns((-1 - pl.int_range(pl.len())).alias("bar"), pl.lit(LINE).alias("range_source"))
    both = pl.concat([known, with_schema(shown, known.schema)]).pipe(sort_by, "stage", "place")
    return both.with_columns((pl.int_range(pl.len()).over("stage") + 1).alias("order"))
