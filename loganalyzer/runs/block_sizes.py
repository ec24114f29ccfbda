"""The wrapper's block swap summary names the quantization exactly: one model and adapter have blocks of that size."""

from __future__ import annotations

import polars as pl

from loganalyzer.expectations.quantizations import load_tables
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import join_nearest, sort_by

_MIB_PER_GIB = 1024


def with_block_sizes(facts: pl.DataFrame, timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """`facts` with quantization and adapter_quantization as the last summary of the prompt above each stage says.

    What a loader names of the model counts before it.
    """
    told = timeline.event("block-swap-total")
    if told.is_empty():
        return facts
    known = told.select("lane", "place", pl.col("prompt").alias("its_prompt"), "held_gib")
    opened = stages.select("stage", "lane", "place", "prompt").pipe(sort_by, "lane", "place")
    last = join_nearest(opened, known.pipe(sort_by, "lane", "place"))
    own = pl.when(pl.col("its_prompt") == pl.col("prompt")).then(pl.col("held_gib") * _MIB_PER_GIB)
    held = last.select("stage", own.alias("held_mib")).filter(pl.col("held_mib").is_not_null()).sort("held_mib")
    tolerance = load_tables().blocks.tolerance_mib
    # half of the last printed digit of a figure in GiB and back is far below it
    named = held.join_asof(_sums(), left_on="held_mib", right_on="sum_mib", strategy="nearest", tolerance=tolerance)
    found = facts.join(named.drop("held_mib"), on="stage", how="left", maintain_order="left")
    return found.with_columns(
        pl.coalesce("quantization", "block_model").alias("quantization"),
        pl.coalesce("adapter_quantization", "block_adapter").alias("adapter_quantization"),
    ).drop("block_model", "block_adapter", "sum_mib", strict=False)


def _sums() -> pl.DataFrame:
    """block_model, block_adapter (null without one), sum_mib: every size that the blocks can have, in order."""
    blocks = load_tables().blocks
    models = pl.DataFrame(blocks.sizes, schema={"block_model": pl.String, "model_mib": pl.Float64}, orient="row")
    adapters = pl.DataFrame(
        [(None, 0.0), *blocks.adapters], schema={"block_adapter": pl.String, "adapter_mib": pl.Float64}, orient="row"
    )
    pairs = models.join(adapters, how="cross")
    return pairs.select(
        "block_model", "block_adapter", (pl.col("model_mib") + pl.col("adapter_mib")).alias("sum_mib")
    ).sort("sum_mib")
