"""TIM: was the run as fast as it should be?"""

from __future__ import annotations

import polars as pl

from loganalyzer.checks import environment, step_times
from loganalyzer.checks.findings import Need, findings, judged, mode, number, outcome, size, skipped, texts, worded
from loganalyzer.checks.memory import COVERS, IS_PEAK
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.tables.completeness import NOT_A_PEAK
from loganalyzer.tables.frames import anti_join, inner_join

_FEWEST_STEPS = 6
_FEWEST_WINDOWS = 4
_FEWEST_TO_JUMP = 2
_STEADY = 0.7
"""Minimum rank correlation between window order and step time to call it a trend."""
_SPILL_FACTOR = 3.0
_FULL = 0.9


def _timed(context: Context) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Runs with a timing baseline, with the limit of a window's time (s), and the others with the reason."""
    limit = pl.col("window_high") * (1 + pl.col("window_tolerance"))
    return judged(
        context.baselines.with_timing(context.found.runs, context.settings.gpu).with_columns(limit.alias("limit")),
        Need(pl.col("card").is_not_null(), "the log does not name the card (set gpu in the configuration)"),
        Need(pl.col("limit").is_not_null(), _no_baseline, "configuration"),
    )


def _no_baseline() -> pl.Expr:
    windows = pl.coalesce(pl.format("windows of {} frames", "window_frames"), pl.lit("no windows"))
    return worded("no timing baseline for {} in {} at {} with {} steps, {}", "card", mode(), size(), "steps", windows)


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
    why="A slow window among fast ones points at another job on the card, throttling, or memory pressure.",
    example="Sampling audio indices 216-297: 100%|…| 4/4 [00:41<00:00, 10.30s/it]",
    fix="Check the GPU at that time: other processes, temperature, free memory.",
)
def slow_window(context: Context) -> Outcome:
    """One finding per run, naming its slow windows."""
    runs, barred = context.once(_timed)
    if runs.is_empty():
        return outcome(None, barred)
    timed = context.found.windows.filter(pl.col("total_s").is_not_null())
    windows = inner_join(timed, runs[:, ["run_id", "source", "limit"]], ["run_id"])
    rows = findings(
        _slow_windows(windows.filter(pl.col("total_s") > pl.col("limit"))),
        lambda: texts(
            message=pl.format(
                "{} slow: {}. The slowest took {} s.",
                pl.when(pl.col("count") == 1)
                .then(pl.lit("1 window is"))
                .otherwise(pl.format("{} windows are", "count")),
                "names", number("worst", 1),
            ),
            observed=pl.format("{} s", number("worst", 1)),
            expected=pl.format("{} s at most", number("limit", 1)),
            fix=pl.lit("Check the GPU at that time: other processes, temperature, free memory."),
        ),
    )  # fmt: skip
    untimed = anti_join(runs, timed, "run_id")
    return outcome(rows, barred, skipped(untimed, "no window's total time can be read"))


def _slow_windows(slow: pl.DataFrame) -> pl.DataFrame:
    """Slow windows, one row per run: names, count, worst."""
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
    summary="The run as a whole took longer per window than the baseline allows.",
    why="If every window is slow, the GPU, a setting or an update is the likely cause.",
    example="5 windows in 161 s; normal: 20–22 s each",
    fix="Compare attention mode, block swap, GPU and versions with the last normal run.",
)
def slow_run(context: Context) -> Outcome:
    """Mean time per window; what differs from the last run of the same log that was fast enough is named."""
    runs, barred = context.once(_timed)
    mean = pl.col("total_s") / pl.col("observed_windows")
    slow = environment.with_changes(runs.filter(mean > pl.col("limit")), runs)
    changed = pl.format(" Since the last run without this warning: {}.", "changed").fill_null("")
    normal = [number(end, 1).str.strip_suffix(".0") for end in ("window_low", "window_high")]
    rows = findings(
        slow,
        lambda: texts(
            message=pl.format(
                "{} s per window; normal on {}: {}–{} s.{}",
                number(mean, 1), "card", *normal, changed,
            ),
            observed=pl.format("{} s per window", number(mean, 1)),
            expected=pl.format("{} s at most", number("limit", 1)),
            fix=pl.lit("Compare attention mode, block swap, GPU and versions with the last normal run."),
        ),
    )  # fmt: skip
    untimed = runs.filter(pl.col("total_s").is_null())
    return outcome(rows, barred, skipped(untimed, "not every window's total time can be read"))


@rule(
    "TIM003",
    "step-outlier",
    "warning",
    cause="slow steps: {observed}",
    under=("TIM005", "TIM002", "TIM001"),
    summary="Single steps took much longer than the run's median step.",
    why="An outlier is a hiccup of the machine: another process, a swap to disk, a thermal limit.",
    example="steps of 5.1, 5.0, 5.2 and then 11.8 s",
    fix="Check the machine at that time; the workflow is not the cause.",
)
def step_outlier(context: Context) -> Outcome:
    """Against the median of the run's other steps; the first step of a run is warm-up."""
    factor = context.settings.step_outlier_factor
    runs = step_times.by_run(context)
    enough = pl.col("count") >= _FEWEST_STEPS
    rows = findings(
        _outliers(_far(runs.filter(enough), context), context),
        lambda: texts(
            message=pl.format(
                "Slow steps: {} of {} (median {} s). The slowest, step {} of window {}, took {} s.",
                "outliers", "count", number("median"), "step", "window", number("duration_s"),
            ),
            observed=pl.format("{} s", number("duration_s")),
            expected=pl.format("{} s at most", number(pl.col("median") * factor)),
            fix=pl.lit("Check the machine at that time: other processes, temperature, memory."),
        ),
    )  # fmt: skip
    few = anti_join(context.found.runs, runs.filter(enough), "run_id")
    return outcome(rows, skipped(few, f"fewer than {_FEWEST_STEPS} single step times can be recovered"))


def _far(runs: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The steps beyond a factor of their run's median, with its median and count.

    Shortcut: if longest ≤ factor × shortest, there are none.
    """
    factor = context.settings.step_outlier_factor
    varied = runs.filter(pl.col("most") > factor * pl.col("least"))
    if varied.is_empty():
        return varied
    known = step_times.medians(context, varied["run"])
    steps = inner_join(step_times.measured(context), known, ["run"])
    return steps.filter(pl.col("duration_s") - pl.col("uncertainty_s") > factor * pl.col("median"))


def _outliers(far: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The longest of each run's far steps, with outliers, how many there are; where they are too many, none is one."""
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
    why="Rising step times within a run mean heat, memory growth or fragmentation; a long video pays for it most.",
    example="median steps of 5.0, 5.3, 5.6, 5.9 s from window to window",
    fix="Check temperature and memory growth; split long videos.",
)
def slowdown_trend(context: Context) -> Outcome:
    """Median step of the last third of the windows against the first third, and no window out of order."""
    enough = step_times.by_run(context).filter(pl.col("windows") >= _FEWEST_WINDOWS)
    change = pl.col("after") / pl.col("before") - 1
    rows = findings(
        _with_source(_slower(enough, context), context),
        lambda: texts(
            message=pl.format(
                "Steps slow down by {} % over the run: {} s in the first windows, {} s in the last.",
                number(change * 100, 0), number("before"), number("after"),
            ),
            observed=pl.format("+{} %", number(change * 100, 0)),
            expected=pl.lit(f"+{context.settings.slowdown_fraction * 100:.0f} % at most"),
            fix=pl.lit("Check the GPU's temperature and memory growth; split long videos."),
        ),
    )  # fmt: skip
    few = anti_join(context.found.runs, enough, "run_id")
    return outcome(rows, skipped(few, f"fewer than {_FEWEST_WINDOWS} windows with step times"))


def _slower(runs: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Runs whose windows are slower the later they come: run_id, line (of the last window), before, after."""
    fraction = context.settings.slowdown_fraction
    varied = runs.filter((pl.col("most") > pl.col("least")) & (pl.col("most") / pl.col("least") - 1 > fraction))
    if varied.is_empty():
        return varied
    windows = step_times.by_window(context, varied["run"])
    third = (pl.len() + 2) // 3
    thirds = windows.group_by("run", maintain_order=True).agg(
        pl.col("run_id").first(),
        pl.col("line").last(),
        pl.col("median").head(third).median().alias("before"),
        pl.col("median").tail(third).median().alias("after"),
    )
    slower = thirds.filter(pl.col("after") / pl.col("before") - 1 > fraction)
    return _steadily(slower, windows)


def _steadily(slower: pl.DataFrame, windows: pl.DataFrame) -> pl.DataFrame:
    """Those of whose windows the later took longer."""
    if slower.is_empty():
        return slower
    steady = (
        windows.join(slower, on="run", how="semi", maintain_order="left")
        .group_by("run")
        .agg(pl.corr(pl.int_range(pl.len()), pl.col("median").rank()).alias("order"))
        .filter(pl.col("order") > _STEADY)
    )
    return slower.join(steady, on="run", how="semi", maintain_order="left").sort("run_id")


@rule(
    "TIM005",
    "memory-spill",
    "warning",
    cause="GPU memory spills: {observed}",
    summary="Step times jumped several-fold while memory was nearly full: the driver spilled to shared memory.",
    why="When the card is full, the driver moves memory over the bus: 7 minutes become an hour, at full price.",
    example="steps of 5 s, then of 40 s, with 31.4 of 31.8 GiB reserved",
    fix="Swap more blocks, lower the size, or switch the driver's system-memory fallback off.",
)
def memory_spill(context: Context) -> Outcome:
    """A sustained jump between windows, near the card's total. A figure that is no peak can only hide a full card."""
    known = step_times.by_run(context).filter(pl.col("windows") >= _FEWEST_TO_JUMP)
    timed, untimed = judged(
        context.found.runs,
        Need(
            pl.col("run_id").is_in(known["run_id"].implode()), f"fewer than {_FEWEST_TO_JUMP} windows with step times"
        ),
    )
    jumped = _jumped(context)
    if jumped.is_empty():
        return outcome(None, untimed)
    total = pl.coalesce("total_vram_gib", pl.lit(context.settings.total_vram_gib, pl.Float64))
    suspects = timed.join(jumped, on="run_id", maintain_order="left").with_columns(
        pl.col("at").alias("line"), total.alias("total")
    )
    is_full = pl.col("peak_reserved_gib") > _FULL * pl.col("total")
    sized, barred = judged(
        suspects,
        Need(is_full.is_not_null(), "steps jumped, but the log does not tell how full the card was"),
        Need(is_full | COVERS.met, f"steps jumped, but {COVERS.reason}"),
        Need(is_full | IS_PEAK.met, f"steps jumped, but {NOT_A_PEAK}"),
    )
    full = sized.filter(is_full)
    rows = findings(
        full,
        lambda: texts(
            message=pl.format(
                "From window {} on steps take {} s instead of {} s, with {} of {} GiB reserved.",
                "window", number("median", 1), number("best", 1), number("peak_reserved_gib", 1), number("total", 1),
            ),
            observed=pl.format("{} s per step", number("median", 1)),
            expected=pl.format("{} s per step", number("best", 1)),
            fix=pl.lit("Swap more blocks or lower the size; switch the driver's system-memory fallback off."),
        ),
    )  # fmt: skip
    return outcome(rows, untimed, barred)


def _jumped(context: Context) -> pl.DataFrame:
    """run_id, window, best, at, median: where a run's windows first took several times its best, and at most."""
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
