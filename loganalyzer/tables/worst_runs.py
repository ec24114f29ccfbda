"""Reduces an analysis to its worst runs, as many as a report has room for, and keeps the totals of all runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import polars as pl

from loganalyzer.tables import severity
from loganalyzer.tables.analysis import Analysis

MAX_RUNS: Final = 300
"""Maximum runs of a page, which must be small enough for a ticket and for a browser."""
MAX_PER_RULE: Final = 120
"""Findings of each rule that are kept in any case: so every rule with findings is shown."""
MAX_PER_RUN: Final = 200
"""Average maximum rows of a table per kept run."""
MAX_INPUTS: Final = 2000
MAX_PROMPTS: Final = 5000
"""A busy server's log has hundreds of image prompts per run."""
MAX_TRENDS: Final = 2000
MAX_SERVER_STARTS: Final = 100
"""A server that crashes repeatedly prints its environment thousands of times."""
NEIGHBORS: Final = 2
"""An excerpt within this many lines of a finding's line is a neighbor."""


def select_worst_runs(analysis: Analysis, max_runs: int) -> Analysis:
    """`analysis` with at most `max_runs` runs: first those with errors, then those with warnings.

    Other tables keep only the rows of these runs, the first findings of each rule, and prompts that did not complete.
    `totals` still cover everything.
    """
    rows = max(analysis.findings.height, analysis.not_checked.height)
    if analysis.counted is None and analysis.runs.height <= max_runs and rows <= max_runs * MAX_PER_RUN:
        sources = analysis.sources.head(MAX_INPUTS)
        counted = None if sources.height == analysis.sources.height else analysis.totals
        return replace(analysis, prompts=_select_prompts(analysis, analysis.runs), sources=sources, counted=counted)
    runs = _select_worst(analysis, max_runs)
    findings = _select_findings(analysis, runs)
    own = {"run_id": runs["run_id"], "prompt_id": runs["prompt_id"]}
    frames: dict[str, pl.DataFrame] = {}
    for name, frame in analysis.tables():
        key = next((key for key in own if key in frame.columns), None)
        if key is not None and name != "trends":
            frames[name] = frame.filter(pl.col(key).is_in(own[key].unique().implode())).head(max_runs * MAX_PER_RUN)
    frames |= {
        "runs": runs,
        "prompts": _select_prompts(analysis, runs),
        "findings": findings,
        "sources": analysis.sources.head(MAX_INPUTS),
        "near_misses": analysis.near_misses.head(max_runs * MAX_PER_RUN),
        "excerpts": select_cited(analysis.excerpts, findings),
        "trends": analysis.trends.head(MAX_TRENDS),
        "environment": analysis.environment.head(MAX_SERVER_STARTS),
    }
    return Analysis(
        **(dict(analysis.tables()) | frames),
        problems=analysis.problems,
        notes=analysis.notes,
        counted=analysis.totals,
        faults=analysis.faults,
    )


def select_cited(excerpts: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """The excerpts that a report of these findings can show: the lines that they cite, and neighboring lines."""
    around = [pl.col("line") + distance for distance in range(-NEIGHBORS, NEIGHBORS + 1)]
    places = findings.select("source", pl.concat_list(around).alias("line")).explode("line").unique()
    return excerpts.join(places, on=["source", "line"], how="semi", maintain_order="left")


def _select_worst(analysis: Analysis, max_runs: int) -> pl.DataFrame:
    """The worst runs, in their original order."""
    ranks = analysis.findings.group_by("run_id").agg(severity.rank().min().alias("rank"))
    ranked = analysis.runs.with_row_index("place").join(ranks, on="run_id", how="left", maintain_order="left")
    kept = ranked.sort(pl.col("rank").fill_null(3), "place").head(max_runs)
    return kept.sort("place").select(analysis.runs.columns)


def _select_prompts(analysis: Analysis, runs: pl.DataFrame) -> pl.DataFrame:
    """All prompts; if there are too many, those of the runs and those that did not complete."""
    if analysis.prompts.height <= MAX_PROMPTS:
        return analysis.prompts
    own = pl.col("prompt_id").is_in(runs["prompt_id"].unique().implode())
    not_completed = pl.col("status") != "completed"
    return analysis.prompts.filter(own | (not_completed & (not_completed.cum_sum() <= MAX_PROMPTS)))


def _select_findings(analysis: Analysis, runs: pl.DataFrame) -> pl.DataFrame:
    """The findings of these runs, and the first ones of each rule."""
    of_run = pl.col("run_id").is_in(runs["run_id"].implode()).fill_null(value=False)
    return analysis.findings.filter(of_run | (pl.int_range(pl.len()).over("rule") < MAX_PER_RULE))
