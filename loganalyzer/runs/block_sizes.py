"""Reads the quantization from the wrapper's block swap summary: each model and adapter has blocks of a unique size."""

from __future__ import annotations

import polars as pl

from loganalyzer.expectations.quantizations import load_tables
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import join_nearest, sort_by

_MIB_PER_GIB = 1024


def with_block_sizes(facts: pl.DataFrame, timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """`facts` with quantization and adapter_quantization from the last summary above each stage in its prompt.

    A quantization that a loader names takes precedence.
    """
    summaries = timeline.records("block-swap-total")
    if summaries.is_empty():
        return facts
    known = summaries.select("lane", "place", pl.col("prompt").alias("its_prompt"), "held_gib")
    opened = stages.select("stage", "lane", "place", "prompt").pipe(sort_by, "lane", "place")
    last = join_nearest(opened, known.pipe(sort_by, "lane", "place"))
    own = pl.when(pl.col("its_prompt") == pl.col("prompt")).then(pl.col("held_gib") * _MIB_PER_GIB)
    block_sizes = last.select("stage", own.alias("held_mib")).filter(pl.col("held_mib").is_not_null()).sort("held_mib")
    tolerance = load_tables().blocks.tolerance_mib
    # the rounding error of the printed GiB is far below the tolerance
    named = block_sizes.join_asof(
        _possible_sums(), left_on="held_mib", right_on="sum_mib", strategy="nearest", tolerance=tolerance
    )
    found = facts.join(named.drop("held_mib"), on="stage", how="left", maintain_order="left")
    return found.with_columns(
        pl.coalesce("quantization", "block_model").alias("quantization"),
        pl.coalesce("adapter_quantization", "block_adapter").alias("adapter_quantization"),
    ).drop("block_model", "block_adapter", "sum_mib", strict=False)


def _possible_sums() -> pl.DataFrame:
    """block_model, block_adapter (null without one), sum_mib: every possible size of all blocks, in ascending order."""
    blocks = load_tables().blocks
    models = pl.DataFrame(blocks.sizes, schema={"block_model": pl.String, "model_mib": pl.Float64}, orient="row")
    adapters = pl.DataFrame(
        [(None, 0.0), *blocks.adapters], schema={"block_adapter": pl.String, "adapter_mib": pl.Float64}, orient="row"
    )
    pairs = models.join(adapters, how="cross")
    return pairs.select(
        "block_model", "block_adapter", (pl.col("model_mib") + pl.col("adapter_mib")).alias("sum_mib")
    ).sort("sum_mib")
