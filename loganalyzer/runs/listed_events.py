"""Lists the values of the events that users' patterns add, with the runs whose lines contain them."""

from __future__ import annotations

import polars as pl

from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import join_nearest, sort_by
from loganalyzer.tables.listed_values import VALUES


def list_events(timeline: Timeline, runs: pl.DataFrame) -> pl.DataFrame:
    """lane, line, run_id, event, pattern, field, value, number: a row per field of each record, in order.

    `runs` has lane, line, end_line and run_id.
    """
    listed = timeline.listed
    if listed.is_empty():
        return listed
    ranges = runs.select("lane", "end_line", "run_id", pl.col("line").alias("place")).pipe(sort_by, "lane", "place")
    of_run = join_nearest(listed.select("lane", pl.col("line").alias("place")), ranges)
    is_inside = of_run["place"] <= of_run["end_line"]
    run_id = pl.when(is_inside).then(of_run["run_id"]).alias("run_id")
    return listed.with_columns(run_id).explode(VALUES).unnest(VALUES)
