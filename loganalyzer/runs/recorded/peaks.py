"""Takes a stage's memory peak from the recorder, which keeps the maximum across all resets of the counter."""

from __future__ import annotations

import polars as pl

from loganalyzer.runs.recorded.samplers import find_sampler_ends
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import group_agg, left_join


def with_recorded_peaks(stages: pl.DataFrame, timeline: Timeline) -> pl.DataFrame:
    """`stages` (with the columns of `memory.final_reports`) with the recorder's peaks in place of the printed ones.

    A recorded peak covers the complete stage. It begins where the wrapper resets the counter before sampling, so that
    it compares with the reports of 2025; without a reset it covers the whole node.
    """
    if timeline.records("recorder-node").is_empty():
        return stages
    ends = find_sampler_ends(timeline, stages)
    peak, reserved = pl.coalesce("sampling_gib", "allocated_gib"), pl.coalesce("sampling_reserved_gib", "reserved_gib")
    known = ends.with_columns(peak.alias("peak"), reserved.alias("reserved")).filter(pl.col("peak") > 0)
    highest = known.pipe(
        group_agg,
        ["stage"],
        pl.col("peak").max(),
        pl.col("reserved").max(),
        pl.col("line").get(pl.col("peak").arg_max()).alias("recorded_line"),
    )
    is_known = pl.col("peak").is_not_null()
    values: dict[str, str | pl.Expr] = {
        "peak_allocated_gib": "peak",
        "peak_reserved_gib": "reserved",
        "peak_covers": pl.lit("stage"),
        "peak_line": "recorded_line",
    }
    return (
        left_join(stages, highest, ["stage"])
        .with_columns(pl.when(is_known).then(value).otherwise(name).alias(name) for name, value in values.items())
        .drop("peak", "reserved", "recorded_line")
    )
