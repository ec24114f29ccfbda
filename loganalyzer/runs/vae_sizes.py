"""What the first image that the VAE encodes tells of a talking run: its window, and its real size.

It is the start image, padded to the length of the window. In the last days of 2025 the header printed twice the size.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.runs.stages import assign
from loganalyzer.runs.timeline import Timeline

_SHAPE: Final = r"^\d+, \d+, (?<frames>\d+), (?<height>\d+), (?<width>\d+)$"


def first_encoded(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, vae_window, vae_width, vae_height: of the first video encoded in each stage with a window header."""
    encoded = timeline.event("vae-shape").filter(pl.col("direction") == "encoded")
    shape = pl.col("input").str.extract_groups(_SHAPE)
    sizes = (shape.struct.field(name).cast(pl.Int64, strict=False) for name in ("frames", "width", "height"))
    names = ("vae_window", "vae_width", "vae_height")
    read = encoded.with_columns(size.alias(name) for size, name in zip(sizes, names, strict=True))
    headed = stages.filter(pl.col("kind") == "header").select("stage")
    return (
        assign(read, stages)
        .join(headed, on="stage", how="semi")
        .sort("place")
        .group_by("stage", maintain_order=True)
        .agg(pl.col(names).first())
    )


def with_real_sizes(stages: pl.DataFrame) -> pl.DataFrame:
    """`stages` whose width and height are halved where the VAE shows that the header printed twice the size."""
    doubled = (pl.col("width") == 2 * pl.col("vae_width")) & (pl.col("height") == 2 * pl.col("vae_height"))
    return stages.with_columns(
        pl.when(doubled).then(f"vae_{name}").otherwise(name).alias(name) for name in ("width", "height")
    ).drop("vae_width", "vae_height")
