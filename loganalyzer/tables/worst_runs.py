"""The gravest part of an analysis: what a report of many runs has room for, with the totals of the whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import polars as pl

from loganalyzer.tables import severity
from loganalyzer.tables.analysis import Analysis

MOST_RUNS: Final = 300
"""Runs of a page: it must stay small enough for a ticket, and for a browser."""
MOST_OF_A_RULE: Final = 120
"""Findings of a rule that are kept in any case, so that each is shown, even of a rule whose runs are not."""
MOST_PER_RUN: Final = 200
"""Rows of a table for each run that is kept, on average."""
MOST_INPUTS: Final = 2000
MOST_PROMPTS: Final = 5000
"""A busy server's log has hundreds of image prompts for each run."""
MOST_TRENDS: Final = 2000
MOST_SERVER_STARTS: Final = 100
"""A server that crashes again and again prints its environment thousands of times."""
NEIGHBOURS: Final = 2
"""Lines around a finding's within which an excerpt is a neighbour."""


def worst_runs(whole: Analysis, most: int) -> Analysis:
    """`whole` with at most so many runs: those with errors first, then those with warnings.

    Of everything else only what belongs to them is kept, with the first findings of each rule and prompts that did not
    complete; `totals` stay those of the whole.
    """
    rows = max(whole.findings.height, whole.not_checked.height)
    if whole.counted is None and whole.runs.height <= most and rows <= most * MOST_PER_RUN:
        sources = whole.sources.head(MOST_INPUTS)
        counted = None if sources.height == whole.sources.height else whole.totals
        return replace(whole, prompts=_prompts(whole, whole.runs), sources=sources, counted=counted)
    runs = _runs(whole, most)
    findings = _findings(whole, runs)
    own = {"run_id": runs["run_id"], "prompt_id": runs["prompt_id"]}
    frames: dict[str, pl.DataFrame] = {}
    for name, frame in whole.tables():
        key = next((key for key in own if key in frame.columns), None)
        if key is not None and name != "trends":
            frames[name] = frame.filter(pl.col(key).is_in(own[key].unique().implode())).head(most * MOST_PER_RUN)
    frames |= {
        "runs": runs,
        "prompts": _prompts(whole, runs),
        "findings": findings,
        "sources": whole.sources.head(MOST_INPUTS),
        "near_misses": whole.near_misses.head(most * MOST_PER_RUN),
        "excerpts": cited(whole.excerpts, findings),
        "trends": whole.trends.head(MOST_TRENDS),
        "environment": whole.environment.head(MOST_SERVER_STARTS),
    }
    return Analysis(
        **(dict(whole.tables()) | frames),
        problems=whole.problems,
        notes=whole.notes,
        counted=whole.totals,
        faults=whole.faults,
    )


def cited(excerpts: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Of the excerpts those that a report of these findings can show: the lines they name, and their neighbours."""
    around = [pl.col("line") + distance for distance in range(-NEIGHBOURS, NEIGHBOURS + 1)]
    places = findings.select("source", pl.concat_list(around).alias("line")).explode("line").unique()
    return excerpts.join(places, on=["source", "line"], how="semi", maintain_order="left")


def _runs(whole: Analysis, most: int) -> pl.DataFrame:
    """The gravest runs, in the order of all."""
    ranks = whole.findings.group_by("run_id").agg(severity.rank().min().alias("rank"))
    ranked = whole.runs.with_row_index("place").join(ranks, on="run_id", how="left", maintain_order="left")
    kept = ranked.sort(pl.col("rank").fill_null(3), "place").head(most)
    return kept.sort("place").select(whole.runs.columns)


def _prompts(whole: Analysis, runs: pl.DataFrame) -> pl.DataFrame:
    """All, or those of the runs and others that did not complete."""
    if whole.prompts.height <= MOST_PROMPTS:
        return whole.prompts
    own = pl.col("prompt_id").is_in(runs["prompt_id"].unique().implode())
    lost = pl.col("status") != "completed"
    return whole.prompts.filter(own | (lost & (lost.cum_sum() <= MOST_PROMPTS)))


def _findings(whole: Analysis, runs: pl.DataFrame) -> pl.DataFrame:
    """Those of the runs, and the first of each rule."""
    of_run = pl.col("run_id").is_in(runs["run_id"].implode()).fill_null(value=False)
    return whole.findings.filter(of_run | (pl.int_range(pl.len()).over("rule") < MOST_OF_A_RULE))
