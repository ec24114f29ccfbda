"""Reads memory reports, and determines what a stage's final report really covers.

Since 2025-12-01 the VAE resets the peak counter inside the loop. The figure at the end of a windowed run is therefore
not the sampling peak: first it was a residue, since 2025-12-31 it is the last decode's peak (facts sheet, section 3).
"""

from __future__ import annotations

import polars as pl

from loganalyzer.runs.stages import assign_stage
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import group_agg, left_join, sort_by

_FIGURES = {
    "allocated": "allocated_gib",
    "max-allocated": "max_allocated_gib",
    "max-reserved": "max_reserved_gib",
}
_RANK = {name: rank for rank, name in enumerate(_FIGURES)}


def find_reports(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """One row per report.

    Columns: stage, lane, place, phase, allocated_gib, max_allocated_gib, max_reserved_gib, line, end_line. A report
    is two or three lines of one phase in their fixed order.
    """
    lines = pl.concat(
        [timeline.records(name).with_columns(pl.lit(rank).alias("rank")) for name, rank in _RANK.items()],
        how="diagonal",
    ).pipe(sort_by, "lane", "place")
    phase = pl.col("phase").fill_null("")
    begins = (
        (pl.col("rank") <= pl.col("rank").shift(1).over("lane"))
        | (phase != phase.shift(1).over("lane"))
        | (pl.col("prompt") != pl.col("prompt").shift(1).over("lane"))
    ).fill_null(value=True)
    found = lines.with_columns(begins.cast(pl.Int64).cum_sum().over("lane").alias("report")).pipe(
        group_agg,
        ["lane", "report"],
        pl.col("place", "phase", "prompt").first(),
        pl.coalesce(pl.col("line").filter(pl.col("rank") == 1).first(), pl.col("line").first()).alias("line"),
        pl.col("line").last().alias("end_line"),
        *(pl.col(figure).drop_nulls().first() for figure in _FIGURES.values()),
    )
    return assign_stage(found, stages).drop("report").pipe(sort_by, "lane", "place")


def final_reports(timeline: Timeline, found: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """The final report of each stage.

    Columns: stage, peak_allocated_gib, peak_reserved_gib, peak_covers, report_place, report_line, peak_line.
    `stages` has stage and windowed: the counter loses the peak only if the VAE runs inside the loop. A line without a
    phase is always the old form, even if lines around it were lost. With a tiny VAE, no decode resets the counter, so
    the peak is the last window's. If memory ran out, there is no report, but PyTorch's memory summary has the peak
    since the last reset.
    """
    own = found.filter(pl.col("stage").is_not_null() & ~pl.col("phase").fill_null("").str.starts_with("WanVAE"))
    first = own.pipe(
        group_agg,
        ["stage"],
        pl.col("max_allocated_gib").first().alias("peak_allocated_gib"),
        pl.col("max_reserved_gib").first().alias("peak_reserved_gib"),
        pl.col("phase").first(),
        pl.col("allocated_gib").first(),
        pl.col("place").first().alias("report_place"),
        pl.col("end_line").first().alias("report_line"),
        pl.col("line").first().alias("peak_line"),
    )
    covers = (
        pl.when(pl.col("phase").is_null() | ~pl.col("windowed"))
        .then(pl.lit("stage"))
        .when("has_tiny_vae")
        .then(pl.lit("last-window"))
        .when(pl.col("allocated_gib").is_not_null())
        .then(pl.lit("residue"))
        .otherwise(pl.lit("last-decode"))
    )
    known = left_join(first, stages[:, ["stage", "lane", "windowed"]], ["stage"])
    tiny = timeline.records("tiny-vae").group_by("lane").agg(pl.col("place").min().alias("tiny_place"))
    joined = known.join(tiny, on="lane", how="left", maintain_order="left").with_columns(
        (pl.col("tiny_place") < pl.col("report_place")).fill_null(value=False).alias("has_tiny_vae")
    )
    reported = joined.select(
        "stage",
        "peak_allocated_gib",
        "peak_reserved_gib",
        pl.when(pl.col("peak_allocated_gib").is_not_null()).then(covers).alias("peak_covers"),
        "report_place",
        "report_line",
        "peak_line",
    )
    return pl.concat([reported, _oom_summaries(timeline, stages, reported)], how="diagonal_relaxed")


def _oom_summaries(timeline: Timeline, stages: pl.DataFrame, reported: pl.DataFrame) -> pl.DataFrame:
    """The columns of `final_reports`, from PyTorch's memory summary, for stages that ran out of memory."""
    assigned = assign_stage(timeline.records("memory-summary"), stages).filter(pl.col("stage").is_not_null())
    last = assigned.group_by("stage", maintain_order=True).agg(
        pl.col("summary_peak_gib").last().alias("peak_allocated_gib"), pl.col("line").last().alias("peak_line")
    )
    return last.join(reported, on="stage", how="anti").with_columns(pl.lit("last-window").alias("peak_covers"))
