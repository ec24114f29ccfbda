"""Finds the executions of ComfyUI's prompts: where each begins and ends, and how it ended.

`got prompt` is the arrival of a request, possibly while another prompt runs. `Prompt executed` is also printed after
failures and interruptions. A prompt is therefore everything between two lines `Prompt executed`, or restarts.

A prompt failed if a message or a near miss of one says so, or if the last thing before its end is a traceback whose
exception left a node: its first frame is ComfyUI's own `execute`. Other tracebacks prove nothing, because nodes catch
and print exceptions, and so does the web server when a connection breaks. A traceback right before the end becomes the
`error` of a completed prompt. A traceback with something after it was caught.
The recorder states how a prompt ended; this counts where ComfyUI's own messages are lost.
A standalone program has no server that catches exceptions: if nothing follows a traceback, the program ended with it.
"""

from __future__ import annotations

import polars as pl

from loganalyzer.runs import program_samplers
from loganalyzer.runs.last_words import LOST, find_last_words
from loganalyzer.runs.recorded.ends import find_ends
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import group_agg, left_join, semi_join, sort_by

_NEAR_MISS = "a message is a near miss of a failure message (see LOG001)"
_LEFT = "an exception without a message: its traceback is right before the prompt's end"
_DAY_S = 86_400
_SLACK_S = 60
"""Seconds by which rounding may make the windows longer than their prompt, without a missing day."""
_CAUGHT = "a traceback right before the prompt's end"
_MESSAGES = {
    "out-of-memory": pl.lit(None, pl.String),
    "process-died": pl.format("the process died: {}", "death"),
}
"""The error text of failures without a message."""


def find_prompts(timeline: Timeline, stages: pl.DataFrame, idle: frozenset[str]) -> pl.DataFrame:
    """One row per execution.

    Columns: lane, prompt, line, place, end_line, end_place, duration_s, status, error, started_at,
    ended_at.

    `stages` (lane, prompt, place, line) are evidence of an execution even without any message; `idle` are the events
    that are not.
    """
    found = _find_executions(timeline, stages, idle)
    ended = timeline.records("executed").pipe(
        group_agg,
        ["lane", "prompt"],
        pl.col("duration_s").filter(pl.col("duration_s") >= 0).last(),
        pl.col("line").last().alias("executed_line"),
        pl.col("place").last().alias("executed_place"),
    )
    lost = _find_failures(timeline)
    stopped = timeline.records("interruption").pipe(
        group_agg, ["lane", "prompt"], pl.lit(value=True).first().alias("stopped")
    )
    keys = ["lane", "prompt"]
    last_words = find_last_words(timeline, found, idle)
    for more in (ended, lost, stopped, last_words, _program_crashes(timeline, stages), find_ends(timeline)):
        found = left_join(found, more, keys)
    crashed = pl.col("left").is_not_null() & pl.col("crash").is_not_null() & pl.col("executed_line").is_null()
    found = found.with_columns((pl.col("left") | crashed).alias("left"))
    return (
        found.with_columns(
            _status().alias("status"),
            _error().alias("error"),
            pl.coalesce("executed_line", "end_line").alias("end_line"),
            pl.coalesce("duration_s", "recorded_s").alias("duration_s"),
        )
        .drop("executed_line", "lost", "stopped", "like_lost", "like_stopped", "left", "crash")
        .drop("recorded_status", "recorded_s")
        .pipe(sort_by, "lane", "prompt")
    )


def _status() -> pl.Expr:
    """How a prompt ended: by a message, else by the recorder, else by its last words or its `Prompt executed`."""
    return (
        pl.when(pl.col("lost"))
        .then(pl.lit("failed"))
        .when(pl.col("stopped"))
        .then(pl.lit("interrupted"))
        .when(pl.col("recorded_status").is_not_null())
        .then("recorded_status")
        .when(pl.col("like_lost") | pl.col("left"))
        .then(pl.lit("failed"))
        .when(pl.col("like_stopped"))
        .then(pl.lit("interrupted"))
        .when(pl.col("executed_line").is_not_null())
        .then(pl.lit("completed"))
        .otherwise(pl.lit("truncated"))
    )


def _error() -> pl.Expr:
    """A failure's message, or what shows it if the log has none; for a completed prompt, a traceback it caught."""
    has_left = pl.col("left").fill_null(value=False)
    crash = pl.when(pl.col("executed_line").is_null()).then("crash")
    is_caught = pl.col("executed_line").is_not_null() & ~pl.col("like_stopped").fill_null(value=False) & ~pl.col("left")
    return (
        pl.when(pl.col("lost") | pl.col("stopped"))
        .then("error")
        .when(pl.col("like_lost"))
        .then(pl.lit(_NEAR_MISS))
        .when((pl.col("recorded_status") == "failed") & ~has_left)
        .then("recorded_type")
        .when(pl.col("left"))
        .then(pl.coalesce(crash, pl.lit(_LEFT)))
        .when(is_caught)
        .then(pl.lit(_CAUGHT))
    )


def _program_crashes(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """lane, prompt, crash: the last exception's text, for prompts of standalone programs.

    No server catches it there: a traceback at the end of the output is the end of the program.
    """
    own = stages.filter(program_samplers.is_program()).select("lane", "prompt")
    exceptions = semi_join(timeline.records("exception-type"), own, ["lane", "prompt"])
    return exceptions.pipe(
        group_agg, ["lane", "prompt"], pl.col("exception_text").last().str.strip_chars().alias("crash")
    )


def with_full_days(found: pl.DataFrame, windows: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """`found` with full days added to the clock of `Prompt executed in 02:42:00`, which restarts at 24 h.

    A day is added only if the prompt's windows (stage, total_s) took longer than the clock says.
    """
    took = (
        windows.join(stages.select("stage", "lane", "prompt"), on="stage")
        .group_by("lane", "prompt")
        .agg(pl.col("total_s").sum().alias("took"))
    )
    days = ((pl.col("took") - pl.col("duration_s")) / _DAY_S).ceil()
    is_longer = pl.col("took") > pl.col("duration_s") + _SLACK_S
    is_whole = pl.col("duration_s") == pl.col("duration_s").floor()
    real = pl.when((is_longer & is_whole).fill_null(value=False)).then(pl.col("duration_s") + days * _DAY_S)
    return (
        found.join(took, on=["lane", "prompt"], how="left", maintain_order="left")
        .with_columns(real.otherwise("duration_s").alias("duration_s"))
        .drop("took")
    )


def _find_executions(timeline: Timeline, stages: pl.DataFrame, idle: frozenset[str]) -> pl.DataFrame:
    """The executions: prompts with evidence that something ran, and requests without any later message."""
    shown = pl.concat(
        [
            timeline.messages.with_columns((~pl.col("event").is_in(list(idle))).alias("ran")),
            stages.select("lane", "place", "line", pl.lit(None, pl.Datetime("us")).alias("time"))
            .with_columns(pl.lit("stage").alias("event"), pl.lit(None, pl.String).alias("pattern"))
            .with_columns(stages["prompt"], pl.lit(value=True).alias("ran")),
        ],
        how="vertical_relaxed",
    ).pipe(sort_by, "lane", "place")
    shown = _with_bare_reports(shown)
    own = pl.col("ran") | (pl.col("event") == "arrival")
    arrivals, refusals = ((pl.col("event") == name).sum().cast(pl.Int64) for name in ("arrival", "refusal"))
    return (
        shown.pipe(
            group_agg,
            ["lane", "prompt"],
            pl.col("line").filter(own).first(),
            pl.col("place").filter(own).first(),
            pl.col("line").filter(own).last().alias("end_line"),
            pl.col("place").filter(own).last().alias("end_place"),
            pl.col("time").filter(own).drop_nulls().first().alias("started_at"),
            pl.col("time").filter(own).drop_nulls().last().alias("ended_at"),
            pl.col("ran").any(),
            (arrivals - refusals).alias("arrived"),
        )
        .filter(pl.col("ran") | (pl.col("arrived") > 0))
        .drop("ran", "arrived")
    )


def _with_bare_reports(shown: pl.DataFrame) -> pl.DataFrame:
    """`shown`, in which an error report counts as evidence of a prompt if the log below it shows none."""
    is_report = pl.col("event") == "report-exception-message"
    if shown.filter(is_report).is_empty():
        return shown
    shows_any = (pl.col("ran") | (pl.col("event") == "arrival")).any().over("lane")
    return shown.with_columns(pl.col("ran") | (is_report & ~shows_any))


def _find_failures(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, error, lost: the prompts with a failure, and its first message."""
    frames = [
        timeline.records(name).select(
            "lane",
            "prompt",
            "place",
            _MESSAGES.get(name, pl.col("message")).alias("message"),
            pl.lit(name == "exception").alias("core"),
        )
        for name in LOST
    ]
    return (
        pl.concat(frames)
        .sort("lane", "core", "place", descending=[False, True, False])
        .pipe(
            group_agg,
            ["lane", "prompt"],
            pl.col("message").drop_nulls().first().str.strip_chars().alias("error"),
            pl.lit(value=True).first().alias("lost"),
        )
    )
