"""What steps usually took: in a window, and in a run.

A server's log has millions of steps. They come run by run and window by window, so that neighbours are grouped by
numbers that count on; to look each step's run up by its name would take ten times as long.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.checks.registry import Context
from loganalyzer.rows import extended, only, selected

_MEASURED: Final = ("rate", "timestamps")


def measured(context: Context) -> pl.DataFrame:
    """Steps of known duration without each run's first, which holds the warm-up.

    In the order of windows within a run; `run` counts the runs from 0, and `group` the windows of all of them.
    """
    return context.once(_measured)


def by_run(context: Context) -> pl.DataFrame:
    """run_id, median, count: of each run's steps; row number `run` of `measured`."""
    return context.once(_by_run)


def by_window(context: Context) -> pl.DataFrame:
    """run, run_id, window, median, line: each window's median step and first line, in the order of `measured`."""
    return context.once(_by_window)


def _measured(context: Context) -> pl.DataFrame:
    warm_up = (pl.col("window") == 1) & (pl.col("step") == 1)
    steps = only(
        context.found.steps,
        pl.col("method").is_in(_MEASURED) & pl.col("duration_s").is_not_null() & ~warm_up.fill_null(value=False),
    )
    numbered = _numbered(steps)
    return numbered if _is_in_order(numbered) else _numbered(steps.sort("run_id", "window", maintain_order=True))


def _numbered(steps: pl.DataFrame) -> pl.DataFrame:
    run, window = pl.col("run"), pl.col("window")
    other = run.ne_missing(run.shift(1)) | window.ne_missing(window.shift(1))
    return steps.pipe(extended, pl.col("run_id").rle_id().set_sorted().alias("run")).pipe(
        extended, other.cum_sum().set_sorted().alias("group")
    )


def _is_in_order(numbered: pl.DataFrame) -> bool:
    """Whether the steps of a run stand together, and those of a window within it."""
    run, window = pl.col("run"), pl.col("window").fill_null(-1)
    back = (run == run.shift(1)) & (window < window.shift(1))
    if numbered.pipe(selected, back.any()).item():
        return False
    names = only(numbered, run.ne_missing(run.shift(1)))["run_id"]
    return names.n_unique() == names.len()


def _by_run(context: Context) -> pl.DataFrame:
    return (
        measured(context)
        .group_by("run", maintain_order=True)
        .agg(pl.col("run_id").first(), pl.col("duration_s").median().alias("median"), pl.len().alias("count"))
    )


def _by_window(context: Context) -> pl.DataFrame:
    return (
        measured(context)
        .group_by("group", maintain_order=True)
        .agg(
            pl.col("run", "run_id", "window").first(),
            pl.col("duration_s").median().alias("median"),
            pl.col("line").first(),
        )
        .pipe(extended, pl.col("run").set_sorted())
    )
