"""Draws the GPU memory peak with its baseline range and the total memory of the GPU."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from loganalyzer.expectations.names import TRUE_PEAKS
from loganalyzer.report import words
from loganalyzer.report.figures.canvas import Canvas, Margins
from loganalyzer.report.figures.scale import tick_label, ticks
from loganalyzer.report.model import Figure

if TYPE_CHECKING:
    from loganalyzer.report.facts import RunFacts

_SIZE: Final = (520, 176)
_MARGINS: Final = Margins(left=72, right=34, top=42, bottom=30)
_HEIGHT: Final = _SIZE[1] - _MARGINS.top - _MARGINS.bottom
_BAR: Final = 22

Band = tuple[float, float]


def draw(facts: RunFacts, band: Band | None, total: float | None) -> Figure | None:
    """The figure with allocated and reserved memory; None if the log has no memory report."""
    run = facts.run
    peaks = {name: run[f"peak_{name}_gib"] for name in ("allocated", "reserved")}
    known = {name: peak for name, peak in peaks.items() if peak is not None and math.isfinite(peak) and peak >= 0}
    if not known:
        return None
    judged = band if run["peak_covers"] in TRUE_PEAKS else None
    highest = max(*known.values(), total or 0, judged[1] if judged else 0, 1)
    canvas = Canvas(_SIZE, _MARGINS, (0, highest * 1.02), (0, _HEIGHT))
    _draw_axis(canvas, highest)
    if judged:
        _draw_band(canvas, judged)
    if run["peak_covers"] not in TRUE_PEAKS:
        canvas.text((0, _HEIGHT), "not a sampling peak", anchor="left", shift=(0, 15))
    for name, middle in (("allocated", _HEIGHT * 0.74), ("reserved", _HEIGHT * 0.28)):
        _draw_peak(canvas, name, known.get(name), middle, stage=run["peak_covers"] in TRUE_PEAKS)
    if total:
        canvas.lines([((total, 0), (total, _HEIGHT + 23))], "ink", 1.5)
        canvas.text((total, _HEIGHT), f"GPU total {words.gib(total)}", color="ink", anchor="right", shift=(4, 30))
    caption = _caption(facts, judged)
    peaks_text = ", ".join(f"{name} {words.gib(peak)}" for name, peak in known.items())
    drawing = canvas.svg(f"{facts.anchor}-memory", f"Peak GPU memory of {facts.place}", f"{peaks_text}. {caption}")
    return Figure("GPU memory", drawing, caption)


def _draw_axis(canvas: Canvas, highest: float) -> None:
    marks = ticks(highest, 5)
    canvas.lines([((0, 0), (highest, 0))], "line", 1)
    canvas.lines([((mark, 0), (mark, _HEIGHT)) for mark in marks], "line", 0.6)
    for mark in marks:
        unit = " GiB" if mark == marks[-1] else ""
        canvas.text((mark, 0), f"{tick_label(mark)}{unit}", shift=(0, -12))


def _draw_band(canvas: Canvas, band: Band) -> None:
    low, high = band
    canvas.box((low, 0), (high - low, _HEIGHT + 6), fill="ok-soft", edge="ok")
    canvas.text(((low + high) / 2, _HEIGHT), f"baseline {_range_text(band)}", color="ok", shift=(0, 15))


def _draw_peak(canvas: Canvas, name: str, peak: float | None, middle: float, *, stage: bool) -> None:
    canvas.text((0, middle), name, anchor="left", shift=(2 - _MARGINS.left, 0))
    if peak is None:
        canvas.text((0, middle), "not in the log", anchor="left", shift=(6, 0))
        return
    fill, edge = (
        ("line", "muted") if not stage else ("accent", "accent") if name == "allocated" else ("accent-soft", "accent")
    )
    canvas.box((0, middle - _BAR / 2), (peak, _BAR), fill=fill, edge=edge)
    inside = canvas.length(peak) > 80
    color = "surface" if inside and stage and name == "allocated" else "ink"
    anchor, shift = ("right", (-8, 0)) if inside else ("left", (8, 0))
    canvas.text((peak, middle), words.gib(peak), color=color, anchor=anchor, shift=shift)


def _caption(facts: RunFacts, band: Band | None) -> str:
    run = facts.run
    covers = run["peak_covers"]
    if covers not in TRUE_PEAKS:
        meaning = words.covers(covers)
        return f"Not a sampling peak: {meaning}. It is not compared with a baseline."
    if band is None:
        return "Peak of the complete stage. There is no baseline for this run's settings."
    peak = run["peak_allocated_gib"]
    if peak is None:
        return f"Baseline {_range_text(band)}."
    relation = "above" if peak > band[1] else "below" if peak < band[0] else "within"
    return f"Peak of the complete stage, {relation} the baseline of {_range_text(band)}."


def _range_text(band: Band) -> str:
    return f"{band[0]:,.2f}–{words.gib(band[1])}"
