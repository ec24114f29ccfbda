"""Memory reports, and what the stage's final one really covers.

Since 2025-12-01 the VAE resets the peak counter inside the loop, so that the figure printed at the end of a windowed
run is no sampling peak any more: first a residue, since 2025-12-31 the last decode's peak (facts sheet, section 3).
"""

from __future__ import annotations

import polars as pl

from loganalyzer.runs.stages import assign
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import group_agg, left_join, sort_by

_FIGURES = {
    "allocated": "allocated_gib",
    "max-allocated": "max_allocated_gib",
    "max-reserved": "max_reserved_gib",
}
_RANK = {name: rank for rank, name in enumerate(_FIGURES)}


def reports(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """One row per report.

    Columns: stage, lane, place, phase, allocated_gib, max_allocated_gib, max_reserved_gib, line, end_line. A report
    is two or three lines of one phase in their fixed order.
    """
    lines = pl.concat(
        [timeline.event(name).with_columns(pl.lit(rank).alias("rank")) for name, rank in _RANK.items()],
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
    return assign(found, stages).drop("report").pipe(sort_by, "lane", "place")


def final(timeline: Timeline, found: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """The report that closes each stage.

    Columns: stage, peak_allocated_gib, peak_reserved_gib, peak_covers, report_place, report_line, peak_line.
    `stages` has stage and windowed: only where VAE coding happens inside the loop does the counter lose the peak.
    A line without a phase is of the old form, whatever lines around it were lost: only a phase makes it another. With a
    tiny VAE no decode resets the counter, so that the peak is that of the last window. Where memory ran out, no report
    comes, but PyTorch's own account has the peak since the last reset.
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
    tiny = timeline.event("tiny-vae").group_by("lane").agg(pl.col("place").min().alias("tiny_place"))
    told = known.join(tiny, on="lane", how="left", maintain_order="left").with_columns(
        (pl.col("tiny_place") < pl.col("report_place")).fill_null(value=False).alias("has_tiny_vae")
    )
    reported = told.select(
        "stage",
        "peak_allocated_gib",
        "peak_reserved_gib",
        pl.when(pl.col("peak_allocated_gib").is_not_null()).then(covers).alias("peak_covers"),
        "report_place",
        "report_line",
        "peak_line",
    )
    return pl.concat([reported, _summaries(timeline, stages, reported)], how="diagonal_relaxed")


def _summaries(timeline: Timeline, stages: pl.DataFrame, reported: pl.DataFrame) -> pl.DataFrame:
    """The same columns of stages without a report in which memory ran out, by PyTorch's own account."""
    told = assign(timeline.event("memory-summary"), stages).filter(pl.col("stage").is_not_null())
    last = told.group_by("stage", maintain_order=True).agg(
        pl.col("summary_peak_gib").last().alias("peak_allocated_gib"), pl.col("line").last().alias("peak_line")
    )
    return last.join(reported, on="stage", how="anti").with_columns(pl.lit("last-window").alias("peak_covers"))
