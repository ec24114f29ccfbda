"""What the lines before a stage say about it: mode, audio, LoRA, block swap, and the server's banner."""

from __future__ import annotations

import polars as pl

from loganalyzer.expectations.names import DISTILL_LORA, LORA_RANK
from loganalyzer.rows import completed, only
from loganalyzer.runs.stages import assign, assign_ahead
from loganalyzer.runs.timeline import Timeline


def ahead(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """One row per stage, with what precedes it.

    Columns: stage, mode_line, feature_frames, speakers, mirrored_line, requested_frames, audio_s, is_s2v, is_animate,
    swapped_blocks, lora_rank, frames_early, announced_early, window_early, motion_early.
    """
    found = stages.select("stage", "lane", "prompt")
    for part in (_mode(timeline, stages), _audio(timeline, stages), _early_schedule(timeline, stages)):
        found = completed(found, part, ["stage"])
    model = _model(timeline, stages)
    return completed(found, model, ["stage"]).drop("lane", "prompt").sort("stage")


def _last(timeline: Timeline, stages: pl.DataFrame, event: str, *values: pl.Expr) -> pl.DataFrame:
    """The last record of an event before each stage (and behind the stage before): stage and the values."""
    found = only(assign_ahead(timeline.event(event), stages), pl.col("stage").is_not_null())
    if found.is_empty():
        return found.select("stage", *values)
    return found.sort("stage", "place").group_by("stage", maintain_order=True).agg(value.last() for value in values)


def _mode(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    found = stages.select("stage")
    true = pl.lit(value=True)
    for part in (
        _last(timeline, stages, "mode", pl.col("mode").str.to_lowercase().alias("mode_line")),
        _last(timeline, stages, "silence-missing", true.alias("mirrored_line")),
        _last(timeline, stages, "s2v-embeds", true.alias("is_s2v")),
        _last(timeline, stages, "wananimate", true.alias("is_animate")),
    ):
        found = completed(found, part, ["stage"])
    return found


def _audio(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    frames = (
        pl.col("shapes").str.extract_all(r"\(\d+").list.eval(pl.element().str.slice(1).cast(pl.Int64, strict=False))
    )
    found = stages.select("stage")
    for part in (
        _last(
            timeline,
            stages,
            "audio-features",
            frames.list.first().alias("feature_frames"),
            frames.list.len().cast(pl.Int64).alias("speakers"),
        ),
        _last(timeline, stages, "audio-shorter", pl.col("requested").alias("requested_frames")),
        _last(timeline, stages, "audio-duration", pl.col("seconds").alias("raw_s")),
        _last(timeline, stages, "audio-mix", pl.col("seconds").alias("mixed_s")),
    ):
        found = completed(found, part, ["stage"])
    return found.with_columns(pl.coalesce("mixed_s", "raw_s").alias("audio_s")).drop("mixed_s", "raw_s")


def _early_schedule(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """The revision of 2025-08-19 printed W and M, and its estimate, on lines of their own; behind its header."""
    told = (
        assign(timeline.event("schedule-announced"), stages)
        .group_by("stage")
        .agg(
            pl.col("audio_frames").last().alias("frames_early"),
            pl.col("window_frames").last().alias("window_early"),
            pl.col("motion_frames").last().alias("motion_early"),
        )
    )
    estimate = (
        assign(timeline.event("estimated-iterations"), stages)
        .group_by("stage")
        .agg(pl.col("announced_windows").last().alias("announced_early"))
    )
    return completed(completed(stages.select("stage"), told, ["stage"]), estimate, ["stage"])


def loras(timeline: Timeline) -> pl.DataFrame:
    """One row per loaded LoRA: lane, prompt, place, name, rank, strength, line. The rank is in the name or unknown."""
    return timeline.event("lora").select(
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
    swaps = timeline.event("block-swap").select("lane", "prompt", "place", "blocks")
    keys = ["lane", "prompt"]
    opened = stages.select("stage", *keys, pl.col("place").alias("stage_place"))
    before = pl.col("place") < pl.col("stage_place")
    rank = (
        opened.join(ranked.with_columns(distill.alias("distill")), on=keys, how="inner")
        .filter(before)
        .sort("stage", "distill", "place")
        .group_by("stage")
        .agg(pl.col("rank").last().alias("lora_rank"))
    )
    swapped = (
        opened.join(swaps, on=keys, how="inner")
        .filter(before)
        .sort("stage", "place")
        .group_by("stage")
        .agg(pl.col("blocks").last().alias("swapped_blocks"))
    )
    return completed(completed(stages.select("stage"), rank, ["stage"]), swapped, ["stage"])


def banners(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """The last startup banner above each stage: stage, gpu, total_vram_gib, comfyui_version, torch_version."""
    found = stages.select("stage", "lane", "place").sort("place")
    for event, column in (
        ("device", "gpu"),
        ("total-vram", "total_vram_gib"),
        ("comfyui-version", "comfyui_version"),
        ("torch-version", "torch_version"),
    ):
        known = timeline.event(event).select("lane", "place", column).sort("place")
        found = found.join_asof(known, on="place", by="lane", strategy="backward", check_sortedness=False)
    return found.drop("lane", "place").sort("stage")
