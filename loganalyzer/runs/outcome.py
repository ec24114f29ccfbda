"""How each stage ended, and where in the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from loganalyzer.runs import native_samplers, program_samplers
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import group_agg, join_nearest, left_join, sort_by

STOPPED: Final = "sampling stopped at step {} of {} of window {}, and no message says why"


def outcomes(timeline: Timeline, stages: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """`stages` with status, prompt_s and finish_observed.

    `stages` has lane, prompt, place, report_place, windowed, observed, expected_windows, stopped_at, last_is_full. A
    stage is completed once its memory report is printed, another stage of its prompt follows, or its prompt ended well;
    else it shares its prompt's fate. A prompt that ends well is no proof of windows that were never seen: that is a
    finding, not a status. But upstream prints the report only after the last window, so a last bar that stands below
    its total, without a report behind it, is that of a stage that failed, whatever message is missing.

    `finish_observed` says whether the log shows that sampling finished: by the report, or by its last window at the
    last step.

    A stage that another one follows was cut off all the same where windows of it are missing, or where a request came
    in between and the other one, but not this one, has a report: then a server was killed and started again without a
    word in the log. A request alone proves nothing, for it may have waited.
    """
    stages = _followed(timeline, stages)
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


def last_bars(windows: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """How far each stage's last bar came: stage, stopped_at, last_is_full.

    `stopped_at` says in words where a bar stands below its total, null of a full one. `last_is_full` is true where the
    last expected window is at its last step, or the last bar of a stage without windows or of windows chained by hand,
    of which the log announces no count. `windows` has one row per bar
    that was seen, and others whose `bar` is null.
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
    """`prompts`, in which those that seem completed, but hold a stage that stopped midway, are failed, with the reason.

    `stages` are those of `outcomes`.
    """
    stops = (
        stages.filter((pl.col("status") == "failed") & pl.col("stopped_at").is_not_null())
        .group_by("lane", "prompt")
        .agg(pl.col("stopped_at").first())
    )
    return _failed_where_stopped(prompts.join(stops, on=["lane", "prompt"], how="left", maintain_order="left"))


def stops(runs: pl.DataFrame, windows: pl.DataFrame) -> dict[str, str]:
    """How far the first run of each prompt came that failed midway, by the prompt's id: of finished tables."""
    last = windows.filter(pl.col("steps_done").is_not_null()).group_by("run_id", maintain_order=True).last()
    failed = runs.filter(pl.col("status") == "failed").select("run_id", "prompt_id")
    found = failed.join(last, on="run_id", maintain_order="left").filter(pl.col("steps_done") < pl.col("steps_total"))
    reason = pl.format(STOPPED, "steps_done", "steps_total", "window")
    first = found.select("prompt_id", reason.alias("reason")).unique("prompt_id", keep="first", maintain_order=True)
    return dict(first.rows())


def with_reasons(prompts: pl.DataFrame, reasons: Mapping[str, str]) -> pl.DataFrame:
    """`prompts`, in which those that seem completed, but have a reason to have failed (by their id), are failed."""
    if not reasons:
        return prompts
    stopped_at = pl.col("prompt_id").replace_strict(reasons, default=None, return_dtype=pl.String)
    return _failed_where_stopped(prompts.with_columns(stopped_at.alias("stopped_at")))


def _failed_where_stopped(prompts: pl.DataFrame) -> pl.DataFrame:
    is_stopped = (pl.col("status") == "completed") & pl.col("stopped_at").is_not_null()
    return prompts.with_columns(
        pl.when(is_stopped).then(pl.lit("failed")).otherwise("status").alias("status"),
        pl.when(is_stopped).then("stopped_at").otherwise("error").alias("error"),
    ).drop("stopped_at")


def _followed(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """`stages` with `next`, whether another stage of the prompt follows, and `followed`: in order."""
    if stages[:, ["lane", "prompt"]].is_unique().all():
        return stages.with_columns(*(pl.lit(value=False).alias(name) for name in ("next", "followed")))
    arrivals = timeline.event("arrival").select("lane", "place", pl.col("place").alias("arrived"))
    ahead = join_nearest(sort_by(stages, "lane", "place"), sort_by(arrivals, "lane", "place"), ahead=True)
    behind = {name: pl.col(name).shift(-1).over("lane", "prompt") for name in ("place", "report_place")}
    asked = (pl.col("arrived") < behind["place"]).fill_null(value=False)
    shown = pl.col("observed").is_not_null().any().over("lane", "prompt")
    seen = pl.when(shown).then(pl.col("observed").fill_null(0))
    missing = (pl.col("windowed") & (seen < pl.col("expected_windows"))).fill_null(value=False)
    follows = behind["place"].is_not_null()
    return ahead.with_columns(
        follows.alias("next"),
        (follows & ~missing & ~(asked & behind["report_place"].is_not_null())).alias("followed"),
    ).drop("arrived")


def reach(prompts: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """`prompts`, those cut off reaching to the last line of their stages: bars are no messages, but they are there."""
    last = stages.pipe(group_agg, ["lane", "prompt"], pl.col("end_line").max().alias("stage_end"))
    cut = pl.col("status") == "truncated"
    return (
        left_join(prompts, last, ["lane", "prompt"])
        .with_columns(
            pl.when(cut).then(pl.max_horizontal("end_line", "stage_end")).otherwise("end_line").alias("end_line"),
        )
        .drop("stage_end")
    )


def end_lines(stages: pl.DataFrame, parts: list[pl.DataFrame], prompts: pl.DataFrame) -> pl.DataFrame:
    """stage, end_line: the last line of anything that belongs to a stage (`parts`: stage, line each).

    The last stage of a prompt that did not complete reaches to the prompt's end, where the reason stands.
    """
    last = pl.concat([part.select("stage", "line") for part in parts], how="vertical_relaxed").pipe(
        group_agg, ["stage"], pl.col("line").max().alias("last_line")
    )
    ends = prompts.select("lane", "prompt", pl.col("end_line").alias("prompt_end"))
    own = pl.max_horizontal("last_line", "report_line", "line")
    is_last = pl.col("place") == pl.col("place").max().over("lane", "prompt")
    return left_join(left_join(stages, last, ["stage"]), ends, ["lane", "prompt"]).select(
        "stage",
        pl.when(is_last & (pl.col("status") != "completed"))
        .then(pl.max_horizontal("prompt_end", own))
        .otherwise(own)
        .alias("end_line"),
    )
