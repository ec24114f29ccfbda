"""Turns progress bars into steps and windows, a few stages at a time: a long log has millions of refreshes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import polars as pl

from loganalyzer.common.parallel import map_in_order
from loganalyzer.runs.refreshes import assign_refreshes, number_refreshes
from loganalyzer.runs.steps import mark_closing, measure_steps
from loganalyzer.runs.timeline import Timeline
from loganalyzer.runs.windows import measure_windows
from loganalyzer.tables.frames import max_by

PORTION: Final = 1 << 18
"""Number of refreshes to process at once."""
_MOST_BARS: Final = 1 << 32


class Bars(NamedTuple):
    """The steps and windows that the bars of all stages show.

    Attributes:
        steps: as from `steps.measure_steps`.
        windows: as from `windows.measure_windows`.
        lines: stage, line: the last line of a stage's bars.
    """

    steps: pl.DataFrame
    windows: pl.DataFrame
    lines: pl.DataFrame


def read_bars(timeline: Timeline, stages: pl.DataFrame) -> Bars:
    """The steps and windows of every stage."""
    portions = enumerate(_portions(assign_refreshes(timeline, stages)))
    done = list(map_in_order(lambda portion: _read_portion(*portion, timeline, stages), portions))
    return Bars(
        pl.concat([part.steps for part in done]),
        pl.concat([part.windows for part in done]),
        pl.concat([part.lines for part in done]),
    )


def _portions(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """`rows`, which are ordered by stage, in portions that never split a stage."""
    ends = rows.select((pl.col("stage") != pl.col("stage").shift(-1)).fill_null(value=True).arg_true() + 1).to_series()
    start = 0
    while start == 0 or start < rows.height:
        behind = ends.search_sorted(start + PORTION)
        end = ends[behind] if behind < len(ends) else rows.height
        yield rows[start:end]
        start = max(end, 1)


def _read_portion(number: int, rows: pl.DataFrame, timeline: Timeline, stages: pl.DataFrame) -> Bars:
    marked = mark_closing(number_refreshes(rows, timeline, stages))
    done = measure_steps(marked)
    seen = measure_windows(marked, done)
    own = (pl.col("bar") + number * _MOST_BARS).alias("bar")
    lines = max_by(marked, "stage", "line")
    return Bars(done.with_columns(own), seen.with_columns(own), lines)
