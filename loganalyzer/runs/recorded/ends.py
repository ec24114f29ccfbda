"""Reads how each prompt ended from the recorder's last line about it."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import group_agg

_KEYS: Final = ["lane", "prompt"]
AFTER_A_FAILURE: Final = ("recorder-node", "recorder-end")
"""Events that the recorder prints between an exception and the end of its prompt; they do not show that it went on."""


def find_ends(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, recorded_status, recorded_s, recorded_type, recorded_node: from each prompt's last such line.

    `recorded_node` is as in `failures`: `node 27 WanVideoSampler`.
    """
    ended = timeline.records("recorder-end")
    node = pl.concat_str(pl.lit("node"), "node_id", "node_class", separator=" ", ignore_nulls=True)
    named = ended.with_columns(pl.when(pl.col("node_id").is_not_null()).then(node).alias("node"))
    return named.pipe(
        group_agg,
        _KEYS,
        pl.col("status").last().alias("recorded_status"),
        pl.col("duration_s").last().alias("recorded_s"),
        pl.col("exception_type").last().alias("recorded_type"),
        pl.col("node").last().alias("recorded_node"),
    )
