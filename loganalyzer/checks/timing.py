"""TIM: checks the speed of runs."""

from __future__ import annotations

import polars as pl

from loganalyzer.checks import environment, step_times
from loganalyzer.checks.findings import (
    Need,
    Texts,
    describe_mode,
    describe_size,
    format_number,
    format_or_unknown,
    make_findings,
    make_outcome,
    skip,
    split_by_needs,
)
from loganalyzer.checks.memory import COVERS, IS_PEAK
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.tables.completeness import NOT_A_PEAK
from loganalyzer.tables.frames import anti_join, inner_join

_FEWEST_STEPS = 6
_FEWEST_WINDOWS = 4
_FEWEST_TO_JUMP = 2
_SPILL_FACTOR = 3.0
_FULL = 0.9


def _split_timed(context: Context) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Returns runs with a timing baseline and `limit` (s per window), and the others with the reason."""
    limit = pl.col("window_high") * (1 + pl.col("window_tolerance"))
    return split_by_needs(
        context.baselines.with_timing(context.found.runs, context.settings.gpu).with_columns(limit.alias("limit")),
        Need(pl.col("card").is_not_null(), "the log does not name the GPU: set `gpu` in the configuration"),
        Need(pl.col("limit").is_not_null(), _no_baseline, "configuration"),
    )


def _no_baseline() -> pl.Expr:
    windows = pl.coalesce(pl.format("windows of {} frames", "window_frames"), pl.lit("no windows"))
    return format_or_unknown(
        "no timing baseline for {} in {} at {} with {} steps, {}",
        "card",
        describe_mode(),
        describe_size(),
        "steps",
        windows,
    )


def _with_source(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    if rows.is_empty():
        return rows
    return inner_join(rows, context.found.runs[:, ["run_id", "source"]], ["run_id"])


@rule(
    "TIM001",
    "slow-window",
    "warning",
    cause="slow windows: {observed}",
    under=("TIM005", "TIM002"),
    summary="Single windows took longer than the baseline allows.",
    why="A slow window among fast ones points to another job on the GPU, throttling, or memory pressure.",
    example="Sampling audio indices 216-297: 100%|##########| 4/4 [00:41<00:00, 10.30s/it]",
    fix="Check the GPU at that time: other processes, temperature, free memory.",
)
def slow_window(context: Context) -> Outcome:
    """Reports one finding per run with its slow windows."""
    runs, unchecked = context.once(_split_timed)
    if runs.is_empty():
        return make_outcome(None, unchecked)
    timed = context.found.windows.filter(pl.col("total_s").is_not_null())
    windows = inner_join(timed, runs[:, ["run_id", "source", "limit"]], ["run_id"])
    rows = make_findings(
        _slow_windows(windows.filter(pl.col("total_s") > pl.col("limit"))),
        lambda: Texts(
            message=pl.format(
                "{} slow: {}. The slowest took {} s.",
                pl.when(pl.col("count") == 1)
                .then(pl.lit("1 window is"))
                .otherwise(pl.format("{} windows are", "count")),
                "names", format_number("worst", 1),
            ),
            observed=pl.format("{} s", format_number("worst", 1)),
            expected=pl.format("{} s at most", format_number("limit", 1)),
        ),
    )  # fmt: skip
    untimed = anti_join(runs, timed, "run_id")
    return make_outcome(rows, unchecked, skip(untimed, "the windows' total times are not in the log"))


def _slow_windows(slow: pl.DataFrame) -> pl.DataFrame:
    """Returns one row per run with slow windows: names, count, worst."""
    if slow.is_empty():
        return slow
    return (
        slow.sort("run_id", "window")
        .group_by("run_id", "source", maintain_order=True)
        .agg(
            pl.col("line").first(),
            pl.col("window").cast(pl.String).str.join(", ").alias("names"),
            pl.len().alias("count"),
            pl.col("total_s").max().alias("worst"),
            pl.col("limit").first(),
        )
    )


@rule(
    "TIM002",
    "slow-run",
    "warning",
    cause="slow run: {observed}",
    under=("TIM005",),
    summary="On average, the run took longer per window than the baseline allows.",
    why="If every window is slow, the GPU, a setting or an update is the likely cause.",
    example="Sampling audio indices 0-81: 100%|##########| 4/4 [00:38<00:00,  9.50s/it]\n"
    "Sampling audio indices 72-153: 100%|##########| 4/4 [00:38<00:00,  9.50s/it]\n"
    "# normal for this run: 20–22 s per window",
    fix="Compare attention mode, block swap, GPU and versions with the last normal run.",
)
def slow_run(context: Context) -> Outcome:
    """Checks the mean time per window, and lists changes since the log's last run that was fast enough."""
    runs, unchecked = context.once(_split_timed)
    mean = pl.col("total_s") / pl.col("observed_windows")
    slow = environment.add_changes(runs.filter(mean > pl.col("limit")), runs)
    changed = pl.format(" Changed since the last normal run: {}.", "changed").fill_null("")
    normal = [format_number(end, 1).str.strip_suffix(".0") for end in ("window_low", "window_high")]
    rows = make_findings(
        slow,
        lambda: Texts(
            message=pl.format(
                "{} s per window; normal on {}: {}–{} s.{}",
                format_number(mean, 1), "card", *normal, changed,
            ),
            observed=pl.format("{} s per window", format_number(mean, 1)),
            expected=pl.format("{} s at most", format_number("limit", 1)),
        ),
    )  # fmt: skip
    untimed = runs.filter(pl.col("total_s").is_null())
    return make_outcome(rows, unchecked, skip(untimed, "not every window's total time is in the log"))


@rule(
    "TIM003",
    "step-outlier",
    "warning",
    cause="slow steps: {observed}",
    under=("TIM005", "TIM002", "TIM001"),
    summary="Single steps took much longer than the run's median step.",
    why="Outliers come from the machine: another process, swapping to disk, a thermal limit.",
    example="Sampling audio indices 72-153:  50%|#####     | 2/4 [00:10<00:10,  5.00s/it]\n"
    "Sampling audio indices 72-153:  75%|#######   | 3/4 [00:24<00:09,  9.11s/it]",
    fix="Check the machine at that time: other processes, temperature, memory. The workflow is not the cause.",
)
def step_outlier(context: Context) -> Outcome:
    """Compares steps with the run's median step; the first step of a run is warm-up and does not count."""
    factor = context.settings.step_outlier_factor
    runs = step_times.by_run(context)
    enough = pl.col("count") >= _FEWEST_STEPS
    rows = make_findings(
        _worst_outliers(_find_far_steps(runs.filter(enough), context), context),
        lambda: Texts(
            message=pl.format(
                "Slow steps: {} of {} (median {} s). The slowest, step {} of window {}, took {} s.",
                "outliers", "count", format_number("median"), "step", "window", format_number("duration_s"),
            ),
            observed=pl.format("{} s", format_number("duration_s")),
            expected=pl.format("{} s at most", format_number(pl.col("median") * factor)),
        ),
    )  # fmt: skip
    few = anti_join(context.found.runs, runs.filter(enough), "run_id")
    return make_outcome(rows, skip(few, f"the log has fewer than {_FEWEST_STEPS} individual step times"))


def _find_far_steps(runs: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Returns steps longer than factor × their run's median, with that median and the count of steps.

    Shortcut: if longest ≤ factor × shortest, there are none.
    """
    factor = context.settings.step_outlier_factor
    varied = runs.filter(pl.col("most") > factor * pl.col("least"))
    if varied.is_empty():
        return varied
    known = step_times.medians(context, varied["run"])
    steps = inner_join(step_times.measured(context), known, ["run"])
    return steps.filter(pl.col("duration_s") - pl.col("uncertainty_s") > factor * pl.col("median"))


def _worst_outliers(far: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Returns each run's longest outlier with the count `outliers`; a run with too many has no outliers."""
    if far.is_empty():
        return far
    return (
        _with_source(far, context)
        .sort("duration_s", "run_id", "line", descending=[True, False, False], maintain_order=True)
        .group_by("run_id", "source", maintain_order=True)
        .agg(
            pl.col("line", "window", "step", "duration_s", "median").first(),
            pl.len().alias("outliers"),
            pl.col("count").first(),
        )
        .filter(pl.col("outliers") * 4 <= pl.col("count"))
    )


@rule(
    "TIM004",
    "slowdown-trend",
    "warning",
    cause="steps slow down: {observed}",
    under=("TIM005", "TIM002", "TIM001", "TIM003"),
    summary="Later windows are steadily slower than earlier ones.",
    why="Rising step times within a run mean heat, memory growth or fragmentation. Long videos suffer most.",
    example="Sampling audio indices 0-81:  75%|#######   | 3/4 [00:15<00:05,  5.00s/it]\n"
    "Sampling audio indices 72-153:  75%|#######   | 3/4 [00:15<00:05,  5.30s/it]\n"
    "Sampling audio indices 144-225:  75%|#######   | 3/4 [00:16<00:05,  5.60s/it]\n"
    "Sampling audio indices 216-297:  75%|#######   | 3/4 [00:17<00:05,  5.90s/it]",
    fix="Check the GPU's temperature and memory growth; split long videos.",
)
def slowdown_trend(context: Context) -> Outcome:
    """Compares the median step of the last third of the windows with the first third, if times rise steadily."""
    enough = step_times.by_run(context).filter(pl.col("windows") >= _FEWEST_WINDOWS)
    change = pl.col("after") / pl.col("before") - 1
    rows = make_findings(
        _with_source(step_times.find_slowdowns(context, enough), context),
        lambda: Texts(
            message=pl.format(
                "Steps slow down by {} % over the run: {} s in the first windows, {} s in the last.",
                format_number(change * 100, 0), format_number("before"), format_number("after"),
            ),
            observed=pl.format("+{} %", format_number(change * 100, 0)),
            expected=pl.lit(f"+{context.settings.slowdown_fraction * 100:.0f} % at most"),
        ),
    )  # fmt: skip
    few = anti_join(context.found.runs, enough, "run_id")
    return make_outcome(rows, skip(few, f"the log has fewer than {_FEWEST_WINDOWS} windows with step times"))


@rule(
    "TIM005",
    "memory-spill",
    "warning",
    cause="GPU memory spills: {observed}",
    summary="Steps became several times slower while memory was nearly full: the driver spilled to shared memory.",
    why="When the GPU's memory is full, the driver moves data over the bus: 7 minutes become an hour, at full price.",
    example="Sampling audio indices 0-81:  75%|#######   | 3/4 [00:15<00:05,  5.00s/it]\n"
    "Sampling audio indices 72-153:  75%|#######   | 3/4 [02:00<00:40, 40.00s/it]\n"
    "Max reserved memory: max_reserved=31.400 GB\n"
    "# on a GPU with 31.8 GiB",
    fix="Swap more blocks, render at a smaller size, or turn off the driver's system memory fallback.",
)
def memory_spill(context: Context) -> Outcome:
    """Finds a jump between windows while memory was nearly full; a figure that is not a peak can only hide that."""
    known = step_times.by_run(context).filter(pl.col("windows") >= _FEWEST_TO_JUMP)
    timed, untimed = split_by_needs(
        context.found.runs,
        Need(
            pl.col("run_id").is_in(known["run_id"].implode()),
            f"the log has fewer than {_FEWEST_TO_JUMP} windows with step times",
        ),
    )
    jumped = _find_jumps(context)
    if jumped.is_empty():
        return make_outcome(None, untimed)
    total = pl.coalesce("total_vram_gib", pl.lit(context.settings.total_vram_gib, pl.Float64))
    suspects = timed.join(jumped, on="run_id", maintain_order="left").with_columns(
        pl.col("at").alias("line"), total.alias("total")
    )
    is_full = pl.col("peak_reserved_gib") > _FULL * pl.col("total")
    sized, unchecked = split_by_needs(
        suspects,
        Need(is_full.is_not_null(), "steps jumped, but the log does not state how full the GPU's memory was"),
        Need(is_full | COVERS.met, f"steps jumped, but {COVERS.reason}"),
        Need(is_full | IS_PEAK.met, f"steps jumped, but {NOT_A_PEAK}"),
    )
    full = sized.filter(is_full)
    rows = make_findings(
        full,
        lambda: Texts(
            message=pl.format(
                "From window {} on, steps take {} s instead of {} s, with {} of {} GiB reserved.",
                "window", format_number("median", 1), format_number("best", 1), format_number("peak_reserved_gib", 1),
                format_number("total", 1),
            ),
            observed=pl.format("{} s per step", format_number("median", 1)),
            expected=pl.format("{} s per step", format_number("best", 1)),
        ),
    )  # fmt: skip
    return make_outcome(rows, untimed, unchecked)


def _find_jumps(context: Context) -> pl.DataFrame:
    """Returns each run's first window several times slower than the best before: run_id, window, best, at, median."""
    wide = step_times.by_run(context).filter(pl.col("most") > _SPILL_FACTOR * pl.col("least"))
    if wide.is_empty():
        return wide
    median = pl.col("median")
    return (
        step_times.by_window(context, wide["run"])
        .with_columns(median.cum_min().over("run").alias("best"))
        .filter(median > _SPILL_FACTOR * pl.col("best"))
        .group_by("run_id", maintain_order=True)
        .agg(pl.col("window", "best").first(), pl.col("line").first().alias("at"), median.max())
    )
