"""Removes duplicates from logs that contain every message twice, as two logging handlers or `tee` on both streams do.

In such a log nearly every message is directly followed by its duplicate, perhaps with a logger's prefix. A log of one
handler repeats some messages, but never nearly all of them.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.lines.segmentation import Segments

MIN_DOUBLED_SHARE: Final = 0.8
"""Minimum share of an input's messages in pairs for the input to count as doubled."""
MIN_MESSAGES: Final = 10
"""A shorter excerpt may repeat its messages by chance, as two queued prompts do."""
_LOGGER_PREFIX: Final = r"^(?:(?:DEBUG|INFO|WARNING|ERROR|CRITICAL):[\w.]+:|\[(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\] )"
"""The prefixes of Python's own logging formats."""


def drop_doubles(segments: Segments) -> Segments:
    """The segments without the second of each pair, in inputs in which nearly every segment is doubled."""
    if segments.places.height < MIN_MESSAGES:
        return segments
    is_duplicate = _is_duplicate(segments)
    return segments if not is_duplicate.any() else segments.filter(~is_duplicate)


def _is_duplicate(segments: Segments) -> pl.Series:
    """Whether each segment is the second of a pair, in doubled inputs; false in all others."""
    output = ["source", "stream"]
    text = segments.texts.per_row.cast(pl.String).str.replace(_LOGGER_PREFIX, "").alias("text")
    rows = segments.places.select(*output).with_columns(text)
    begins = (pl.col("text") != pl.col("text").shift(1)).over(output).fill_null(value=True)
    rows = rows.with_columns(begins.alias("begins"))
    if not _may_be_doubled(rows):
        return pl.repeat(False, rows.height, dtype=pl.Boolean, eager=True)
    rows = rows.with_columns(pl.col("begins").cum_sum().over(output).alias("spell"))
    length = pl.len().over(*output, "spell")
    is_pair = length == 2
    is_second = (pl.int_range(pl.len()).over(*output, "spell") % 2 == 1) & (length % 2 == 0)
    share = is_pair.sum().over("source") >= MIN_DOUBLED_SHARE * pl.len().over("source")
    many = pl.len().over("source") >= MIN_MESSAGES
    return rows.select(is_second & share & many).to_series()


def _may_be_doubled(rows: pl.DataFrame) -> bool:
    """Whether enough segments of any input repeat the one before. In most logs few do, which is quickly seen."""
    repeats = rows.group_by("source").agg((~pl.col("begins")).mean().alias("share"))
    return bool((repeats["share"] >= MIN_DOUBLED_SHARE / 2).any())
