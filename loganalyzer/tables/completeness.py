"""Defines the checks that decide a verdict, and the reasons why runs lack one.

A run is complete if these were checked: how it ended, its window schedule, the end of its audio, and its memory if its
quantization is known and a baseline exists. A run that lacks one may still pass, but the report says so.
"""

from __future__ import annotations

from typing import Final

import polars as pl

NOT_A_PEAK: Final = "this wrapper version does not print the sampling peak"
"""Why the memory of runs since December 2025 is not checked; also shown in the headline."""
REASONS: Final = {
    "RUN001": "nothing shows that sampling finished",
    "SCH001": "the window schedule cannot be checked",
    "SCH003": "the window schedule cannot be checked",
    "AUD001": "the end of the audio cannot be checked",
    "MEM001": "the memory peak cannot be checked",
    "MEM002": "the memory peak cannot be checked",
}
"""The reason shown for a run that one of the deciding rules could not judge."""


COMPARE_RUNS: Final = ("MEM005",)
"""Rules that compare the runs of a log with one another."""


def select_deciding(not_checked: pl.DataFrame) -> pl.DataFrame:
    """The rows of `not_checked` that make a run incomplete: a deciding rule for which the log lacks the data."""
    is_deciding = (pl.col("kind") == "log") & pl.col("rule").is_in(list(REASONS)) & pl.col("run_id").is_not_null()
    return not_checked.filter(is_deciding)


def count_reasons(not_checked: pl.DataFrame) -> pl.DataFrame:
    """Why runs are incomplete, the most fundamental reason first: reason, count (of runs).

    If two rules have the same reason, it counts once per run.
    """
    order = list(dict.fromkeys([*REASONS.values(), NOT_A_PEAK]))
    reason = pl.when(pl.col("reason") == NOT_A_PEAK).then("reason").otherwise(pl.col("rule").replace_strict(REASONS))
    return (
        select_deciding(not_checked)
        .select("run_id", reason.alias("reason"))
        .unique(maintain_order=True)
        .group_by("reason", maintain_order=True)
        .agg(pl.len().cast(pl.Int64).alias("count"))
        .sort(pl.col("reason").cast(pl.Enum(order)))
    )


def with_completeness(runs: pl.DataFrame, not_checked: pl.DataFrame) -> pl.DataFrame:
    """`runs` with `complete`."""
    incomplete = select_deciding(not_checked)["run_id"].unique()
    return runs.with_columns((~pl.col("run_id").is_in(incomplete.implode())).alias("complete"))


def with_verdicts(runs: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """`runs` with `verdict`: `fail`, `warn` or `pass`, from the most severe of each run's own findings.

    Findings of rules that compare runs count for the overall verdict, but not here: in a log too long for memory, they
    are only known after the run's row is written.
    """
    own = findings.filter(~pl.col("rule").is_in(COMPARE_RUNS))
    has = {
        severity: pl.col("run_id").is_in(own.filter(pl.col("severity") == severity)["run_id"].unique().implode())
        for severity in ("error", "warning")
    }
    verdict = pl.when(has["error"]).then(pl.lit("fail")).when(has["warning"]).then(pl.lit("warn"))
    return runs.with_columns(verdict.otherwise(pl.lit("pass")).alias("verdict"))
