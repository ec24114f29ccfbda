"""Reads facts about a stage from the lines before it: mode, audio, LoRA, block swap, and the server's banner."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.expectations.names import DISTILL_LORA, LORA_RANK
from loganalyzer.runs import longcat
from loganalyzer.runs.block_sizes import with_block_sizes
from loganalyzer.runs.native import facts as native_facts
from loganalyzer.runs.programs import facts as program_facts
from loganalyzer.runs.recorded import samplers as recorded_samplers
from loganalyzer.runs.stages import assign_next_stage, assign_stage
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import group_agg, join_nearest, left_join, sort_by, with_schema


def collect_facts(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """One row per stage with the facts from the lines before it.

    Columns: stage, mode_line, feature_frames, shortest_frames, speakers, mirrored_line, requested_frames, audio_s,
    is_s2v, is_animate, swapped_blocks, lora_rank, frames_early, announced_early, window_early, motion_early, and those
    of `native_facts`, `program_facts`, `longcat` and `recorded_samplers`.
    """
    found = stages.select("stage", "lane", "prompt")
    for part in (
        _facts_before(timeline, stages),
        _stated_schedule(timeline, stages),
        _model_facts(timeline, stages),
        native_facts.read_facts(timeline, stages),
        program_facts.read_facts(timeline, stages),
        longcat.read_facts(timeline, stages),
        recorded_samplers.read_facts(timeline, stages),
        stages.select("stage", "program"),
    ):
        found = left_join(found, part, ["stage"])
    known = found.with_columns(
        pl.coalesce("program", "producer").alias("producer"),
        pl.coalesce("quantization", "program_quantization").alias("quantization"),
    ).drop("lane", "prompt", "program", "program_quantization")
    return with_block_sizes(known, timeline, stages).pipe(_with_recorded_names).pipe(sort_by, "stage")


def _with_recorded_names(known: pl.DataFrame) -> pl.DataFrame:
    """`known` with the quantizations in the recorder's file names where the log proves none, and `quantization_source`.

    The source is null for a quantization that the log proves.
    """
    is_named = pl.col("quantization").is_null() & pl.col("recorded_quantization").is_not_null()
    return known.with_columns(
        pl.coalesce("quantization", "recorded_quantization").alias("quantization"),
        pl.coalesce("adapter_quantization", "recorded_adapter").alias("adapter_quantization"),
        pl.when(is_named).then(pl.lit("recorder")).alias("quantization_source"),
    ).drop("recorded_quantization", "recorded_adapter")


_BEFORE: Final = (
    "mode", "silence-missing", "s2v-embeds", "wananimate",
    "audio-features", "audio-shorter", "audio-duration", "audio-mix",
)  # fmt: skip


def _facts_before(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """The last values of each event between the previous stage and this one; only for stages that have any."""
    every = pl.concat(
        [timeline.records(name).with_columns(pl.lit(name).alias("event")) for name in _BEFORE], how="diagonal"
    )
    assigned = assign_next_stage(every, stages).filter(pl.col("stage").is_not_null()).pipe(sort_by, "stage", "place")

    def last(event: str, value: pl.Expr) -> pl.Expr:
        return value.filter(pl.col("event") == event).last()

    def occurs(event: str) -> pl.Expr:
        return pl.when((pl.col("event") == event).any()).then(pl.lit(value=True))

    frames = (
        pl.col("shapes").str.extract_all(r"\(\d+").list.eval(pl.element().str.slice(1).cast(pl.Int64, strict=False))
    )
    return assigned.pipe(
        group_agg,
        ["stage"],
        last("mode", pl.col("mode").str.to_lowercase()).alias("mode_line"),
        occurs("silence-missing").alias("mirrored_line"),
        occurs("s2v-embeds").alias("is_s2v"),
        occurs("wananimate").alias("is_animate"),
        last("audio-features", frames.list.first()).alias("feature_frames"),
        last("audio-features", frames.list.min()).alias("shortest_frames"),
        last("audio-features", frames.list.len().cast(pl.Int64)).alias("speakers"),
        last("audio-shorter", pl.col("requested")).alias("requested_frames"),
        pl.coalesce(last("audio-mix", pl.col("seconds")), last("audio-duration", pl.col("seconds"))).alias("audio_s"),
    )


def _stated_schedule(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, frames_early, window_early, motion_early, announced_early: the schedule from separate lines.

    The revision of 2025-08-19 printed W, M and its estimate on separate lines after its header. Programs that print
    their arguments state W and M there.
    """
    lines = (timeline.records("schedule-announced"), timeline.records("program-run"))
    printed = ("lane", "place", "prompt", "audio_frames", "window_frames", "motion_frames")
    schedules = pl.concat([with_schema(frame, {name: lines[0].schema[name] for name in printed}) for frame in lines])
    stated = assign_stage(schedules, stages).pipe(
        group_agg,
        ["stage"],
        pl.col("audio_frames").last().alias("frames_early"),
        pl.col("window_frames").last().alias("window_early"),
        pl.col("motion_frames").last().alias("motion_early"),
    )
    estimate = assign_stage(timeline.records("estimated-iterations"), stages).pipe(
        group_agg, ["stage"], pl.col("announced_windows").last().alias("announced_early")
    )
    return left_join(left_join(stages.select("stage"), stated, ["stage"]), estimate, ["stage"])


def find_loras(timeline: Timeline) -> pl.DataFrame:
    """One row per loaded LoRA: lane, prompt, place, name, rank (from the name, or null), strength, line."""
    recorded = recorded_samplers.find_loras(timeline)
    printed = recorded_samplers.without_recorded_prompts(timeline.records("lora"), recorded)
    frames = (printed, recorded, program_facts.find_loras(timeline))
    names = ("lane", "prompt", "place", "name", "strength", "line")
    every = pl.concat([frame.select(*names) for frame in frames]).pipe(sort_by, "lane", "place")
    return every.select(
        "lane",
        "prompt",
        "place",
        "name",
        pl.col("name").str.extract(LORA_RANK, 1).cast(pl.Int64, strict=False).alias("rank"),
        "strength",
        "line",
    )


def _model_facts(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, lora_rank, swapped_blocks: loaded in the prompt before the stage, perhaps for an earlier stage."""
    ranked = find_loras(timeline).filter(pl.col("rank").is_not_null())
    distill = pl.col("name").str.to_lowercase().str.contains(DISTILL_LORA, literal=True)
    opened = stages.select("stage", "lane", "prompt", "place").pipe(sort_by, "lane", "place")
    ranks = [_last_loaded(opened, ranked.filter(which), "rank") for which in (distill, ~distill)]
    return opened.select(
        "stage",
        ranks[0].zip_with(ranks[0].is_not_null(), ranks[1]).alias("lora_rank"),
        _last_loaded(opened, timeline.records("block-swap"), "blocks").alias("swapped_blocks"),
    )


def _last_loaded(opened: pl.DataFrame, loads: pl.DataFrame, value: str) -> pl.Series:
    """`value` of the last row of `loads` (lane, prompt, place, `value`) before each stage, if from the same prompt."""
    known = loads.select("lane", "place", pl.col("prompt").alias("its_prompt"), value)
    last = join_nearest(opened, sort_by(known, "lane", "place"))
    own = pl.when(pl.col("its_prompt") == pl.col("prompt")).then(pl.col(value))
    return last.select(own.alias(value)).to_series()


def _with_whole_mib(starts: pl.DataFrame) -> pl.DataFrame:
    """The recorder's starts with the GPU's memory in whole MiB, as ComfyUI prints it: both are then equal."""
    return starts.with_columns((pl.col("total_vram_gib") * 1024).round() / 1024)


def find_banners(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, gpu, total_vram_gib, comfyui_version, torch_version: from the last startup banner above each stage."""
    found = stages.select("stage", "lane", "place").pipe(sort_by, "place")
    for event, column in (
        ("device", "gpu"),
        ("total-vram", "total_vram_gib"),
        ("comfyui-version", "comfyui_version"),
        ("torch-version", "torch_version"),
    ):
        recorded = _with_whole_mib(timeline.records("recorder-start").drop_nulls(column))
        both = [frame.select("lane", "place", column) for frame in (timeline.records(event), recorded)]
        known = pl.concat([frame for frame in both if not frame.is_empty()] or both).pipe(sort_by, "place")
        found = join_nearest(found, known)
    return found.drop("lane", "place").pipe(sort_by, "stage")
