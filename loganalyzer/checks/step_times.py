"""What steps usually took: in a window, and in a run.

A server's log has millions of steps. They come run by run and window by window, so that neighbours are grouped by
numbers that count on; to look each step's run up by its name would take ten times as long.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.checks.registry import Context
from loganalyzer.tables.metrics import is_warm_up

_MEASURED: Final = ("rate", "timestamps", "printed")
_STEPS: Final = pl.col("duration_s")


def measured(context: Context) -> pl.DataFrame:
    """Steps of known duration without those that hold a warm-up.

    In the order of windows within a run; `run` counts the runs from 0, and `group` the windows of all of them.
    """
    return context.once(_measured)


def by_run(context: Context) -> pl.DataFrame:
    """run, run_id, least, most, count, windows: of each run's steps; row number `run` of `measured`.

    Every median of a run's steps lies between `least` and `most`: most runs need no median to be judged.
    """
    return context.once(_by_run)


def medians(context: Context, runs: pl.Series) -> pl.DataFrame:
    """run, median, count: of the steps of these runs (their numbers)."""
    told = _gathered(_of(context, runs), "run")
    return told.select("run", _STEPS.list.median().alias("median"), _STEPS.list.len().alias("count"))


def by_window(context: Context, runs: pl.Series) -> pl.DataFrame:
    """run, run_id, window, median, line: each window's median step and first line, of these runs (their numbers)."""
    told = _gathered(_of(context, runs), "group", "run", "run_id", "window", "line")
    return told.select("run", "run_id", "window", _STEPS.list.median().alias("median"), "line")


def _measured(context: Context) -> pl.DataFrame:
    known = pl.col("method").is_in(_MEASURED) & pl.col("duration_s").is_not_null()
    steps = context.found.steps.filter(known & ~is_warm_up(context.found.runs))
    numbered = _numbered(steps)
    return numbered if _is_in_order(numbered) else _numbered(steps.sort("run_id", "window", maintain_order=True))


def _numbered(steps: pl.DataFrame) -> pl.DataFrame:
    run, window = pl.col("run"), pl.col("window")
    other = run.ne_missing(run.shift(1)) | window.ne_missing(window.shift(1))
    return steps.with_columns(pl.col("run_id").rle_id().set_sorted().alias("run")).with_columns(
        other.cum_sum().set_sorted().alias("group")
    )


def _is_in_order(numbered: pl.DataFrame) -> bool:
    """Whether the steps of a run stand together, and those of a window within it."""
    run, window = pl.col("run"), pl.col("window").fill_null(-1)
    back = (run == run.shift(1)) & (window < window.shift(1))
    if numbered.select(back.any()).item():
        return False
    names = numbered.filter(run.ne_missing(run.shift(1)))["run_id"]
    return names.n_unique() == names.len()


def _by_run(context: Context) -> pl.DataFrame:
    told = _gathered(measured(context), "run", "run_id", windows=pl.col("group").last() - pl.col("group").first() + 1)
    return told.select(
        "run",
        "run_id",
        _STEPS.list.min().alias("least"),
        _STEPS.list.max().alias("most"),
        _STEPS.list.len().alias("count"),
        "windows",
    )


def _of(context: Context, runs: pl.Series) -> pl.DataFrame:
    return measured(context).filter(pl.col("run").is_in(runs.implode()))


def _gathered(steps: pl.DataFrame, key: str, *firsts: str, **more: pl.Expr) -> pl.DataFrame:
    """One row for each value of `key`: its steps as a list, and the first values of other columns.

    Figures of lists are several times as fast as those of groups.
    """
    return steps.group_by(key, maintain_order=True).agg(_STEPS, pl.col(firsts).first(), **more)
