"""Finds the quantization of cached models, which later prompts of the same server start use without logging them.

ComfyUI caches a node's output while its inputs stay the same. It prints the data type of every diffusion model that it
loads. A prompt without such a line therefore uses a model that an earlier prompt of the same start loaded. The cache
may hold several models, so the model is certain only if all loaded models are known and have the same quantization.
"""

from __future__ import annotations

from typing import Final

import polars as pl

UNNAMED: Final = ""
"""The quantization of a run whose prompt loaded an unnamed model. Null means that the prompt loaded no model."""
_START: Final = ("source", "stream", "environment_line")
_STATE: Final = pl.Schema(
    {"source": pl.String, "stream": pl.String, "environment_line": pl.Int64, "quantization": pl.String}
)


class CachedModels:
    """Remembers which models each server start loaded in earlier parts of a log."""

    def __init__(self) -> None:
        self._loaded = pl.DataFrame(schema=_STATE)

    def with_cached_quantization(self, runs: pl.DataFrame) -> pl.DataFrame:
        """`runs` with the quantization of cached models. Pass the parts of each output in order."""
        native = pl.col("producer").is_in(["core", "autosampler"]).fill_null(value=False)
        if not runs.select(native.any()).item():
            return runs
        own = runs.with_row_index("row").filter(native & pl.col("environment_line").is_not_null())
        before = self._loaded.with_columns(pl.lit(None, pl.UInt32).alias("row"))
        every = pl.concat([frame.select(*_STATE, "row") for frame in (before, own)])
        loaded = pl.col("quantization").drop_nulls().first().over(_START)
        differs = (pl.col("quantization") != loaded).fill_null(value=False).cum_sum().over(_START) > 0
        is_behind = pl.col("quantization").is_not_null().cum_sum().over(_START) > 0
        stayed = pl.when(pl.col("quantization").is_null() & is_behind & ~differs).then(loaded)
        found = every.with_columns(pl.coalesce("quantization", stayed).alias("known")).filter(
            pl.col("row").is_not_null()
        )
        self._loaded = (
            every.filter(pl.col("quantization").is_not_null()).select(list(_STATE)).unique(maintain_order=True)
        )
        known = runs.with_row_index("row").join(
            found.select("row", "known"), on="row", how="left", maintain_order="left"
        )
        value = pl.coalesce("known", "quantization")
        return known.with_columns(pl.when(value != UNNAMED).then(value).alias("quantization")).drop("row", "known")
