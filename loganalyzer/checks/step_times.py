"""Computes typical step times per window and per run.

A server's log has millions of steps. They come run by run and window by window, so neighbors are grouped by running
numbers; looking up each step's run by name would take ten times as long.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.checks.registry import Context
from loganalyzer.tables.metrics import SINGLE_STEP_METHODS, is_warm_up

_STEPS: Final = pl.col("duration_s")
_STEADY: Final = 0.7
"""Minimum rank correlation between window order and step time to call it a trend."""


def measured(context: Context) -> pl.DataFrame:
    """Returns steps of known duration without warm-up steps, in the order of windows within a run.

    `run` numbers the runs from 0; `group` numbers the windows of all runs.
    """
    return context.once(_measured)


def by_run(context: Context) -> pl.DataFrame:
    """Returns one row per run: run, run_id, least, most, count (of steps, in s), windows.

    Every median of a run's steps lies between `least` and `most`, so most runs can be judged without a median.
    """
    return context.once(_by_run)


def medians(context: Context, runs: pl.Series) -> pl.DataFrame:
    """Returns run, median and count of the steps of these runs (given by number)."""
    grouped = _group_steps(_steps_of(context, runs), "run")
    return grouped.select("run", _STEPS.list.median().alias("median"), _STEPS.list.len().alias("count"))


def by_window(context: Context, runs: pl.Series) -> pl.DataFrame:
    """Returns run, run_id, window, median step and first line of each window of these runs (given by number)."""
    grouped = _group_steps(_steps_of(context, runs), "group", "run", "run_id", "window", "line")
    return grouped.select("run", "run_id", "window", _STEPS.list.median().alias("median"), "line")


def find_slowdowns(context: Context, runs: pl.DataFrame) -> pl.DataFrame:
    """Returns runs that slow down from window to window: run_id, line (of the last window), before, after."""
    fraction = context.settings.slowdown_fraction
    varied = runs.filter((pl.col("most") > pl.col("least")) & (pl.col("most") / pl.col("least") - 1 > fraction))
    if varied.is_empty():
        return varied
    windows = by_window(context, varied["run"])
    third = (pl.len() + 2) // 3
    thirds = windows.group_by("run", maintain_order=True).agg(
        pl.col("run_id").first(),
        pl.col("line").last(),
        pl.col("median").head(third).median().alias("before"),
        pl.col("median").tail(third).median().alias("after"),
    )
    slower = thirds.filter(pl.col("after") / pl.col("before") - 1 > fraction)
    return _keep_steady(slower, windows)


def _keep_steady(slower: pl.DataFrame, windows: pl.DataFrame) -> pl.DataFrame:
    """Returns the runs whose step times rise with the window number."""
    if slower.is_empty():
        return slower
    steady = (
        windows.join(slower, on="run", how="semi", maintain_order="left")
        .group_by("run")
        .agg(pl.corr(pl.int_range(pl.len()), pl.col("median").rank()).alias("order"))
        .filter(pl.col("order") > _STEADY)
    )
    return slower.join(steady, on="run", how="semi", maintain_order="left").sort("run_id")


def _measured(context: Context) -> pl.DataFrame:
    known = pl.col("method").is_in(SINGLE_STEP_METHODS) & pl.col("duration_s").is_not_null()
    steps = context.found.steps.filter(known & ~is_warm_up(context.found.runs))
    numbered = _number_groups(steps)
    return numbered if _is_in_order(numbered) else _number_groups(steps.sort("run_id", "window", maintain_order=True))


def _number_groups(steps: pl.DataFrame) -> pl.DataFrame:
    run, window = pl.col("run"), pl.col("window")
    is_new = run.ne_missing(run.shift(1)) | window.ne_missing(window.shift(1))
    return steps.with_columns(pl.col("run_id").rle_id().set_sorted().alias("run")).with_columns(
        is_new.cum_sum().set_sorted().alias("group")
    )


def _is_in_order(numbered: pl.DataFrame) -> bool:
    """Whether the steps of each run are adjacent, and those of each window within it."""
    run, window = pl.col("run"), pl.col("window").fill_null(-1)
    goes_back = (run == run.shift(1)) & (window < window.shift(1))
    if numbered.select(goes_back.any()).item():
        return False
    names = numbered.filter(run.ne_missing(run.shift(1)))["run_id"]
    return names.n_unique() == names.len()


def _by_run(context: Context) -> pl.DataFrame:
    grouped = _group_steps(
        measured(context), "run", "run_id", windows=pl.col("group").last() - pl.col("group").first() + 1
    )
    return grouped.select(
        "run",
        "run_id",
        _STEPS.list.min().alias("least"),
        _STEPS.list.max().alias("most"),
        _STEPS.list.len().alias("count"),
        "windows",
    )


def _steps_of(context: Context, runs: pl.Series) -> pl.DataFrame:
    return measured(context).filter(pl.col("run").is_in(runs.implode()))


def _group_steps(steps: pl.DataFrame, key: str, *firsts: str, **more: pl.Expr) -> pl.DataFrame:
    """Returns one row per value of `key`: its steps as a list, and the first values of other columns.

    Aggregating lists is several times as fast as aggregating groups.
    """
    return steps.group_by(key, maintain_order=True).agg(_STEPS, pl.col(firsts).first(), **more)
