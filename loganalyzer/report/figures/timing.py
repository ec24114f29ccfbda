"""Draws the duration of each diffusion step, window by window."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from loganalyzer.common import formatting
from loganalyzer.report import words
from loganalyzer.report.figures.canvas import Canvas, Margins
from loganalyzer.report.figures.scale import every_nth, tick_label, ticks
from loganalyzer.report.model import Figure

if TYPE_CHECKING:
    from loganalyzer.report.facts import RunFacts

MOST_POINTS: Final = 400
"""With more steps, the figure shows the range of each window instead of dots."""
_SIZE: Final = (520, 176)
_MARGINS: Final = Margins(left=50, right=14, top=22, bottom=30)
_NAMED_OUTLIERS: Final = 3
_METHODS: Final = {
    "timestamps": "from timestamps",
    "rate": "calculated from progress bar rates",
    "printed": "as printed in the log",
    "recorded": "as recorded",
    "elapsed": "from elapsed times in whole seconds",
    "average": "averages only",
}


class Dot(NamedTuple):
    """A step.

    Attributes:
        column: the index of its window, from 0.
        within: its position within the window, 0 to 1.
        seconds, uncertainty: its duration and the uncertainty of the duration.
        name: for labels and the caption.
    """

    column: int
    within: float
    seconds: float
    uncertainty: float
    name: str


def draw(facts: RunFacts, outlier_factor: float) -> Figure | None:
    """The figure with a dot per step, the median, named outliers and the normal range of earlier nights.

    None if no step duration is known.
    """
    windows = sorted({step["window"] for step in facts["steps"] if step["window"] is not None})
    dots = _step_dots(facts, windows)
    middle = words.median([dot.seconds for dot in dots])
    if not dots or middle is None:
        return None
    usual = facts.normal_step
    highest = max(1.12 * max(*(dot.seconds + dot.uncertainty for dot in dots), *(usual or (0,))), 0.001)
    canvas = Canvas(_SIZE, _MARGINS, (0, len(windows)), (0, highest))
    if usual is not None:
        canvas.box((0, usual[0]), (len(windows), usual[1] - usual[0]), fill="ok-soft")
    _draw_axes(canvas, windows, highest)
    limit = outlier_factor * middle
    outliers = [dot for dot in dots if dot.seconds > limit]
    _draw_whiskers(canvas, dots, highest)
    normal = [dot for dot in dots if dot.seconds <= limit]
    if len(dots) > MOST_POINTS:
        _draw_ranges(canvas, normal)
    else:
        canvas.points([_position(dot) for dot in normal], "accent", 5)
    canvas.lines([((0, middle), (len(windows), middle))], "accent", 1, dashed=True)
    canvas.text(
        (len(windows), highest),
        f"median {words.step(middle)}",
        color="accent",
        anchor="right",
        shift=(0, 10),
    )
    _draw_outliers(canvas, outliers[:MOST_POINTS])
    caption = _caption(facts, dots, outliers, middle)
    if usual is not None:
        caption += f" Shaded: normal by earlier nights, {usual[0]:.2f}–{usual[1]:.2f} s."
    drawing = canvas.svg(f"{facts.anchor}-steps", f"Step times of {facts.place}", caption)
    return Figure("Step times", drawing, caption)


def _step_dots(facts: RunFacts, windows: list[int]) -> list[Dot]:
    columns = {window: position for position, window in enumerate(windows)}
    rows = [
        step for step in facts["steps"]
        if step["window"] is not None and step["duration_s"] is not None and math.isfinite(step["duration_s"])
    ]  # fmt: skip
    most = max((row["step"] or 1 for row in rows), default=1)
    return [
        Dot(
            columns[row["window"]],
            ((row["step"] or 1) - 0.5) / most,
            row["duration_s"],
            row["uncertainty_s"] or 0.0,
            f"step {row['step']} of window {row['window']}",
        )
        for row in rows
    ]


def _position(dot: Dot) -> tuple[float, float]:
    return dot.column + 0.1 + 0.8 * dot.within, dot.seconds


def _draw_axes(canvas: Canvas, windows: list[int], highest: float) -> None:
    """Draws the time axis from 0 s, and one column per window."""
    marks = ticks(highest, 4)
    canvas.lines([((0, mark), (len(windows), mark)) for mark in marks], "line", 0.8)
    for mark in marks:
        canvas.text((0, mark), f"{tick_label(mark)} s", anchor="right", shift=(-8, 0))
    canvas.lines([((column, 0), (column, highest)) for column in every_nth(range(1, len(windows)), 60)], "line", 0.6)
    canvas.text((0, 0), "window", anchor="left", shift=(2 - _MARGINS.left, -13))
    for column, window in every_nth(list(enumerate(windows)), 12):
        canvas.text((column + 0.5, 0), str(window), shift=(0, -13))


def _draw_whiskers(canvas: Canvas, dots: list[Dot], highest: float) -> None:
    """Draws whiskers for uncertainties that are large enough to be visible."""
    wide = [dot for dot in dots[:MOST_POINTS] if dot.uncertainty > highest * 0.02]
    if wide:
        ends = [
            (_position(dot)[0], max(0.0, dot.seconds - dot.uncertainty), dot.seconds + dot.uncertainty) for dot in wide
        ]
        canvas.lines([((x, low), (x, min(high, highest))) for x, low, high in ends], "muted", 1)


def _draw_ranges(canvas: Canvas, dots: list[Dot]) -> None:
    by_column: dict[int, list[float]] = {}
    for dot in dots:
        by_column.setdefault(dot.column, []).append(dot.seconds)
    spans = [((column + 0.5, min(found)), (column + 0.5, max(found))) for column, found in by_column.items()]
    canvas.lines(every_nth(spans, MOST_POINTS), "accent", 2.5)


def _draw_outliers(canvas: Canvas, outliers: list[Dot]) -> None:
    if outliers:
        canvas.points([_position(dot) for dot in outliers], "warning", 8)
    for dot in sorted(outliers, key=lambda dot: -dot.seconds)[:_NAMED_OUTLIERS]:
        x, y = _position(dot)
        anchor, shift = ("right", -8) if canvas.length(x) * 2 > _SIZE[0] else ("left", 8)
        canvas.text((x, y), f"{dot.name}: {words.step(dot.seconds)}", color="warning", anchor=anchor, shift=(shift, 0))


def _caption(facts: RunFacts, dots: list[Dot], outliers: list[Dot], middle: float) -> str:
    methods = sorted({str(step["method"]) for step in facts["steps"] if step["method"]})
    how = " and ".join(_METHODS.get(name, words.visible(name)) for name in methods)
    parts = [f"{formatting.plural(len(dots), 'step')}, {how}" if how else formatting.plural(len(dots), "step")]
    parts.append(f"median {words.step(middle)}")
    if outliers:
        slowest = sorted(outliers, key=lambda dot: -dot.seconds)[:_NAMED_OUTLIERS]
        named = ", ".join(f"{dot.name} ({words.step(dot.seconds)})" for dot in slowest)
        more = f" and {len(outliers) - len(slowest)} more" if len(outliers) > len(slowest) else ""
        parts.append(f"{formatting.plural(len(outliers), 'outlier')}: {named}{more}")
    if len(dots) > MOST_POINTS:
        parts.append("the lines show the range of each window")
    return "; ".join(parts) + "."
