"""Reads a talking run's window length and real size from the first image that the VAE encodes.

That image is the start image, padded to the window's length. In the last days of 2025 the header printed twice the
size.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.runs.stages import assign_stage
from loganalyzer.runs.timeline import Timeline

_SHAPE: Final = r"^\d+, \d+, (?<frames>\d+), (?<height>\d+), (?<width>\d+)$"


def find_first_encoded(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, vae_window, vae_width, vae_height: from the first encoding in each stage with a window header."""
    encoded = timeline.records("vae-shape").filter(pl.col("direction") == "encoded")
    shape = pl.col("input").str.extract_groups(_SHAPE)
    sizes = (shape.struct.field(name).cast(pl.Int64, strict=False) for name in ("frames", "width", "height"))
    names = ("vae_window", "vae_width", "vae_height")
    parsed = encoded.with_columns(size.alias(name) for size, name in zip(sizes, names, strict=True))
    headed = stages.filter(pl.col("kind") == "header").select("stage")
    return (
        assign_stage(parsed, stages)
        .join(headed, on="stage", how="semi")
        .sort("place")
        .group_by("stage", maintain_order=True)
        .agg(pl.col(names).first())
    )


def with_real_sizes(stages: pl.DataFrame) -> pl.DataFrame:
    """`stages`, with the VAE's width and height if the header printed twice the size."""
    doubled = (pl.col("width") == 2 * pl.col("vae_width")) & (pl.col("height") == 2 * pl.col("vae_height"))
    return stages.with_columns(
        pl.when(doubled).then(f"vae_{name}").otherwise(name).alias(name) for name in ("width", "height")
    ).drop("vae_width", "vae_height")
