"""Models that stayed loaded: a later prompt of a server start, whose loader did not run again, prints nothing of them.

ComfyUI keeps what a node gave as long as its inputs are the same. It prints the data type of every diffusion model that
it loads, so that a prompt without such a line uses a model that an earlier prompt of the same start loaded. Which one
is certain only where all of these are known and the same, for the cache may hold several.
"""

from __future__ import annotations

from typing import Final

import polars as pl

UNNAMED: Final = ""
"""The quantization of a run whose prompt loaded a model that the log does not name; null where it loaded none."""
_START: Final = ("source", "stream", "environment_line")
_STATE: Final = pl.Schema(
    {"source": pl.String, "stream": pl.String, "environment_line": pl.Int64, "quantization": pl.String}
)


class CachedModels:
    """What the server starts of the parts before have loaded."""

    def __init__(self) -> None:
        self._loaded = pl.DataFrame(schema=_STATE)

    def named(self, runs: pl.DataFrame) -> pl.DataFrame:
        """`runs`, the next part of each output in order, with the quantization of models that stayed loaded."""
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
