"""Draws how the memory peak develops: over the reports of one run, or over the runs of the same log."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from loganalyzer.report import words
from loganalyzer.report.figures.canvas import Canvas, Margins
from loganalyzer.report.figures.scale import every_nth, tick_label, ticks
from loganalyzer.report.model import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loganalyzer.report.facts import Row, RunFacts

MIN_PEAKS: Final = 3
_GROWTH_RULE: Final = "MEM005"
MOST_PEAKS: Final = 200
_SIZE: Final = (520, 176)
_MARGINS: Final = Margins(left=62, right=16, top=24, bottom=30)
_PEAK_NAMES: Final = ("allocated", "reserved")


class Series(NamedTuple):
    """Peaks in GiB in chronological order.

    Attributes:
        allocated: peaks of allocated memory.
        reserved: peaks of reserved memory.
        what: what the peaks belong to, for the caption.
        own: the index of this run's peak, or -1.
    """

    allocated: list[float]
    reserved: list[float | None]
    what: str
    own: int


def draw(facts: RunFacts) -> Figure | None:
    """The figure of memory growth; None if fewer than three peaks of one kind are known."""
    series = _peaks_of_run(facts["memory"]) or _peaks_of_log(facts)
    if series is None:
        return None
    highest = max([*series.allocated, *(value for value in series.reserved if value is not None)]) * 1.08 or 1.0
    canvas = Canvas(_SIZE, _MARGINS, (0.5, len(series.allocated) + 0.5), (0, highest))
    _axes(canvas, series, highest)
    draw_line(canvas, list(series.reserved), "muted", dashed=True)
    draw_line(canvas, list(series.allocated), "accent", dashed=False)
    if series.own >= 0:
        canvas.points([(series.own + 1.0, series.allocated[series.own])], "ink", 9)
    caption = _caption(series)
    drawing = canvas.svg(f"{facts.anchor}-growth", f"Memory growth around {facts.place}", caption)
    return Figure("Memory growth", drawing, caption)


def _peaks_of_run(rows: Sequence[Row]) -> Series | None:
    """The peaks of the phase with the most reports in the run; None if it has fewer than three."""
    phases: dict[str, list[Row]] = {}
    for row in rows:
        if _is_known(row["max_allocated_gib"]):
            phases.setdefault(row["phase"] or "", []).append(row)
    phase, found = max(phases.items(), key=lambda item: len(item[1]), default=("", []))
    if len(found) < MIN_PEAKS:
        return None
    shown = found[:MOST_PEAKS]
    return Series(
        [row["max_allocated_gib"] for row in shown],
        [row["max_reserved_gib"] if _is_known(row["max_reserved_gib"]) else None for row in shown],
        f"reports of {words.visible(phase)}" if phase else "reports of this run",
        -1,
    )


def _peaks_of_log(facts: RunFacts) -> Series | None:
    """The peaks of the runs of the same log and stream whose peaks have the same scope; None if they are too few.

    The figure is the same for all these runs. To keep the page small, only the first run and runs with a growth finding
    have it.
    """
    comparable = [
        row for row in facts["siblings"]
        if _is_known(row["peak_allocated_gib"]) and row["peak_covers"] == facts.run["peak_covers"]
    ]  # fmt: skip
    if len(comparable) < MIN_PEAKS or not _is_known(facts.run["peak_allocated_gib"]):
        return None
    own = next((place for place, row in enumerate(comparable) if row["run_id"] == facts.run["run_id"]), 0)
    if own and not any(row["rule"] == _GROWTH_RULE for row in facts["findings"]):
        return None
    first = max(0, min(own - MOST_PEAKS // 2, len(comparable) - MOST_PEAKS))
    shown = comparable[first : first + MOST_PEAKS]
    return Series(
        [row["peak_allocated_gib"] for row in shown],
        [row["peak_reserved_gib"] if _is_known(row["peak_reserved_gib"]) else None for row in shown],
        "runs of this log",
        own - first,
    )


def _is_known(value: float | None) -> bool:
    return value is not None and math.isfinite(value) and value >= 0


def _axes(canvas: Canvas, series: Series, highest: float) -> None:
    count = len(series.allocated)
    marks = ticks(highest, 4)
    canvas.lines([((0.5, mark), (count + 0.5, mark)) for mark in marks], "line", 0.8)
    for mark in marks:
        canvas.text((0.5, mark), f"{tick_label(mark)} GiB", anchor="right", shift=(-8, 0))
    for number in every_nth(range(1, count + 1), 12):
        canvas.text((number, 0), str(number), shift=(0, -13))
    canvas.text((count + 0.5, highest), "allocated", color="accent", anchor="right", shift=(-72, 10))
    canvas.text((count + 0.5, highest), "reserved", anchor="right", shift=(0, 10))


def draw_line(canvas: Canvas, values: Sequence[float | None], color: str, *, dashed: bool) -> None:
    """Draws a line through the values at x = 1, 2, 3 …, with dots unless it is dashed."""
    points = [(number + 1.0, value) for number, value in enumerate(values) if value is not None]
    canvas.lines(list(pairwise(points)), color, 1.2, dashed=dashed)
    if points and not dashed:
        canvas.points(points, color, 5)


def _caption(series: Series) -> str:
    first, last = series.allocated[0], series.allocated[-1]
    change = last - first
    sign = "+" if change >= 0 else "−"
    this = "; the dark dot is this run" if series.own >= 0 else ""
    over = f"Peak allocated memory over {len(series.allocated)} {series.what}"
    development = f"{words.gib(first)} → {words.gib(last)} ({sign}{words.gib(abs(change))})"
    return f"{over}: {development}{this}."
