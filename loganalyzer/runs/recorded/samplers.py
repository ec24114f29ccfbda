"""Finds the recorder's sampler of each stage, and the settings that the graph has for it."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.runs.stages import assign_stage
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import anti_join, group_agg, left_join, semi_join, sort_by, unique_by, with_schema

_OF_PROMPT: Final = ("lane", "prompt")
FACTS: Final = pl.Schema(
    {
        "stage": pl.UInt32,
        "model": pl.String,
        "adapter": pl.String,
        "sampler_attention": pl.String,
        "model_line": pl.Int64,
        "recorded_quantization": pl.String,
        "recorded_adapter": pl.String,
        "recorded_frames": pl.Int64,
        "recorded_window": pl.Int64,
        "recorded_motion": pl.Int64,
        "recorded_width": pl.Int64,
        "recorded_height": pl.Int64,
        "recorded_steps": pl.Int64,
        "recorded_s": pl.Float64,
    }
)
"""The columns of `read_facts`. `model` and `adapter` are file names; `model_line` is the line that names them."""
_NAMES: Final = {
    "line": "model_line",
    "quantization": "recorded_quantization",
    "adapter_quantization": "recorded_adapter",
    "requested_frames": "recorded_frames",
    "window_frames": "recorded_window",
    "motion_frames": "recorded_motion",
    "width": "recorded_width",
    "height": "recorded_height",
    "steps": "recorded_steps",
    "audio_s": "recorded_s",
}


def read_facts(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """One row per stage with the settings of its sampler; columns as in `FACTS`, null without recorder lines."""
    samplers = _known_samplers(timeline)
    if samplers.is_empty():
        return with_schema(stages.select("stage"), FACTS)
    settings = samplers.drop("place").rename(_NAMES)
    owned = left_join(stages.select("stage", *_OF_PROMPT), find_nodes(timeline, stages), ["stage"])
    known = owned.join(settings, on=[*_OF_PROMPT, "node_id"], how="left", maintain_order="left")
    gguf = pl.col("recorded_quantization").str.contains(r"(?i)^Q[2-8]_")
    upper = pl.col("recorded_quantization").str.to_uppercase()
    return with_schema(
        known.with_columns(pl.when(gguf).then(upper).otherwise("recorded_quantization").alias("recorded_quantization")),
        FACTS,
    )


def find_nodes(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, node_id: the sampler node that a stage ran in.

    The stage's step lines name it, else the first line about the end of a sampler node. A prompt with a single sampler
    has no other. Stages without any of these have no row.
    """
    samplers = _known_samplers(timeline)
    ended = find_sampler_ends(timeline, stages).pipe(
        group_agg, ["stage"], pl.col("node_id").first().alias("ended_node")
    )
    steps = assign_stage(timeline.records("recorder-step"), stages).filter(pl.col("stage").is_not_null())
    stepped = steps.pipe(group_agg, ["stage"], pl.col("node_id").drop_nulls().first().alias("step_node"))
    alone = samplers.pipe(
        group_agg,
        list(_OF_PROMPT),
        pl.when(pl.len() == 1).then(pl.col("node_id").first()).first().alias("only_node"),
    )
    found = stages.select("stage", *_OF_PROMPT)
    for more, keys in ((stepped, ["stage"]), (ended, ["stage"]), (alone, list(_OF_PROMPT))):
        found = left_join(found, more, keys)
    node = pl.coalesce("step_node", "ended_node", "only_node")
    return found.select("stage", node.alias("node_id")).drop_nulls()


def find_sampler_ends(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """The recorder's lines about the ends of sampler nodes, in order, with the stage that each belongs to."""
    samplers = _known_samplers(timeline)
    ends = semi_join(timeline.records("recorder-node"), samplers, [*_OF_PROMPT, "node_id"])
    return assign_stage(ends, stages).filter(pl.col("stage").is_not_null()).pipe(sort_by, "stage", "place")


def _known_samplers(timeline: Timeline) -> pl.DataFrame:
    """The recorder's sampler lines, one per prompt and node."""
    named = timeline.records("recorder-sampler").filter(pl.col("node_id").is_not_null())
    return unique_by(sort_by(named, "lane", "place"), *_OF_PROMPT, "node_id")


def find_loras(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, place, name, strength, line: the LoRAs in the graph of each prompt, once each."""
    listed = timeline.records("recorder-lora").filter(pl.col("name").is_not_null())
    known = listed.with_columns(
        pl.col("name").str.replace(r"(?i)\.(safetensors|pt|pth|ckpt)$", ""), pl.col("strength").cast(pl.String)
    )
    return unique_by(sort_by(known, "lane", "place"), *_OF_PROMPT, "name", "strength")


def without_recorded_prompts(loras: pl.DataFrame, recorded: pl.DataFrame) -> pl.DataFrame:
    """`loras` of the prompts whose LoRAs the recorder does not list: its list is complete, and nothing counts twice."""
    return anti_join(loras, recorded, *_OF_PROMPT)
