"""Narrows down which revisions of the wrapper may have written a prompt's lines, from the forms of its messages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from loganalyzer.grammar.model import Pattern
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import group_agg, inner_join, unique_by, unique_values

ONE_WINDOW_CASE = date(2025, 9, 6)
"""Since this day, audio that fits one window runs one window, and upstream announces padding."""
SHORTER_SAID = date(2025, 8, 20)
"""Since this day, the embedding node reports audio that is shorter than the requested frames."""
_USE = ("lane", "prompt", "pattern")
_RESIDUE = (date(2025, 12, 1), date(2025, 12, 31))


def narrow_eras(timeline: Timeline, patterns: Iterable[Pattern]) -> pl.DataFrame:
    """One row per prompt: lane, prompt, since, until (exclusive); null where open.

    Forms that no single revision printed (logs of different revisions under one prompt) leave both null.
    """
    spans = pl.DataFrame(
        [(p.id, p.since, p.until) for p in patterns if p.project == "wrapper"],
        schema={"pattern": pl.String, "since": pl.Date, "until": pl.Date},
        orient="row",
    )
    records = (timeline.messages, *timeline.bars.values())
    used = pl.concat([unique_values(frame, *_USE) for frame in records], how="vertical_relaxed").pipe(unique_by, *_USE)
    contradicts = (pl.col("since") >= pl.col("until")).fill_null(value=False)
    return (
        inner_join(used, spans, ["pattern"])
        .pipe(group_agg, ["lane", "prompt"], pl.col("since").max(), pl.col("until").min())
        .with_columns(
            pl.when(~contradicts).then("since").alias("since"),
            pl.when(~contradicts).then("until").alias("until"),
        )
    )


def is_until(day: date) -> pl.Expr:
    """Whether a run's `wrapper_era` (see `label`) ends by this day."""
    until = pl.col("wrapper_era").str.split("..").list.last().str.to_date("%Y-%m-%d", strict=False)
    return (until <= day).fill_null(value=False)


def era_label(since: pl.Expr, until: pl.Expr) -> pl.Expr:
    """The era as text, e.g. `2025-09-06..2025-12-01`. An open end is empty; null if both ends are open."""
    text = pl.concat_str(
        [
            since.dt.to_string("%Y-%m-%d").fill_null(""),
            pl.lit(".."),
            until.dt.to_string("%Y-%m-%d").fill_null(""),
        ]
    )
    return pl.when(since.is_not_null() | until.is_not_null()).then(text)
