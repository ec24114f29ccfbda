"""What ComfyUI's own lines tell of a stage: its size, its audio, and the quantization of the model that was loaded."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.expectations.quantizations import load_tables
from loganalyzer.runs import native_samplers
from loganalyzer.runs.cached_models import UNNAMED
from loganalyzer.runs.names import precision
from loganalyzer.runs.stages import assign
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import group_agg, left_join, unique_by, with_schema

_FACTS: Final = pl.Schema(
    {
        "stage": pl.UInt32,
        "producer": pl.String,
        "native_frames": pl.Int64,
        "native_width": pl.Int64,
        "native_height": pl.Int64,
        "native_steps": pl.Int64,
        "looped_frames": pl.Int64,
        "looped_s": pl.Float64,
        "looped_windows": pl.Int64,
        "quantization": pl.String,
        "adapter_quantization": pl.String,
    }
)
_LATENT_PIXELS: Final = 8
_LATENT_FRAMES: Final = 4


def facts(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """One row per stage: stage, producer, and, of ComfyUI's own stages, what the lines around them say.

    Columns: native_frames, native_width, native_height, native_steps (from detailed logs), looped_frames, looped_s,
    looped_windows (the auto-sampler's announcement), quantization (`UNNAMED` where a model was loaded that no line
    names), adapter_quantization.
    """
    own = stages.filter(native_samplers.is_native())
    if own.is_empty():
        return with_schema(stages.select("stage").with_columns(pl.lit("wrapper").alias("producer")), _FACTS)
    known = stages.select("stage", "lane", "prompt", native_samplers.is_native().alias("own"))
    for more in (_details(timeline, stages), _looped(timeline, stages)):
        known = left_join(known, more, ["stage"])
    for more in (_gguf(timeline), _stored(timeline), _loads(timeline)):
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


def _details(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """Frames, size and steps: 4 (t - 1) + 1 frames, 8 pixels a latent one.

    Only logs of level DETAIL tell them, but for the frames of stages with context windows.
    """
    shapes = timeline.event("native-sampler").filter(pl.col("model_class").str.contains(load_tables().classes.wan))
    sized = assign(shapes, stages).pipe(
        group_agg,
        ["stage"],
        ((pl.col("latent_frames").last() - 1) * _LATENT_FRAMES + 1).alias("native_frames"),
        (pl.col("latent_width").last() * _LATENT_PIXELS).alias("native_width"),
        (pl.col("latent_height").last() * _LATENT_PIXELS).alias("native_height"),
    )
    steps = assign(timeline.event("native-first-step"), stages).pipe(
        group_agg, ["stage"], pl.col("steps").last().alias("native_steps")
    )
    whole = assign(timeline.event("native-context-windows"), stages).pipe(
        group_agg, ["stage"], ((pl.col("latent_frames").last() - 1) * _LATENT_FRAMES + 1).alias("context_frames")
    )
    every = (frame.filter(pl.col("stage").is_not_null()) for frame in (sized, steps, whole))
    found = stages.select("stage")
    for more in every:
        found = left_join(found, more, ["stage"])
    return found.with_columns(pl.coalesce("native_frames", "context_frames").alias("native_frames"))


def _looped(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """What the auto-sampler announces of the audio and of its passes."""
    audio = assign(timeline.event("auto-sampler-audio"), stages).pipe(
        group_agg,
        ["stage"],
        pl.col("audio_frames").last().alias("looped_frames"),
        pl.col("seconds").last().alias("looped_s"),
    )
    passes = assign(timeline.event("auto-sampler-passes"), stages).pipe(
        group_agg, ["stage"], pl.col("announced_windows").last().alias("looped_windows")
    )
    found = stages.select("stage")
    for more in (audio, passes):
        found = left_join(found, more.filter(pl.col("stage").is_not_null()), ["stage"])
    return found


def _loads(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, loads (`UNNAMED`): prompts that loaded any diffusion model."""
    found = unique_by(timeline.event("model-dtype").select("lane", "prompt"), "lane", "prompt")
    return found.with_columns(pl.lit(UNNAMED).alias("loads"))


def _gguf(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, gguf: by the tensors of the Wan file that the prompt loaded; null where two differ."""
    told = timeline.event("gguf-types")
    counts = pl.col("types").str.extract_all(r"\w+ \(\d{1,9}\)")
    tensors = counts.list.eval(pl.element().str.extract(r"\((\d+)\)").cast(pl.Int64)).list.sum()
    quantized = pl.col("types").str.extract_all(r"Q\w+ \(\d{1,9}\)").list.sort().list.join(", ")
    known = pl.DataFrame(
        load_tables().mixtures, schema={"tensors": pl.Int64, "mixture": pl.String, "gguf": pl.String}, orient="row"
    )
    read = told.with_columns(tensors.alias("tensors"), quantized.alias("mixture"))
    return _agreed(left_join(read, known, ["tensors", "mixture"]), "gguf")


def _stored(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, stored, adapter_quantization: by the names of the diffusion model's and the adapter's files.

    Of several diffusion models the one that is called after Wan counts.
    """
    storage = load_tables().storage
    path = pl.col("path").str.replace_all(r"[\\/]+", "/")
    files = (
        timeline.event("storage-policy")
        .with_columns(pl.col("paths").str.extract_all(r"'[^']*'|\"[^\"]*\"").alias("path"))
        .explode("path")
        .with_columns(path.str.strip_chars("'\"").alias("path"))
    )
    named = files.with_columns(
        pl.col("path").str.split("/").list.last().alias("name"),
        pl.col("path").str.split("/").list.head(-1).alias("folders"),
    )
    named = named.with_columns(precision("name", storage.precisions).alias("stored"))

    def inside(folders: tuple[str, ...]) -> pl.Expr:
        return pl.col("folders").list.eval(pl.element().is_in(list(folders))).list.any().fill_null(value=False)

    models = named.filter(inside(storage.diffusion_folders))
    is_wan = pl.col("name").str.to_lowercase().str.contains("wan|infinitetalk")
    wan = is_wan | ~is_wan.any().over("lane", "prompt")
    adapters = named.filter(inside(storage.adapter_folders)).rename({"stored": "adapter_quantization"})
    found = _agreed(models.filter(wan), "stored")
    return found.join(_agreed(adapters, "adapter_quantization"), on=["lane", "prompt"], how="full", coalesce=True)


def _agreed(found: pl.DataFrame, name: str) -> pl.DataFrame:
    """lane, prompt, `name`: what all rows of a prompt that tell it agree on."""
    value = pl.col(name).drop_nulls()
    return found.pipe(group_agg, ["lane", "prompt"], pl.when(value.n_unique() == 1).then(value.first()).alias(name))
