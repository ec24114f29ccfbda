"""Corrects the times of bars with unsmoothed rates: ComfyUI's samplers under DynamicVRAM.

Each rate there is the time of the last step alone. At the second step ComfyUI moves the bar's start, so that the first
step (which loads the model) counts as long as the second. From then on, neither the clock nor the closing average
covers the complete time (facts sheet of 2026, section 2.4).
"""

from __future__ import annotations

import polars as pl

from loganalyzer.runs.native_bars import DYNAMIC


def mark_unsmoothed(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` (refreshes with `bar`) with `unsmoothed`; one refresh of that form marks its complete bar."""
    dynamic = pl.col("pattern") == DYNAMIC
    if not (rows["pattern"] == DYNAMIC).any():
        return rows.with_columns(pl.lit(value=False).alias("unsmoothed"))
    return rows.with_columns(dynamic.any().over("bar").alias("unsmoothed"))


def with_durations(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with progress, with the durations of unsmoothed bars, where a refresh shows a single step.

    After a lost refresh, the rate covers the last step only. The clock is valid only from the second step on.
    """
    if not rows["unsmoothed"].any():
        return rows
    is_unsmoothed, single = pl.col("unsmoothed"), pl.col("gained") == 1
    known = single & pl.col("rate").is_not_null()
    moved = is_unsmoothed & (pl.col("n") - pl.col("gained") < 2)
    return rows.with_columns(
        pl.when(is_unsmoothed & known)
        .then("rate")
        .when(is_unsmoothed)
        .then(None)
        .otherwise("duration_s")
        .alias("duration_s"),
        pl.when(is_unsmoothed & known)
        .then("rate_error")
        .when(is_unsmoothed)
        .then(None)
        .otherwise("uncertainty_s")
        .alias("uncertainty_s"),
        pl.when(is_unsmoothed).then(known).otherwise("agrees").alias("agrees"),
        pl.when(is_unsmoothed).then(known).otherwise("known").alias("known"),
        pl.when(moved).then(None).otherwise("spent_s").alias("spent_s"),
    )


def with_totals(windows: pl.DataFrame) -> pl.DataFrame:
    """`windows`, where the total time of an unsmoothed bar is the sum of its steps (null if unknown)."""
    is_unsmoothed = pl.col("unsmoothed")
    return windows.with_columns(
        pl.when(is_unsmoothed).then("sampling_s").otherwise("total_s").alias("total_s"),
        pl.when(is_unsmoothed)
        .then("steps_uncertainty_s")
        .otherwise("total_uncertainty_s")
        .alias("total_uncertainty_s"),
    )
