"""Reads a stage's audio, windows, steps, model, LoRAs and memory peaks from the lines of standalone programs."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.expectations.quantizations import load_tables
from loganalyzer.runs import program_samplers
from loganalyzer.runs.names import quantization_in_name
from loganalyzer.runs.stages import assign_stage
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import group_agg, join_nearest, left_join, sort_by, with_schema

_FACTS: Final = pl.Schema(
    {
        "stage": pl.UInt32,
        "program_frames": pl.Int64,
        "program_s": pl.Float64,
        "program_windows": pl.Int64,
        "program_steps": pl.Int64,
        "program_quantization": pl.String,
        "model_mode": pl.String,
        "saved_frames": pl.Int64,
    }
)
_MODE: Final = r"(?i)(infinitetalk|multitalk)"


def read_facts(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """One row per stage: the values that its program prints, columns as in `_FACTS`; null for other stages."""
    own = stages.filter(program_samplers.is_program())
    if own.is_empty():
        return with_schema(stages.select("stage"), _FACTS)
    found = own
    for more in (
        _last_values(timeline, stages, "program-audio", program_frames="audio_frames", program_s="seconds"),
        _last_values(timeline, stages, "program-windows", program_windows="announced_windows"),
        _last_values(timeline, stages, "program-run", run_steps="steps", quant="quant", announced_by="program"),
        _last_values(timeline, stages, "program-step", step_total="total"),
        _saved_frames(timeline, stages),
        _model_facts(timeline, own),
    ):
        found = left_join(found, more, ["stage"])
    announced = pl.when(pl.col("announced_by").is_not_null()).then(pl.coalesce("quant", "unquantized"))
    merged = found.with_columns(
        pl.coalesce("run_steps", "step_total").alias("program_steps"),
        pl.coalesce(announced, "stored").alias("program_quantization"),
    )
    return left_join(stages.select("stage"), with_schema(merged, _FACTS), ["stage"])


def _last_values(timeline: Timeline, stages: pl.DataFrame, event: str, **names: str) -> pl.DataFrame:
    """stage, and the last values of an event's fields (`names`: column to field)."""
    assigned = assign_stage(timeline.records(event), stages).filter(pl.col("stage").is_not_null())
    return assigned.pipe(group_agg, ["stage"], *(pl.col(field).last().alias(name) for name, field in names.items()))


def _saved_frames(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, saved_frames: from a bar that shows that all frames were written."""
    written = timeline.records("program-saved").filter(pl.col("n") == pl.col("total"))
    assigned = assign_stage(written, stages).filter(pl.col("stage").is_not_null())
    return assigned.pipe(group_agg, ["stage"], pl.col("total").last().alias("saved_frames"))


def _model_facts(timeline: Timeline, own: pl.DataFrame) -> pl.DataFrame:
    """stage, stored, model_mode: from the names of the last files loaded above a stage.

    The files of one load are printed together. The first analyzed file is the model, the others are its parts.
    """
    loaded = program_samplers.find_models(timeline).filter(pl.col("is_analyzed"))
    if loaded.is_empty():
        return with_schema(own.select("stage"), {"stage": pl.UInt32, "stored": pl.String, "model_mode": pl.String})
    bars = timeline.bars["bare-bar"].select("lane", "place", pl.col("place").alias("bar_place"))
    load = join_nearest(loaded, sort_by(bars, "lane", "place")).with_columns(pl.col("bar_place").fill_null(-1))
    named = load.with_columns(
        quantization_in_name("name", load_tables().storage.precisions).alias("stored"),
        pl.col("name").str.extract(_MODE, 1).str.to_lowercase().alias("model_mode"),
    )
    keys = ["lane", "bar_place"]
    by_load = named.pipe(
        group_agg,
        keys,
        pl.col("place").max().alias("place"),
        pl.col("stored").drop_nulls().first(),
        pl.col("model_mode").drop_nulls().first(),
    )
    opened = own.select("stage", "lane", "place").pipe(sort_by, "lane", "place")
    return join_nearest(opened, by_load.pipe(sort_by, "lane", "place")).select("stage", "stored", "model_mode")


def find_loras(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, place, name, strength, line: the LoRAs in the arguments that programs print."""
    printed = timeline.records("program-run").filter(pl.col("loras").is_not_null())
    listed = printed.select(
        "lane",
        "prompt",
        "place",
        "line",
        pl.col("loras").str.extract_all(r"'[^']*'|\"[^\"]*\"").alias("name"),
        pl.col("strengths").str.extract_all(r"-?[0-9.]+(?:e-?[0-9]+)?").alias("strength"),
    )
    fits = pl.col("strength").list.len() == pl.col("name").list.len()
    no_strengths = pl.col("name").list.eval(pl.lit(None, pl.String))
    paired = listed.with_columns(pl.when(fits).then("strength").otherwise(no_strengths).alias("strength"))
    name = pl.col("name").str.strip_chars("'\"").str.split("/").list.last().str.strip_suffix(".safetensors")
    return paired.explode("name", "strength").drop_nulls("name").with_columns(name.alias("name"))


def find_peaks(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, peak_allocated_gib, peak_reserved_gib, peak_covers, peak_line: the highest peak in the stage's lines.

    The peak covers the complete stage if every window has its own line, because such a line covers everything.
    """
    names = ("program-step-cost", "program-window-cost")
    printed = pl.concat(
        [
            assign_stage(timeline.records(name), stages).select(
                "stage", "line", "peak_allocated_gib", "peak_reserved_gib", pl.lit(name).alias("event")
            )
            for name in names
        ]
    )
    known = printed.filter(pl.col("stage").is_not_null() & pl.col("peak_allocated_gib").is_not_null())
    started = assign_stage(timeline.records("program-window"), stages).filter(pl.col("stage").is_not_null())
    counted = started.pipe(group_agg, ["stage"], pl.col("window").n_unique().alias("started"))
    highest = known.pipe(
        group_agg,
        ["stage"],
        pl.col("line").get(pl.col("peak_allocated_gib").arg_max()).alias("peak_line"),
        pl.col("peak_allocated_gib").max(),
        pl.col("peak_reserved_gib").max(),
        (pl.col("event") == names[1]).sum().alias("covered"),
    )
    covers = pl.when((pl.col("covered") >= pl.col("started")).fill_null(value=False)).then(pl.lit("stage"))
    return left_join(highest, counted, ["stage"]).select(
        "stage", "peak_allocated_gib", "peak_reserved_gib", covers.alias("peak_covers"), "peak_line"
    )
