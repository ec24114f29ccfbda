"""Selects prompts by how they ended, with their last run and the line that shows the end."""

from __future__ import annotations

import polars as pl

from loganalyzer.checks.registry import Context


def prompts_with_status(context: Context, status: str) -> pl.DataFrame:
    """Returns prompts of this status, with run_id of their last run (null if none started) and the line to read."""
    prompts = context.found.prompts.filter(pl.col("status") == status)
    if prompts.is_empty():
        return prompts
    last = (
        context.found.runs.filter(pl.col("status") == status)
        .group_by("prompt_id", maintain_order=True)
        .agg(pl.col("run_id", "observed_windows", "expected_windows").last())
    )
    last = add_stop(last, context.found.windows)
    return prompts.join(last, on="prompt_id", how="left", maintain_order="left").with_columns(
        pl.coalesce(_event_line(context, prompts, status), "end_line").alias("line")
    )


def _event_line(context: Context, prompts: pl.DataFrame, status: str) -> pl.Expr:
    """Returns the line of the failure itself, if the excerpts (with `stream`) contain it."""
    events = {
        "failed": ["exception", "wrapper-error", "out-of-memory", "process-died"],
        "interrupted": ["interruption"],
    }
    if status not in events:
        return pl.lit(None, pl.Int64)
    shown = context.found.excerpts.filter(pl.col("event").is_in(events[status]))
    output = ("source", pl.col("stream").fill_null(""))
    inside = (
        prompts.select("prompt_id", *output, "line", "end_line").sort("source", "line")
        .join_asof(
            shown.select(*output, "line", pl.col("line").alias("shown")).sort("source", "line"),
            on="line", by=["source", "stream"], strategy="forward", check_sortedness=False,
        )
        .filter(pl.col("shown") <= pl.col("end_line"))
    )  # fmt: skip
    lines = dict(inside.select("prompt_id", "shown").rows())
    return pl.col("prompt_id").replace_strict(lines, default=None, return_dtype=pl.Int64)


def add_stop(runs: pl.DataFrame, windows: pl.DataFrame) -> pl.DataFrame:
    """Returns `runs` with `stop`: where an incomplete run stopped, e.g. `in window 2 of 6`; null if unknown.

    A window with a closed bar was decoded: the run stopped after it. Some captures keep only closed bars, so a later
    window may have started unseen.
    """
    seen = windows.filter(pl.col("steps_done").is_not_null()).sort("window")
    last = seen.group_by("run_id").agg(pl.col("total_s").last().is_not_null().alias("is_closed"))
    count, expected = pl.col("observed_windows"), pl.col("expected_windows")
    stop = (
        pl.when(pl.col("is_closed") & (count < expected))
        .then(pl.format("in window {} of {} or later", count + 1, expected))
        .when("is_closed")
        .then(pl.format("after window {} of {}", count, expected))
        .otherwise(pl.format("in window {} of {}", count, expected))
    )
    known = runs.join(last, on="run_id", how="left", maintain_order="left")
    return known.with_columns(stop.alias("stop")).drop("is_closed")


def stop_phrase() -> pl.Expr:
    """Returns where the run stopped as a phrase with a leading space; empty if unknown."""
    return pl.coalesce(pl.format(" {}", "stop"), pl.lit(""))
