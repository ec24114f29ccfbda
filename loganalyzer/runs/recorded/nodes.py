"""Lists the nodes of each prompt with their times and memory, as the recorder prints them."""

from __future__ import annotations

import polars as pl

from loganalyzer.runs.timeline import Timeline


def list_nodes(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, line, and the columns of the table `nodes` that the recorder's lines have; in order."""
    printed = timeline.records("recorder-node")
    throttled = pl.col("throttle").replace("none", "")
    return printed.rename(
        {
            "node_id": "node",
            "node_class": "class",
            "allocated_gib": "peak_allocated_gib",
            "reserved_gib": "peak_reserved_gib",
        }
    ).with_columns(throttled.alias("throttle"))
