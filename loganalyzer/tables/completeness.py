"""Which checks decide a verdict, and why runs lack one of them.

A run is complete when these checks could be made: how it ended, its window schedule, the end of its audio, and its
memory where a quantization is known and a baseline exists. A run that lacks one may still pass, but not silently.
"""

from __future__ import annotations

from typing import Final

import polars as pl

NOT_A_PEAK: Final = "this wrapper version does not print the sampling peak"
"""Why the memory of a run is not checked since December 2025; the headline says it in these words."""
REASONS: Final = {
    "RUN001": "nothing shows that sampling finished",
    "SCH001": "the window schedule cannot be checked",
    "SCH003": "the window schedule cannot be checked",
    "AUD001": "the end of the audio cannot be checked",
    "MEM001": "the memory peak cannot be checked",
    "MEM002": "the memory peak cannot be checked",
}
"""What is said of a run that one of the deciding rules could not judge."""


COMPARE_RUNS: Final = ("MEM005",)
"""Rules that compare the runs of a log with one another."""


def deciding(not_checked: pl.DataFrame) -> pl.DataFrame:
    """The rows of `not_checked` that make a run incomplete: a deciding rule, and the log lacks what it needs."""
    is_deciding = (pl.col("kind") == "log") & pl.col("rule").is_in(list(REASONS)) & pl.col("run_id").is_not_null()
    return not_checked.filter(is_deciding)


def reasons(not_checked: pl.DataFrame) -> pl.DataFrame:
    """Why runs are incomplete, the most basic reason first: reason, count (of runs).

    The same reason of two rules counts once a run.
    """
    order = list(dict.fromkeys([*REASONS.values(), NOT_A_PEAK]))
    said = pl.when(pl.col("reason") == NOT_A_PEAK).then("reason").otherwise(pl.col("rule").replace_strict(REASONS))
    return (
        deciding(not_checked)
        .select("run_id", said.alias("reason"))
        .unique(maintain_order=True)
        .group_by("reason", maintain_order=True)
        .agg(pl.len().cast(pl.Int64).alias("count"))
        .sort(pl.col("reason").cast(pl.Enum(order)))
    )


def with_completeness(runs: pl.DataFrame, not_checked: pl.DataFrame) -> pl.DataFrame:
    """`runs` with `complete`."""
    lacking = deciding(not_checked)["run_id"].unique()
    return runs.with_columns((~pl.col("run_id").is_in(lacking.implode())).alias("complete"))


def with_verdicts(runs: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """`runs` with `verdict`: `fail`, `warn` or `pass` by the most severe of each run's own findings.

    What rules that compare runs find counts for the whole, but not here: in a log too long to be held, it is known only
    after the run's row is written.
    """
    own = findings.filter(~pl.col("rule").is_in(COMPARE_RUNS))
    has = {
        severity: pl.col("run_id").is_in(own.filter(pl.col("severity") == severity)["run_id"].unique().implode())
        for severity in ("error", "warning")
    }
    verdict = pl.when(has["error"]).then(pl.lit("fail")).when(has["warning"]).then(pl.lit("warn"))
    return runs.with_columns(verdict.otherwise(pl.lit("pass")).alias("verdict"))
