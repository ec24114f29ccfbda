"""How the memory peak moves: from report to report within the run, or from run to run of the same server."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from loganalyzer.report import words
from loganalyzer.report.figures.canvas import Canvas, Margins
from loganalyzer.report.figures.scale import plain, thinned, ticks
from loganalyzer.report.model import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loganalyzer.report.facts import Row, RunFacts

FEWEST: Final = 3
_RULE: Final = "MEM005"
MOST: Final = 200
_SIZE: Final = (520, 176)
_MARGINS: Final = Margins(left=62, right=16, top=24, bottom=30)
_NAMES: Final = ("allocated", "reserved")


class Series(NamedTuple):
    """Peaks in their order, in GiB, of what; and which of them is this run's, or -1."""

    allocated: list[float]
    reserved: list[float | None]
    what: str
    own: int


def draw(facts: RunFacts) -> Figure | None:
    """Nothing where fewer than three peaks of one kind are known."""
    series = _within(facts["memory"]) or _across(facts)
    if series is None:
        return None
    highest = max([*series.allocated, *(value for value in series.reserved if value is not None)]) * 1.08 or 1.0
    canvas = Canvas(_SIZE, _MARGINS, (0.5, len(series.allocated) + 0.5), (0, highest))
    _axes(canvas, series, highest)
    line(canvas, list(series.reserved), "muted", dashed=True)
    line(canvas, list(series.allocated), "accent", dashed=False)
    if series.own >= 0:
        canvas.points([(series.own + 1.0, series.allocated[series.own])], "ink", 9)
    caption = _caption(series)
    drawing = canvas.svg(f"{facts.anchor}-growth", f"Memory growth around {facts.place}", caption)
    return Figure("Memory growth", drawing, caption)


def _within(rows: Sequence[Row]) -> Series | None:
    """The phase of which the run has most reports."""
    phases: dict[str, list[Row]] = {}
    for row in rows:
        if _known(row["max_allocated_gib"]):
            phases.setdefault(row["phase"] or "", []).append(row)
    phase, found = max(phases.items(), key=lambda item: len(item[1]), default=("", []))
    if len(found) < FEWEST:
        return None
    shown = found[:MOST]
    return Series(
        [row["max_allocated_gib"] for row in shown],
        [row["max_reserved_gib"] if _known(row["max_reserved_gib"]) else None for row in shown],
        f"reports of {words.visible(phase)}" if phase else "reports of this run",
        -1,
    )


def _across(facts: RunFacts) -> Series | None:
    """The runs of the same log and stream whose peaks cover the same: drawn with the first, and where growth is found.

    Every run has the same drawing, and a page of many must stay small.
    """
    alike = [
        row for row in facts["siblings"]
        if _known(row["peak_allocated_gib"]) and row["peak_covers"] == facts.run["peak_covers"]
    ]  # fmt: skip
    if len(alike) < FEWEST or not _known(facts.run["peak_allocated_gib"]):
        return None
    own = next((place for place, row in enumerate(alike) if row["run_id"] == facts.run["run_id"]), 0)
    if own and not any(row["rule"] == _RULE for row in facts["findings"]):
        return None
    first = max(0, min(own - MOST // 2, len(alike) - MOST))
    shown = alike[first : first + MOST]
    return Series(
        [row["peak_allocated_gib"] for row in shown],
        [row["peak_reserved_gib"] if _known(row["peak_reserved_gib"]) else None for row in shown],
        "runs of this log",
        own - first,
    )


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value) and value >= 0


def _axes(canvas: Canvas, series: Series, highest: float) -> None:
    count = len(series.allocated)
    marks = ticks(highest, 4)
    canvas.lines([((0.5, mark), (count + 0.5, mark)) for mark in marks], "line", 0.8)
    for mark in marks:
        canvas.text((0.5, mark), f"{plain(mark)} GiB", anchor="right", shift=(-8, 0))
    for number in thinned(range(1, count + 1), 12):
        canvas.text((number, 0), str(number), shift=(0, -13))
    canvas.text((count + 0.5, highest), "allocated", colour="accent", anchor="right", shift=(-72, 10))
    canvas.text((count + 0.5, highest), "reserved", anchor="right", shift=(0, 10))


def line(canvas: Canvas, values: Sequence[float | None], colour: str, *, dashed: bool) -> None:
    """Values at 1, 2, 3 … joined; each a dot as well, unless dashed."""
    points = [(number + 1.0, value) for number, value in enumerate(values) if value is not None]
    canvas.lines(list(pairwise(points)), colour, 1.2, dashed=dashed)
    if points and not dashed:
        canvas.points(points, colour, 5)


def _caption(series: Series) -> str:
    first, last = series.allocated[0], series.allocated[-1]
    change = last - first
    sign = "+" if change >= 0 else "−"
    this = "; the dark dot is this run" if series.own >= 0 else ""
    over = f"Peak allocated over {len(series.allocated)} {series.what}"
    moved = f"{words.gib(first)} at first, {words.gib(last)} at last ({sign}{words.gib(abs(change))})"
    return f"{over}: {moved}{this}."
