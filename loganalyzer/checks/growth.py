"""MEM005 and MEM006: does memory stay the same from window to window, and from prompt to prompt?"""

from __future__ import annotations

import polars as pl

from loganalyzer.checks.findings import Need, at, findings, judged, number, outcome, texts
from loganalyzer.checks.memory import COVERS, IS_PEAK, REPORT, RESERVED
from loganalyzer.checks.registry import Context, Outcome, per_run_part, rule
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.frames import anti_join

_GROWTH_GIB = 0.02
_GROWTH_REPORTS = 3


@per_run_part("MEM005")
def without_a_series(context: Context) -> Outcome:
    """The runs whose peak is none to be held against others', and that have too few reports of their own."""
    _, barred = judged(context.found.runs, REPORT, COVERS, IS_PEAK)
    return outcome(None, anti_join(barred, _reported(context.found.memory), "run_id"))


@rule(
    "MEM005",
    "memory-growth",
    "warning",
    needs="runs",
    cause="memory grows",
    summary="Memory rises steadily from window to window, or from prompt to prompt.",
    why="A leak of some ten MiB per window ends a long video with out-of-memory after an hour of paid work.",
    example="[WanVAE decode] Allocated memory: 6.10, 6.13, 6.16, 6.19 GB from window to window",
    fix="Shorten the video below the window named, restart the server, and report the slope upstream.",
)
def memory_growth(context: Context) -> Outcome:
    """Within a run by its reports of one phase; across prompts of one process by the final reports of equal runs."""
    total = context.settings.total_vram_gib
    runs = context.found.runs.with_columns(pl.coalesce("total_vram_gib", pl.lit(total, pl.Float64)).alias("total"))
    inside, across = _inside_runs(context.found.memory, runs), _across_prompts(runs)
    rows = (
        _growth(inside, "window", pl.col("phase").fill_null("memory")),
        _growth(across, "prompt", pl.lit("peak allocated")),
    )
    series = Need(
        pl.col("alike") > _GROWTH_REPORTS,
        f"needs more than {_GROWTH_REPORTS} memory reports of one kind in a file",
    )
    told, barred = judged(context.found.runs, REPORT, COVERS, IS_PEAK)
    _, few = judged(told.with_columns(pl.len().over(_ALIKE).alias("alike")), series)
    return outcome(
        pl.concat(rows), *(anti_join(part, _reported(context.found.memory), "run_id") for part in (barred, few))
    )


_ALIKE = (
    "source", "stream", "mode", "width", "height", "window_frames", "motion_frames", "quantization", "peak_covers",
    "gpu",
)  # fmt: skip
_KEPT = (
    "run_id", "prompt_id", "source", "stream", "line", "mode", "width", "height", "window_frames", "motion_frames",
    "quantization", "gpu", "total_vram_gib", "peak_allocated_gib", "peak_reserved_gib", "peak_covers",
)  # fmt: skip
_PEAK = ("run_id", "prompt_id", "source", "stream", "line", "peak_allocated_gib", "peak_reserved_gib")


def concerned(found: Analysis) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`runs` (columns as far as they count) and `memory` of what MEM005 can say anything about beside others.

    Those of all volumes together tell it what the whole would tell: runs whose peak can be held against others', and
    those in which memory grows. Reports count only where they are many.
    """
    rising = _inside_runs(found.memory, found.runs.with_columns(pl.lit(None, pl.Float64).alias("total")))
    grows = pl.col("run_id").is_in(rising["run_id"].unique().implode()).fill_null(value=False)
    runs = found.runs.filter((pl.col("peak_covers") == "stage").fill_null(value=False) | grows).select(_KEPT)
    many = pl.col("run_id").is_in(_reported(found.memory)["run_id"].unique().implode()).fill_null(value=False)
    return runs, found.memory.filter(many & pl.col("run_id").is_in(runs["run_id"].implode()))


def latest(before: pl.DataFrame | None, runs: pl.DataFrame) -> pl.DataFrame:
    """Of each output the last run so far whose peak is known: MEM006 holds the next volume's first one against it."""
    own = runs.filter(pl.col("peak_allocated_gib").is_not_null()).select(_PEAK)
    every = own if before is None else pl.concat([before, own])
    return every.sort("source", "stream", "line").unique(["source", "stream"], keep="last", maintain_order=True)


def _reported(memory: pl.DataFrame) -> pl.DataFrame:
    """run_id of those that have enough reports of one phase to tell whether they rise."""
    reports = memory.filter(pl.col("run_id").is_not_null() & pl.col("allocated_gib").is_not_null())
    if reports.height <= _GROWTH_REPORTS:
        return reports[:0, ["run_id"]]
    return reports.group_by("run_id", "phase").len().filter(pl.col("len") > _GROWTH_REPORTS).select("run_id")


def _inside_runs(memory: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Runs and phases whose reports rise steadily, with the line of the last report."""
    reports = memory.filter(pl.col("run_id").is_not_null() & pl.col("allocated_gib").is_not_null())
    if reports.height <= _GROWTH_REPORTS:
        return reports.clear()
    return (
        reports.join(runs.select("run_id", "source", "total", "peak_reserved_gib"), on="run_id")
        .sort("run_id", "phase", "line", maintain_order=True)
        .group_by("run_id", "source", "phase", maintain_order=True)
        .agg(
            pl.col("line").last(),
            pl.col("allocated_gib").diff().drop_nulls().min().alias("least"),
            pl.col("allocated_gib").diff().drop_nulls().mean().alias("slope"),
            pl.col("allocated_gib").last().alias("now"),
            pl.len().alias("reports"),
            pl.col("total").first(),
        )
        .filter((pl.col("reports") > _GROWTH_REPORTS) & (pl.col("least") > 0) & (pl.col("slope") >= _GROWTH_GIB))
    )


def _across_prompts(runs: pl.DataFrame) -> pl.DataFrame:
    """The last of equal runs of a process whose peaks rise steadily."""
    peaks = runs.filter(pl.col("peak_covers") == "stage")
    if peaks.height <= _GROWTH_REPORTS:
        return peaks.clear()
    return (
        peaks.sort("source", "line", maintain_order=True)
        .group_by(_ALIKE, maintain_order=True)
        .agg(
            pl.col("run_id", "line", "total").last(),
            pl.col("peak_allocated_gib").diff().drop_nulls().min().alias("least"),
            pl.col("peak_allocated_gib").diff().drop_nulls().mean().alias("slope"),
            pl.col("peak_allocated_gib").last().alias("now"),
            pl.len().alias("reports"),
        )
        .filter((pl.col("reports") > _GROWTH_REPORTS) & (pl.col("least") > 0) & (pl.col("slope") >= _GROWTH_GIB))
    )


def _growth(rows: pl.DataFrame, unit: str, what: pl.Expr) -> pl.DataFrame:
    left = ((pl.col("total") - pl.col("now")) / pl.col("slope")).floor().cast(pl.Int64, strict=False)
    full = pl.when(left.is_not_null()).then(pl.format(" After {} more it will not fit.", left)).otherwise(pl.lit(""))
    return findings(
        rows,
        lambda: texts(
            message=pl.format(
                "{} grows by {} MiB from {} to {}, {} times in a row.{}",
                what, number(pl.col("slope") * 1024, 0), pl.lit(unit), pl.lit(unit), pl.col("reports") - 1, full,
            ),
            observed=pl.format("+{} MiB a {}", number(pl.col("slope") * 1024, 0), pl.lit(unit)),
            expected=pl.lit("no growth"),
            fix=pl.lit("Restart the server before long jobs, keep videos short, and report the slope upstream."),
        ),
    )  # fmt: skip


@rule(
    "MEM006",
    "carried-peak",
    "info",
    cause="peak equals the previous prompt's",
    summary="The peak is identical to the one of the process's previous prompt.",
    why="Two runs rarely peak at the very same byte: the counter may not have been reset, and then the figure is the "
    "earlier run's.",
    example="max_memory=14.969 GB in two prompts of one log",
    fix="Restart the server before measuring.",
)
def carried_peak(context: Context) -> Outcome:
    """Neighbouring runs of one process (same stream, no restart known by another card or version)."""
    own = context.found.runs.filter(pl.col("peak_allocated_gib").is_not_null())
    runs = own if context.before is None else pl.concat([context.before, own], how="diagonal")
    _, barred = judged(context.found.runs, REPORT, RESERVED)
    if runs.height < 2:
        return outcome(None, barred)
    runs = runs.sort("source", "stream", "line", maintain_order=True)
    within = ["source", "stream"]
    same = runs.filter(
        (pl.col("peak_allocated_gib") == pl.col("peak_allocated_gib").shift(1).over(within))
        & (pl.col("peak_reserved_gib") == pl.col("peak_reserved_gib").shift(1).over(within))
        & (pl.col("prompt_id") != pl.col("prompt_id").shift(1).over(within)),
    )
    rows = findings(
        at(same, "peak_line"),
        lambda: texts(
            message=pl.format(
                "The peak of {} GiB is the very figure of the prompt before.", number("peak_allocated_gib", 3)
            ),
            observed=pl.format("{} GiB", number("peak_allocated_gib", 3)),
            expected=pl.lit("a figure of its own"),
            fix=pl.lit("Restart the server before measuring memory."),
        ),
    )
    return outcome(rows, barred)
