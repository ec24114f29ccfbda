"""What programs that sample by themselves say of a stage: audio, windows, steps, model, LoRAs and memory peaks."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.expectations.quantizations import load_tables
from loganalyzer.runs import program_samplers
from loganalyzer.runs.names import precision
from loganalyzer.runs.stages import assign
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


def facts(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """One row per stage: stage, and what its program prints, see `_FACTS`; null for other stages."""
    own = stages.filter(program_samplers.is_program())
    if own.is_empty():
        return with_schema(stages.select("stage"), _FACTS)
    found = own
    for more in (
        _last(timeline, stages, "program-audio", program_frames="audio_frames", program_s="seconds"),
        _last(timeline, stages, "program-windows", program_windows="announced_windows"),
        _last(timeline, stages, "program-run", run_steps="steps", quant="quant", announced_by="program"),
        _last(timeline, stages, "program-step", step_total="total"),
        _saved(timeline, stages),
        _model(timeline, own),
    ):
        found = left_join(found, more, ["stage"])
    announced = pl.when(pl.col("announced_by").is_not_null()).then(pl.coalesce("quant", "unquantized"))
    told = found.with_columns(
        pl.coalesce("run_steps", "step_total").alias("program_steps"),
        pl.coalesce(announced, "stored").alias("program_quantization"),
    )
    return left_join(stages.select("stage"), with_schema(told, _FACTS), ["stage"])


def _last(timeline: Timeline, stages: pl.DataFrame, event: str, **names: str) -> pl.DataFrame:
    """stage, and the last values that an event's records give it: new name to hole."""
    told = assign(timeline.event(event), stages).filter(pl.col("stage").is_not_null())
    return told.pipe(group_agg, ["stage"], *(pl.col(hole).last().alias(name) for name, hole in names.items()))


def _saved(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, saved_frames: of a bar that shows all frames written."""
    written = timeline.event("program-saved").filter(pl.col("n") == pl.col("total"))
    told = assign(written, stages).filter(pl.col("stage").is_not_null())
    return told.pipe(group_agg, ["stage"], pl.col("total").last().alias("saved_frames"))


def _model(timeline: Timeline, own: pl.DataFrame) -> pl.DataFrame:
    """stage, stored, model_mode: by the names of the files that were loaded last above a stage.

    Several files of one load stand together; the first that is analyzed is the model, others are its parts.
    """
    loaded = program_samplers.models(timeline).filter(pl.col("is_analyzed"))
    if loaded.is_empty():
        return with_schema(own.select("stage"), {"stage": pl.UInt32, "stored": pl.String, "model_mode": pl.String})
    bars = timeline.bars["bare-bar"].select("lane", "place", pl.col("place").alias("bar_place"))
    load = join_nearest(loaded, sort_by(bars, "lane", "place")).with_columns(pl.col("bar_place").fill_null(-1))
    named = load.with_columns(
        precision("name", load_tables().storage.precisions).alias("stored"),
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


def loras(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, place, name, strength, line of LoRAs in the arguments that programs print."""
    told = timeline.event("program-run").filter(pl.col("loras").is_not_null())
    listed = told.select(
        "lane",
        "prompt",
        "place",
        "line",
        pl.col("loras").str.extract_all(r"'[^']*'|\"[^\"]*\"").alias("name"),
        pl.col("strengths").str.extract_all(r"-?[0-9.]+(?:e-?[0-9]+)?").alias("strength"),
    )
    fits = pl.col("strength").list.len() == pl.col("name").list.len()
    none = pl.col("name").list.eval(pl.lit(None, pl.String))
    paired = listed.with_columns(pl.when(fits).then("strength").otherwise(none).alias("strength"))
    name = pl.col("name").str.strip_chars("'\"").str.split("/").list.last().str.strip_suffix(".safetensors")
    return paired.explode("name", "strength").drop_nulls("name").with_columns(name.alias("name"))


def peaks(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, peak_allocated_gib, peak_reserved_gib, peak_covers, peak_line: the highest of what the stage's lines say.

    It covers the stage where every window has a line of its own, in which nothing is left out.
    """
    names = ("program-step-cost", "program-window-cost")
    told = pl.concat(
        [
            assign(timeline.event(name), stages).select(
                "stage", "line", "peak_allocated_gib", "peak_reserved_gib", pl.lit(name).alias("event")
            )
            for name in names
        ]
    )
    known = told.filter(pl.col("stage").is_not_null() & pl.col("peak_allocated_gib").is_not_null())
    begun = assign(timeline.event("program-window"), stages).filter(pl.col("stage").is_not_null())
    counted = begun.pipe(group_agg, ["stage"], pl.col("window").n_unique().alias("begun"))
    highest = known.pipe(
        group_agg,
        ["stage"],
        pl.col("line").get(pl.col("peak_allocated_gib").arg_max()).alias("peak_line"),
        pl.col("peak_allocated_gib").max(),
        pl.col("peak_reserved_gib").max(),
        (pl.col("event") == names[1]).sum().alias("whole"),
    )
    covers = pl.when((pl.col("whole") >= pl.col("begun")).fill_null(value=False)).then(pl.lit("stage"))
    return left_join(highest, counted, ["stage"]).select(
        "stage", "peak_allocated_gib", "peak_reserved_gib", covers.alias("peak_covers"), "peak_line"
    )
