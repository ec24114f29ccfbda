"""How each stage ended, and where in the file."""

from __future__ import annotations

import polars as pl

from loganalyzer.rows import completed, dropped, extended, grouped, in_order, nearest, selected
from loganalyzer.runs.timeline import Timeline


def outcomes(timeline: Timeline, stages: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """`stages` with status and prompt_s.

    `stages` has lane, prompt, place, report_place, windowed, observed, expected_windows. A stage is completed
    once its memory report is printed, another stage of its prompt follows, or its prompt ended well; else it shares its
    prompt's fate. A prompt that ends well is no proof of windows that were never seen: that is a finding, not a status.

    A stage that another one follows was cut off all the same where windows of it are missing, or where a request came
    in between and the other one, but not this one, has a report: then a server was killed and started again without a
    word in the log. A request alone proves nothing, for it may have waited.
    """
    stages = _followed(timeline, stages)
    followed = pl.col("followed")
    own = prompts.pipe(
        selected,
        "lane",
        "prompt",
        pl.col("status").alias("prompt_status"),
        pl.col("duration_s").alias("prompt_s"),
        "executed_place",
    )
    known = completed(in_order(stages, "lane", "place"), own, ["lane", "prompt"])
    behind = (pl.col("place") > pl.col("executed_place")).fill_null(value=False)
    well = (pl.col("prompt_status") == "completed") & ~behind
    finished = pl.col("report_place").is_not_null() | pl.when("next").then(followed).otherwise(well)
    return known.pipe(
        extended,
        pl.when(finished)
        .then(pl.lit("completed"))
        .when("next")
        .then(pl.lit("truncated"))
        .otherwise(pl.when(~behind).then("prompt_status").fill_null("truncated"))
        .alias("status"),
    ).pipe(dropped, "prompt_status", "executed_place", "next", "followed")


def _followed(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """`stages` with `next`, whether another stage of the prompt follows, and `followed`: in order."""
    if stages[:, ["lane", "prompt"]].is_unique().all():
        return stages.pipe(extended, *(pl.lit(value=False).alias(name) for name in ("next", "followed")))
    arrivals = timeline.event("arrival").pipe(selected, "lane", "place", pl.col("place").alias("arrived"))
    ahead = nearest(in_order(stages, "lane", "place"), in_order(arrivals, "lane", "place"), ahead=True)
    behind = {name: pl.col(name).shift(-1).over("lane", "prompt") for name in ("place", "report_place")}
    asked = (pl.col("arrived") < behind["place"]).fill_null(value=False)
    shown = pl.col("observed").is_not_null().any().over("lane", "prompt")
    seen = pl.when(shown).then(pl.col("observed").fill_null(0))
    missing = (pl.col("windowed") & (seen < pl.col("expected_windows"))).fill_null(value=False)
    follows = behind["place"].is_not_null()
    return ahead.pipe(
        extended,
        follows.alias("next"),
        (follows & ~missing & ~(asked & behind["report_place"].is_not_null())).alias("followed"),
    ).pipe(dropped, "arrived")


def reach(prompts: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """`prompts`, those cut off reaching to the last line of their stages: bars are no messages, but they are there."""
    last = stages.pipe(grouped, ["lane", "prompt"], pl.col("end_line").max().alias("stage_end"))
    cut = pl.col("status") == "truncated"
    return (
        completed(prompts, last, ["lane", "prompt"])
        .pipe(
            extended,
            pl.when(cut).then(pl.max_horizontal("end_line", "stage_end")).otherwise("end_line").alias("end_line"),
        )
        .pipe(dropped, "stage_end")
    )


def end_lines(stages: pl.DataFrame, parts: list[pl.DataFrame], prompts: pl.DataFrame) -> pl.DataFrame:
    """stage, end_line: the last line of anything that belongs to a stage (`parts`: stage, line each).

    A stage that did not complete reaches to its prompt's end, where the reason stands.
    """
    last = pl.concat([part.pipe(selected, "stage", "line") for part in parts], how="vertical_relaxed").pipe(
        grouped, ["stage"], pl.col("line").max().alias("last_line")
    )
    ends = prompts.pipe(selected, "lane", "prompt", pl.col("end_line").alias("prompt_end"))
    own = pl.max_horizontal("last_line", "report_line", "line")
    return completed(completed(stages, last, ["stage"]), ends, ["lane", "prompt"]).pipe(
        selected,
        "stage",
        pl.when(pl.col("status") == "completed")
        .then(own)
        .otherwise(pl.max_horizontal("prompt_end", own))
        .alias("end_line"),
    )
