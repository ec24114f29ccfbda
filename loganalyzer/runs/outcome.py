"""Determines how each stage ended, and the line where it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from loganalyzer.runs import native_samplers, program_samplers
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import group_agg, join_nearest, left_join, sort_by

STOPPED: Final = "sampling stopped at step {} of {} in window {}; no message says why"


def with_outcomes(timeline: Timeline, stages: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """`stages` with status, prompt_s and finish_observed.

    `stages` has lane, prompt, place, report_place, windowed, observed, expected_windows, stopped_at, last_is_full. A
    stage completed if its memory report is printed, another stage of its prompt follows, or its prompt completed;
    else it has its prompt's status. A completed prompt does not prove that missing windows ran: that is a finding, not
    a status. Upstream prints the report only after the last window, so a stage whose last bar is below its total and
    that has no report failed, even without an error message.

    `finish_observed` says whether the log shows the end of sampling: the report, or the last window at its last step.

    A stage with a following stage was still cut off if windows are missing. It was also cut off if a request came in
    between and only the following stage has a report: someone killed and restarted the server, and the log does not
    show it. A request alone proves nothing, because it may have waited in the queue.
    """
    stages = _with_followers(timeline, stages)
    followed = pl.col("followed")
    own = prompts.select(
        "lane",
        "prompt",
        pl.col("status").alias("prompt_status"),
        pl.col("duration_s").alias("prompt_s"),
        "executed_place",
    )
    known = left_join(sort_by(stages, "lane", "place"), own, ["lane", "prompt"])
    behind = (pl.col("place") > pl.col("executed_place")).fill_null(value=False)
    well = (pl.col("prompt_status") == "completed") & ~behind
    reported = pl.col("report_place").is_not_null()
    goes_on = pl.when("next").then(followed).otherwise(well)
    stopped = pl.col("stopped_at").is_not_null()
    return known.with_columns(
        pl.when(reported | (goes_on & ~stopped))
        .then(pl.lit("completed"))
        .when(goes_on)
        .then(pl.lit("failed"))
        .when("next")
        .then(pl.lit("truncated"))
        .otherwise(pl.when(~behind).then("prompt_status").fill_null("truncated"))
        .alias("status"),
        (reported | pl.col("last_is_full").fill_null(value=False)).alias("finish_observed"),
    ).drop("prompt_status", "executed_place", "next", "followed")


def find_last_bars(windows: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """The progress of each stage's last bar: stage, stopped_at, last_is_full.

    `stopped_at` is a sentence about a bar below its total, null for a full bar. `last_is_full` is true if the last
    expected window is at its last step. For stages without windows, and for windows chained by hand, whose count the
    log does not announce, the last bar counts. `windows` has one row per observed bar, and rows whose `bar` is null.
    """
    last = windows.filter(pl.col("bar").is_not_null()).group_by("stage", maintain_order=True).last()
    known = last.join(stages.select("stage", "kind", "windowed", "expected_windows"), on="stage", maintain_order="left")
    full = pl.col("steps_done") == pl.col("steps_total")
    by_hand = (native_samplers.is_native() | program_samplers.is_program()) & pl.col("expected_windows").is_null()
    at_end = ~pl.col("windowed") | by_hand | (pl.col("window") >= pl.col("expected_windows"))
    return known.select(
        "stage",
        pl.when(pl.col("steps_done") < pl.col("steps_total"))
        .then(pl.format(STOPPED, "steps_done", "steps_total", "window"))
        .alias("stopped_at"),
        (full & at_end).alias("last_is_full"),
    )


def with_stops(prompts: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """`prompts` with the status failed, and the reason, for completed prompts with a stage that stopped midway.

    `stages` is as from `with_outcomes`.
    """
    stops = (
        stages.filter((pl.col("status") == "failed") & pl.col("stopped_at").is_not_null())
        .group_by("lane", "prompt")
        .agg(pl.col("stopped_at").first())
    )
    return _mark_stopped_as_failed(prompts.join(stops, on=["lane", "prompt"], how="left", maintain_order="left"))


def stop_reasons(runs: pl.DataFrame, windows: pl.DataFrame) -> dict[str, str]:
    """Prompt ID to the progress of its first run that failed midway, from finished tables."""
    last = windows.filter(pl.col("steps_done").is_not_null()).group_by("run_id", maintain_order=True).last()
    failed = runs.filter(pl.col("status") == "failed").select("run_id", "prompt_id")
    found = failed.join(last, on="run_id", maintain_order="left").filter(pl.col("steps_done") < pl.col("steps_total"))
    reason = pl.format(STOPPED, "steps_done", "steps_total", "window")
    first = found.select("prompt_id", reason.alias("reason")).unique("prompt_id", keep="first", maintain_order=True)
    return dict(first.rows())


def with_reasons(prompts: pl.DataFrame, reasons: Mapping[str, str]) -> pl.DataFrame:
    """`prompts` with the status failed for completed prompts in `reasons` (prompt ID to reason)."""
    if not reasons:
        return prompts
    stopped_at = pl.col("prompt_id").replace_strict(reasons, default=None, return_dtype=pl.String)
    return _mark_stopped_as_failed(prompts.with_columns(stopped_at.alias("stopped_at")))


def _mark_stopped_as_failed(prompts: pl.DataFrame) -> pl.DataFrame:
    is_stopped = (pl.col("status") == "completed") & pl.col("stopped_at").is_not_null()
    return prompts.with_columns(
        pl.when(is_stopped).then(pl.lit("failed")).otherwise("status").alias("status"),
        pl.when(is_stopped).then("stopped_at").otherwise("error").alias("error"),
    ).drop("stopped_at")


def _with_followers(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """`stages` in order with `next` (whether another stage of the prompt follows) and `followed`.

    `followed` is true if the next stage also proves that this one was not cut off.
    """
    if stages[:, ["lane", "prompt"]].is_unique().all():
        return stages.with_columns(*(pl.lit(value=False).alias(name) for name in ("next", "followed")))
    arrivals = timeline.records("arrival").select("lane", "place", pl.col("place").alias("arrived"))
    ahead = join_nearest(sort_by(stages, "lane", "place"), sort_by(arrivals, "lane", "place"), ahead=True)
    behind = {name: pl.col(name).shift(-1).over("lane", "prompt") for name in ("place", "report_place")}
    was_requested = (pl.col("arrived") < behind["place"]).fill_null(value=False)
    shown = pl.col("observed").is_not_null().any().over("lane", "prompt")
    seen = pl.when(shown).then(pl.col("observed").fill_null(0))
    missing = (pl.col("windowed") & (seen < pl.col("expected_windows"))).fill_null(value=False)
    follows = behind["place"].is_not_null()
    return ahead.with_columns(
        follows.alias("next"),
        (follows & ~missing & ~(was_requested & behind["report_place"].is_not_null())).alias("followed"),
    ).drop("arrived")


def extend_cut_off_prompts(prompts: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """`prompts`, with cut-off prompts extended to the last line of their stages: bars are not messages, but count."""
    last = stages.pipe(group_agg, ["lane", "prompt"], pl.col("end_line").max().alias("stage_end"))
    cut = pl.col("status") == "truncated"
    return (
        left_join(prompts, last, ["lane", "prompt"])
        .with_columns(
            pl.when(cut).then(pl.max_horizontal("end_line", "stage_end")).otherwise("end_line").alias("end_line"),
        )
        .drop("stage_end")
    )


def find_end_lines(stages: pl.DataFrame, parts: list[pl.DataFrame], prompts: pl.DataFrame) -> pl.DataFrame:
    """stage, end_line: the last line of everything that belongs to a stage (`parts`: stage, line each).

    The last stage of a prompt that did not complete extends to the prompt's end, where the reason is.
    """
    last = pl.concat([part.select("stage", "line") for part in parts], how="vertical_relaxed").pipe(
        group_agg, ["stage"], pl.col("line").max().alias("last_line")
    )
    ends = prompts.select("lane", "prompt", pl.col("end_line").alias("prompt_end"))
    own = pl.max_horizontal("last_line", "report_line", "peak_line", "line")
    is_last = pl.col("place") == pl.col("place").max().over("lane", "prompt")
    return left_join(left_join(stages, last, ["stage"]), ends, ["lane", "prompt"]).select(
        "stage",
        pl.when(is_last & (pl.col("status") != "completed"))
        .then(pl.max_horizontal("prompt_end", own))
        .otherwise(own)
        .alias("end_line"),
    )
