"""Reads a stage's size, audio and model quantization from ComfyUI's own lines."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.expectations.quantizations import load_tables
from loganalyzer.runs import native_samplers
from loganalyzer.runs.cached_models import UNNAMED
from loganalyzer.runs.names import quantization_in_name
from loganalyzer.runs.stage_schema import NATIVE, Columns
from loganalyzer.runs.stages import assign_stage
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import group_agg, left_join, unique_by, with_schema

_FACTS: Final[Columns] = {"stage": pl.UInt32, "producer": pl.String, **NATIVE}
_LATENT_PIXELS: Final = 8
_LATENT_FRAMES: Final = 4


def read_facts(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """One row per stage: stage, producer, and the facts of ComfyUI's own stages.

    Columns: native_frames, native_width, native_height, native_steps (from detailed logs), looped_frames, looped_s,
    looped_windows (the auto-sampler's announcement), quantization (`UNNAMED` if the prompt loaded a model that no line
    names), adapter_quantization.
    """
    own = stages.filter(native_samplers.is_native())
    if own.is_empty():
        return with_schema(stages.select("stage").with_columns(pl.lit("wrapper").alias("producer")), _FACTS)
    known = stages.select("stage", "lane", "prompt", native_samplers.is_native().alias("own"))
    for more in (_sampler_details(timeline, stages), _auto_sampler_facts(timeline, stages)):
        known = left_join(known, more, ["stage"])
    for more in (_gguf_quantization(timeline), _quantization_from_names(timeline), _unnamed_loads(timeline)):
        known = left_join(known, more, ["lane", "prompt"])
    looped = pl.col("looped_frames").is_not_null()
    producer = pl.when(~pl.col("own")).then(pl.lit("wrapper")).when(looped).then(pl.lit("autosampler"))
    return with_schema(
        known.with_columns(
            producer.otherwise(pl.lit("core")).alias("producer"),
            pl.when("own").then(pl.coalesce("gguf", "stored", "loads")).alias("quantization"),
            pl.when("own").then("adapter_quantization").alias("adapter_quantization"),
        ),
        _FACTS,
    )


def _sampler_details(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """Frames, size and steps: t latent frames are 4 (t - 1) + 1 frames, and a latent pixel is 8 pixels.

    Only logs of level DETAIL have them, except the frames of stages with context windows.
    """
    shapes = timeline.records("native-sampler").filter(pl.col("model_class").str.contains(load_tables().classes.wan))
    sized = assign_stage(shapes, stages).pipe(
        group_agg,
        ["stage"],
        ((pl.col("latent_frames").last() - 1) * _LATENT_FRAMES + 1).alias("native_frames"),
        (pl.col("latent_width").last() * _LATENT_PIXELS).alias("native_width"),
        (pl.col("latent_height").last() * _LATENT_PIXELS).alias("native_height"),
    )
    steps = assign_stage(timeline.records("native-first-step"), stages).pipe(
        group_agg, ["stage"], pl.col("steps").last().alias("native_steps")
    )
    context = assign_stage(timeline.records("native-context-windows"), stages).pipe(
        group_agg, ["stage"], ((pl.col("latent_frames").last() - 1) * _LATENT_FRAMES + 1).alias("context_frames")
    )
    every = (frame.filter(pl.col("stage").is_not_null()) for frame in (sized, steps, context))
    found = stages.select("stage")
    for more in every:
        found = left_join(found, more, ["stage"])
    return found.with_columns(pl.coalesce("native_frames", "context_frames").alias("native_frames"))


def _auto_sampler_facts(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, looped_frames, looped_s, looped_windows: the audio and the passes that the auto-sampler announces."""
    audio = assign_stage(timeline.records("auto-sampler-audio"), stages).pipe(
        group_agg,
        ["stage"],
        pl.col("audio_frames").last().alias("looped_frames"),
        pl.col("seconds").last().alias("looped_s"),
    )
    passes = assign_stage(timeline.records("auto-sampler-passes"), stages).pipe(
        group_agg, ["stage"], pl.col("announced_windows").last().alias("looped_windows")
    )
    found = stages.select("stage")
    for more in (audio, passes):
        found = left_join(found, more.filter(pl.col("stage").is_not_null()), ["stage"])
    return found


def _unnamed_loads(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, loads (`UNNAMED`): the prompts that loaded any diffusion model."""
    found = unique_by(timeline.records("model-dtype").select("lane", "prompt"), "lane", "prompt")
    return found.with_columns(pl.lit(UNNAMED).alias("loads"))


def _gguf_quantization(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, gguf: the quantization from the tensor counts of the loaded Wan file; null if two files differ."""
    printed = timeline.records("gguf-types")
    counts = pl.col("types").str.extract_all(r"\w+ \(\d{1,9}\)")
    tensors = counts.list.eval(pl.element().str.extract(r"\((\d+)\)").cast(pl.Int64)).list.sum()
    quantized = pl.col("types").str.extract_all(r"Q\w+ \(\d{1,9}\)").list.sort().list.join(", ")
    known = pl.DataFrame(
        load_tables().mixtures, schema={"tensors": pl.Int64, "mixture": pl.String, "gguf": pl.String}, orient="row"
    )
    counted = printed.with_columns(tensors.alias("tensors"), quantized.alias("mixture"))
    return _agreed_value(left_join(counted, known, ["tensors", "mixture"]), "gguf")


def _quantization_from_names(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, stored, adapter_quantization: from the file names of the diffusion model and the adapter.

    Of several diffusion models, those with Wan or InfiniteTalk in the name count.
    """
    storage = load_tables().storage
    path = pl.col("path").str.replace_all(r"[\\/]+", "/")
    files = (
        timeline.records("storage-policy")
        .with_columns(pl.col("paths").str.extract_all(r"'[^']*'|\"[^\"]*\"").alias("path"))
        .explode("path")
        .with_columns(path.str.strip_chars("'\"").alias("path"))
    )
    named = files.with_columns(
        pl.col("path").str.split("/").list.last().alias("name"),
        pl.col("path").str.split("/").list.head(-1).alias("folders"),
    )
    named = named.with_columns(quantization_in_name("name", storage.precisions).alias("stored"))

    def inside(folders: tuple[str, ...]) -> pl.Expr:
        return pl.col("folders").list.eval(pl.element().is_in(list(folders))).list.any().fill_null(value=False)

    models = named.filter(inside(storage.diffusion_folders))
    is_wan = pl.col("name").str.to_lowercase().str.contains("wan|infinitetalk")
    wan = is_wan | ~is_wan.any().over("lane", "prompt")
    adapters = named.filter(inside(storage.adapter_folders)).rename({"stored": "adapter_quantization"})
    found = _agreed_value(models.filter(wan), "stored")
    return found.join(_agreed_value(adapters, "adapter_quantization"), on=["lane", "prompt"], how="full", coalesce=True)


def _agreed_value(found: pl.DataFrame, name: str) -> pl.DataFrame:
    """lane, prompt, `name`: the value on which all rows of a prompt agree; else null."""
    value = pl.col(name).drop_nulls()
    return found.pipe(group_agg, ["lane", "prompt"], pl.when(value.n_unique() == 1).then(value.first()).alias(name))
