"""Logs in which every message stands twice: two logging handlers, or `tee` on both streams. Each counts once.

Such a log has a twin right behind nearly every message, perhaps with a logger's prefix. A log of one handler repeats
some messages, but never nearly all of them.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.lines.segmentation import Segments

LEAST_SHARE: Final = 0.8
"""Share of an input's messages in pairs from which on the input counts as doubled."""
FEWEST_MESSAGES: Final = 10
"""An excerpt of fewer messages may repeat them by chance, as two queued prompts do."""
_LOGGER: Final = r"^(?:(?:DEBUG|INFO|WARNING|ERROR|CRITICAL):[\w.]+:|\[(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\] )"
"""What Python's own logging formats put in front of a message."""


def without_doubles(segments: Segments) -> Segments:
    """The segments without the second one of each pair, in inputs where nearly every segment has such a twin."""
    if segments.places.height < FEWEST_MESSAGES:
        return segments
    is_twin = _is_twin(segments)
    return segments if not is_twin.any() else segments.those(~is_twin)


def _is_twin(segments: Segments) -> pl.Series:
    """Which segments are the second one of a pair, in doubled inputs; false in all others."""
    output = ["source", "stream"]
    text = segments.told.rows.cast(pl.String).str.replace(_LOGGER, "").alias("text")
    rows = segments.places.select(*output).with_columns(text)
    begins = (pl.col("text") != pl.col("text").shift(1)).over(output).fill_null(value=True)
    rows = rows.with_columns(begins.cum_sum().over(output).alias("spell"))
    length = pl.len().over(*output, "spell")
    is_pair = length == 2
    is_second = (pl.int_range(pl.len()).over(*output, "spell") % 2 == 1) & (length % 2 == 0)
    share = is_pair.sum().over("source") >= LEAST_SHARE * pl.len().over("source")
    many = pl.len().over("source") >= FEWEST_MESSAGES
    return rows.select(is_second & share & many).to_series()
