"""Draws a metric over the runs of the history and marks where it changed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from loganalyzer.common import formatting
from loganalyzer.report import words
from loganalyzer.report.figures.canvas import Canvas, Margins
from loganalyzer.report.figures.growth import draw_line
from loganalyzer.report.figures.scale import tick_label, ticks_between
from loganalyzer.report.model import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loganalyzer.report.facts import Row

MIN_VALUES: Final = 3
_SIZE: Final = (520, 176)
_AXIS_MARGIN: Final = 0.12
"""Space above and below the data, as a fraction of their range."""
_LONGEST_UNIT: Final = 3
"""Characters of a unit that fits beside each tick."""
_MARGINS: Final = Margins(left=62, right=20, top=24, bottom=34)


def draw(rows: Sequence[Row], anchor: str) -> Figure | None:
    """The figure of one series, from its rows of `trends`, oldest first; None if fewer than three values are known."""
    known = [row for row in rows if row["value"] is not None and math.isfinite(row["value"])]
    if len(known) < MIN_VALUES:
        return None
    unit = words.visible(known[0]["unit"] or "")
    short = unit if len(unit) <= _LONGEST_UNIT else ""  # the title names a long one
    values = [row["value"] for row in known]
    band = _normal_range(known[-1])
    low, high = _axis_limits([*values, *(band or ())])
    canvas = Canvas(_SIZE, _MARGINS, (0.5, len(known) + 0.5), (low, high))
    if band is not None:
        canvas.box((0.5, band[0]), (len(known), band[1] - band[0]), fill="ok-soft")
    for mark in ticks_between(low, high, 4):
        canvas.lines([((0.5, mark), (len(known) + 0.5, mark))], "line", 0.8)
        canvas.text((0.5, mark), f"{tick_label(mark)} {short}".rstrip(), anchor="right", shift=(-8, 0))
    for place, row in enumerate(known, 1):
        if row["changed"]:
            canvas.lines([((place - 0.5, low), (place - 0.5, high))], "warning", 1.4, dashed=True)
            canvas.text((place - 0.5, high), "change", color="warning", shift=(0, 10))
    draw_line(canvas, values, "accent", dashed=False)
    tonight = [(float(place), row["value"]) for place, row in enumerate(known, 1) if row["tonight"]]
    canvas.points(tonight, "ink", 8)
    canvas.text((1, low), _date_text(known[0]), anchor="left", shift=(-12, -15))
    canvas.text((len(known), low), _date_text(known[-1]), anchor="right", shift=(12, -15))
    title = words.or_dash(known[0]["title"])
    shaded = " Shaded: the normal range of one night." if band is not None else ""
    runs = formatting.plural(len(known), "run")
    dots = "; dark dots are from this report." if tonight else "."
    caption = f"{runs}{dots}{shaded} {words.or_dash(known[0]['reason'])}"
    return Figure(f"{title[:1].upper()}{title[1:]}", canvas.svg(anchor, f"{title} over the runs", caption), caption)


def _normal_range(row: Row) -> tuple[float, float] | None:
    """The normal range of one night; None if it is unknown."""
    low, high = row.get("normal_low"), row.get("normal_high")
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return None
    return (low, high) if low < high else None


def _axis_limits(values: Sequence[float]) -> tuple[float, float]:
    """The limits of the vertical axis: all values and the normal range plus a margin. The axis need not include 0."""
    low, high = min(values), max(values)
    margin = _AXIS_MARGIN * (high - low) or 0.01 * abs(high) or 1.0
    return low - margin, high + margin


def _date_text(row: Row) -> str:
    return words.DASH if row["at"] is None else f"{row['at']:%Y-%m-%d}"
