"""Bars whose rates are not smoothed: ComfyUI's samplers under DynamicVRAM.

Every rate there is the last step's own time. At the second step the bar's start is moved, so that the first step, in
which the model is loaded, counts as long as the second: from then on neither the clock nor the closing average holds
the whole time (facts sheet of 2026, section 2.4).
"""

from __future__ import annotations

import polars as pl

from loganalyzer.runs.native_bars import DYNAMIC


def marked(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` (refreshes with `bar`) with `unsmoothed`, which one refresh tells of the whole bar."""
    dynamic = pl.col("pattern") == DYNAMIC
    if not (rows["pattern"] == DYNAMIC).any():
        return rows.with_columns(pl.lit(value=False).alias("unsmoothed"))
    return rows.with_columns(dynamic.any().over("bar").alias("unsmoothed"))


def timed(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` of `steps` that show progress, with the durations of unsmoothed bars: of steps that were drawn singly.

    Behind a lost refresh the rate is the last step's alone, and the clock tells the time only from the second step on.
    """
    if not rows["unsmoothed"].any():
        return rows
    mine, single = pl.col("unsmoothed"), pl.col("gained") == 1
    known = single & pl.col("rate").is_not_null()
    moved = mine & (pl.col("n") - pl.col("gained") < 2)
    return rows.with_columns(
        pl.when(mine & known).then("rate").when(mine).then(None).otherwise("duration_s").alias("duration_s"),
        pl.when(mine & known)
        .then("rate_error")
        .when(mine)
        .then(None)
        .otherwise("uncertainty_s")
        .alias("uncertainty_s"),
        pl.when(mine).then(known).otherwise("agrees").alias("agrees"),
        pl.when(mine).then(known).otherwise("known").alias("known"),
        pl.when(moved).then(None).otherwise("spent_s").alias("spent_s"),
    )


def totals(windows: pl.DataFrame) -> pl.DataFrame:
    """`windows` in which what an unsmoothed bar took is the sum of its steps, and else unknown."""
    mine = pl.col("unsmoothed")
    return windows.with_columns(
        pl.when(mine).then("sampling_s").otherwise("total_s").alias("total_s"),
        pl.when(mine).then("steps_uncertainty_s").otherwise("total_uncertainty_s").alias("total_uncertainty_s"),
    )
