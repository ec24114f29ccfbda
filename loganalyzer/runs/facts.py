"""What the lines before a stage say about it: mode, audio, LoRA, block swap, and the server's banner."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.expectations.names import DISTILL_LORA, LORA_RANK
from loganalyzer.runs import longcat
from loganalyzer.runs.block_sizes import with_block_sizes
from loganalyzer.runs.native import facts as native_facts
from loganalyzer.runs.programs import facts as program_facts
from loganalyzer.runs.stages import assign, assign_ahead
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import group_agg, join_nearest, left_join, sort_by, with_schema


def ahead(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """One row per stage, with what precedes it.

    Columns: stage, mode_line, feature_frames, shortest_frames, speakers, mirrored_line, requested_frames, audio_s,
    is_s2v, is_animate, swapped_blocks, lora_rank, frames_early, announced_early, window_early, motion_early, and those
    of `native_facts`, `program_facts` and `longcat`.
    """
    found = stages.select("stage", "lane", "prompt")
    for part in (
        _said_before(timeline, stages),
        _early_schedule(timeline, stages),
        _model(timeline, stages),
        native_facts.facts(timeline, stages),
        program_facts.facts(timeline, stages),
        longcat.facts(timeline, stages),
        stages.select("stage", "program"),
    ):
        found = left_join(found, part, ["stage"])
    told = found.with_columns(
        pl.coalesce("program", "producer").alias("producer"),
        pl.coalesce("quantization", "program_quantization").alias("quantization"),
    ).drop("lane", "prompt", "program", "program_quantization")
    return with_block_sizes(told, timeline, stages).pipe(sort_by, "stage")


_BEFORE: Final = (
    "mode", "silence-missing", "s2v-embeds", "wananimate",
    "audio-features", "audio-shorter", "audio-duration", "audio-mix",
)  # fmt: skip


def _said_before(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """Of each event the last record before each stage, and behind the stage before; stages of which there is any."""
    every = pl.concat(
        [timeline.event(name).with_columns(pl.lit(name).alias("event")) for name in _BEFORE], how="diagonal"
    )
    told = assign_ahead(every, stages).filter(pl.col("stage").is_not_null()).pipe(sort_by, "stage", "place")

    def last(event: str, value: pl.Expr) -> pl.Expr:
        return value.filter(pl.col("event") == event).last()

    def stands(event: str) -> pl.Expr:
        return pl.when((pl.col("event") == event).any()).then(pl.lit(value=True))

    frames = (
        pl.col("shapes").str.extract_all(r"\(\d+").list.eval(pl.element().str.slice(1).cast(pl.Int64, strict=False))
    )
    return told.pipe(
        group_agg,
        ["stage"],
        last("mode", pl.col("mode").str.to_lowercase()).alias("mode_line"),
        stands("silence-missing").alias("mirrored_line"),
        stands("s2v-embeds").alias("is_s2v"),
        stands("wananimate").alias("is_animate"),
        last("audio-features", frames.list.first()).alias("feature_frames"),
        last("audio-features", frames.list.min()).alias("shortest_frames"),
        last("audio-features", frames.list.len().cast(pl.Int64)).alias("speakers"),
        last("audio-shorter", pl.col("requested")).alias("requested_frames"),
        pl.coalesce(last("audio-mix", pl.col("seconds")), last("audio-duration", pl.col("seconds"))).alias("audio_s"),
    )


def _early_schedule(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """The revision of 2025-08-19 printed W and M, and its estimate, on lines of their own; behind its header.

    Programs that print their arguments say W and M there.
    """
    lines = (timeline.event("schedule-announced"), timeline.event("program-run"))
    printed = ("lane", "place", "prompt", "audio_frames", "window_frames", "motion_frames")
    schedules = pl.concat([with_schema(frame, {name: lines[0].schema[name] for name in printed}) for frame in lines])
    told = assign(schedules, stages).pipe(
        group_agg,
        ["stage"],
        pl.col("audio_frames").last().alias("frames_early"),
        pl.col("window_frames").last().alias("window_early"),
        pl.col("motion_frames").last().alias("motion_early"),
    )
    estimate = assign(timeline.event("estimated-iterations"), stages).pipe(
        group_agg, ["stage"], pl.col("announced_windows").last().alias("announced_early")
    )
    return left_join(left_join(stages.select("stage"), told, ["stage"]), estimate, ["stage"])


def loras(timeline: Timeline) -> pl.DataFrame:
    """One row per loaded LoRA: lane, prompt, place, name, rank, strength, line. The rank is in the name or unknown."""
    frames = (timeline.event("lora"), program_facts.loras(timeline))
    names = ("lane", "prompt", "place", "name", "strength", "line")
    return pl.concat([frame.select(*names) for frame in frames]).select(
        "lane",
        "prompt",
        "place",
        "name",
        pl.col("name").str.extract(LORA_RANK, 1).cast(pl.Int64, strict=False).alias("rank"),
        "strength",
        "line",
    )


def _model(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """What was loaded for the prompt before the stage began; a later stage may use what an earlier one loaded."""
    ranked = loras(timeline).filter(pl.col("rank").is_not_null())
    distill = pl.col("name").str.to_lowercase().str.contains(DISTILL_LORA, literal=True)
    opened = stages.select("stage", "lane", "prompt", "place").pipe(sort_by, "lane", "place")
    ranks = [_loaded(opened, ranked.filter(which), "rank") for which in (distill, ~distill)]
    return opened.select(
        "stage",
        ranks[0].zip_with(ranks[0].is_not_null(), ranks[1]).alias("lora_rank"),
        _loaded(opened, timeline.event("block-swap"), "blocks").alias("swapped_blocks"),
    )


def _loaded(opened: pl.DataFrame, loads: pl.DataFrame, value: str) -> pl.Series:
    """What the last of `loads` (lane, prompt, place, `value`) before each stage says, where that is of its prompt."""
    known = loads.select("lane", "place", pl.col("prompt").alias("its_prompt"), value)
    last = join_nearest(opened, sort_by(known, "lane", "place"))
    own = pl.when(pl.col("its_prompt") == pl.col("prompt")).then(pl.col(value))
    return last.select(own.alias(value)).to_series()


def banners(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """The last startup banner above each stage: stage, gpu, total_vram_gib, comfyui_version, torch_version."""
    found = stages.select("stage", "lane", "place").pipe(sort_by, "place")
    for event, column in (
        ("device", "gpu"),
        ("total-vram", "total_vram_gib"),
        ("comfyui-version", "comfyui_version"),
        ("torch-version", "torch_version"),
    ):
        known = timeline.event(event).select("lane", "place", column).pipe(sort_by, "place")
        found = join_nearest(found, known)
    return found.drop("lane", "place").pipe(sort_by, "stage")
