"""MEM005 and MEM006: checks memory from window to window and from prompt to prompt."""

from __future__ import annotations

import polars as pl

from loganalyzer.checks.findings import Need, Texts, at_line, format_number, make_findings, make_outcome, split_by_needs
from loganalyzer.checks.memory import COVERS, IS_PEAK, REPORT, RESERVED
from loganalyzer.checks.registry import Context, Outcome, per_run_part, rule
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.frames import anti_join

_GROWTH_GIB = 0.02
_GROWTH_REPORTS = 3


@per_run_part("MEM005")
def skip_without_series(context: Context) -> Outcome:
    """Returns rows of `not_checked` for runs without a comparable peak and with too few reports of their own."""
    _, unchecked = split_by_needs(context.found.runs, REPORT, COVERS, IS_PEAK)
    return make_outcome(None, anti_join(unchecked, _runs_with_many_reports(context.found.memory), "run_id"))


@rule(
    "MEM005",
    "memory-growth",
    "warning",
    needs="runs",
    cause="memory grows",
    summary="Memory rises steadily from window to window, or from prompt to prompt.",
    why="A leak of about 10 MiB per window ends a long video with out-of-memory after an hour of paid GPU time.",
    example="[WanVAE decode] Allocated memory: memory=6.100 GB\n"
    "[WanVAE decode] Allocated memory: memory=6.130 GB\n"
    "[WanVAE decode] Allocated memory: memory=6.160 GB\n"
    "[WanVAE decode] Allocated memory: memory=6.190 GB",
    fix="Restart the server before long jobs, keep videos short, and report the growth upstream.",
)
def memory_growth(context: Context) -> Outcome:
    """Checks reports of one phase within a run, and the final reports of equal runs across prompts of one process."""
    total = context.settings.total_vram_gib
    runs = context.found.runs.with_columns(pl.coalesce("total_vram_gib", pl.lit(total, pl.Float64)).alias("total"))
    inside, across = _growth_within_runs(context.found.memory, runs), _growth_across_prompts(runs)
    rows = (
        _growth_findings(inside, "window", pl.col("phase").fill_null("memory")),
        _growth_findings(across, "prompt", pl.lit("peak allocated")),
    )
    series = Need(
        pl.col("equal_runs") > _GROWTH_REPORTS,
        f"the file needs more than {_GROWTH_REPORTS} memory reports of one kind",
    )
    peaked, unchecked = split_by_needs(context.found.runs, REPORT, COVERS, IS_PEAK)
    _, few = split_by_needs(peaked.with_columns(pl.len().over(_SAME_RUN).alias("equal_runs")), series)
    return make_outcome(
        pl.concat(rows),
        *(anti_join(part, _runs_with_many_reports(context.found.memory), "run_id") for part in (unchecked, few)),
    )


_SAME_RUN = (
    "source", "stream", "mode", "width", "height", "window_frames", "motion_frames", "quantization", "peak_covers",
    "gpu",
)  # fmt: skip
_KEPT = (
    "run_id", "prompt_id", "source", "stream", "line", "mode", "width", "height", "window_frames", "motion_frames",
    "quantization", "gpu", "total_vram_gib", "peak_allocated_gib", "peak_reserved_gib", "peak_covers",
)  # fmt: skip
_PEAK = ("run_id", "prompt_id", "source", "stream", "line", "peak_allocated_gib", "peak_reserved_gib")


def select_comparable(found: Analysis) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Returns the rows of `runs` (needed columns only) and `memory` that MEM005 compares across volumes.

    These rows of all volumes give the same result as complete tables: runs with a comparable peak, and runs whose
    memory grows. Reports count only if a run has enough of them.
    """
    rising = _growth_within_runs(found.memory, found.runs.with_columns(pl.lit(None, pl.Float64).alias("total")))
    grows = pl.col("run_id").is_in(rising["run_id"].unique().implode()).fill_null(value=False)
    runs = found.runs.filter((pl.col("peak_covers") == "stage").fill_null(value=False) | grows).select(_KEPT)
    many = (
        pl.col("run_id")
        .is_in(_runs_with_many_reports(found.memory)["run_id"].unique().implode())
        .fill_null(value=False)
    )
    return runs, found.memory.filter(many & pl.col("run_id").is_in(runs["run_id"].implode()))


def latest_peaks(before: pl.DataFrame | None, runs: pl.DataFrame) -> pl.DataFrame:
    """Returns the last run with a known peak per output: MEM006 compares it with the next volume's first run."""
    own = runs.filter(pl.col("peak_allocated_gib").is_not_null()).select(_PEAK)
    known = own if before is None else pl.concat([before, own])
    return known.sort("source", "stream", "line").unique(["source", "stream"], keep="last", maintain_order=True)


def _runs_with_many_reports(memory: pl.DataFrame) -> pl.DataFrame:
    """Returns run_id of runs that have enough reports of one phase to show growth."""
    reports = memory.filter(pl.col("run_id").is_not_null() & pl.col("allocated_gib").is_not_null())
    if reports.height <= _GROWTH_REPORTS:
        return reports[:0, ["run_id"]]
    return reports.group_by("run_id", "phase").len().filter(pl.col("len") > _GROWTH_REPORTS).select("run_id")


def _growth_within_runs(memory: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Returns runs and phases whose reports rise steadily, with the line of the last report."""
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


def _growth_across_prompts(runs: pl.DataFrame) -> pl.DataFrame:
    """Returns the last of equal runs of a process whose peaks rise steadily."""
    peaks = runs.filter(pl.col("peak_covers") == "stage")
    if peaks.height <= _GROWTH_REPORTS:
        return peaks.clear()
    return (
        peaks.sort("source", "line", maintain_order=True)
        .group_by(_SAME_RUN, maintain_order=True)
        .agg(
            pl.col("run_id", "line", "total").last(),
            pl.col("peak_allocated_gib").diff().drop_nulls().min().alias("least"),
            pl.col("peak_allocated_gib").diff().drop_nulls().mean().alias("slope"),
            pl.col("peak_allocated_gib").last().alias("now"),
            pl.len().alias("reports"),
        )
        .filter((pl.col("reports") > _GROWTH_REPORTS) & (pl.col("least") > 0) & (pl.col("slope") >= _GROWTH_GIB))
    )


def _growth_findings(rows: pl.DataFrame, unit: str, what: pl.Expr) -> pl.DataFrame:
    left = ((pl.col("total") - pl.col("now")) / pl.col("slope")).floor().cast(pl.Int64, strict=False)
    full = pl.when(left.is_not_null()).then(pl.format(" After {} more, memory is full.", left)).otherwise(pl.lit(""))
    return make_findings(
        rows,
        lambda: Texts(
            message=pl.format(
                "{} grows by {} MiB from {} to {}, {} times in a row.{}",
                what, format_number(pl.col("slope") * 1024, 0), pl.lit(unit), pl.lit(unit), pl.col("reports") - 1, full,
            ),
            observed=pl.format("+{} MiB per {}", format_number(pl.col("slope") * 1024, 0), pl.lit(unit)),
            expected=pl.lit("no growth"),
        ),
    )  # fmt: skip


@rule(
    "MEM006",
    "carried-peak",
    "info",
    cause="peak equals the previous prompt's",
    summary="The peak equals that of the previous prompt of the same process.",
    why="Two runs rarely have exactly the same peak. The counter may not have been reset, so that this is the earlier "
    "run's peak.",
    example="Max allocated memory: max_memory=14.969 GB\n"
    "Max reserved memory: max_reserved=16.063 GB\n"
    "# and the same two lines in the next prompt",
    fix="Restart the server before you measure memory.",
)
def carried_peak(context: Context) -> Outcome:
    """Compares consecutive runs of one process (same input and stream)."""
    own = context.found.runs.filter(pl.col("peak_allocated_gib").is_not_null())
    runs = own if context.before is None else pl.concat([context.before, own], how="diagonal")
    _, unchecked = split_by_needs(context.found.runs, REPORT, RESERVED)
    if runs.height < 2:
        return make_outcome(None, unchecked)
    runs = runs.sort("source", "stream", "line", maintain_order=True)
    within = ["source", "stream"]
    same = runs.filter(
        (pl.col("peak_allocated_gib") == pl.col("peak_allocated_gib").shift(1).over(within))
        & (pl.col("peak_reserved_gib") == pl.col("peak_reserved_gib").shift(1).over(within))
        & (pl.col("prompt_id") != pl.col("prompt_id").shift(1).over(within)),
    )
    rows = make_findings(
        at_line(same, "peak_line"),
        lambda: Texts(
            message=pl.format(
                "The peak of {} GiB equals the previous prompt's.", format_number("peak_allocated_gib", 3)
            ),
            observed=pl.format("{} GiB", format_number("peak_allocated_gib", 3)),
            expected=pl.lit("a different peak"),
        ),
    )
    return make_outcome(rows, unchecked)
