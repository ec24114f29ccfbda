"""Draws the small figures in a run's table row: schedule, memory and step times.

There may be a thousand rows, so each figure consists of a few SVG paths, written without matplotlib. Style and colors
come from the page's style sheet.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from markupsafe import escape

from loganalyzer.common import formatting
from loganalyzer.expectations.names import TRUE_PEAKS
from loganalyzer.report import words
from loganalyzer.report.figures.scale import every_nth

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from loganalyzer.report.facts import Row, RunFacts

WIDTH: Final = 96
HEIGHT: Final = 16
MOST_BARS: Final = 48
MOST_DOTS: Final = 64


def schedule(facts: RunFacts) -> str:
    """Windows in two lanes. Windows that are not in the log are hollow; frames without audio have the error color."""
    drawn = [(row, span) for row in facts["windows"] if (span := _window_range(row))]
    if not drawn or len(drawn) > MOST_BARS:
        return ""
    last_frame = max(end for _, (_, end) in drawn)
    scale = WIDTH / last_frame
    seen: list[str] = []
    unseen: list[str] = []
    for number, (row, (start, end)) in enumerate(drawn):
        target = unseen if row["audio_start"] is None else seen
        target.append(_box_path(start * scale, 1 + 7 * (number % 2), max((end - start) * scale, 1), 6))
    missing = min(facts.run["missing_frames"] or 0, last_frame)
    tail = (
        [_box_path((last_frame - missing) * scale, 1 + 7 * ((len(drawn) - 1) % 2), missing * scale, 6)]
        if missing > 0
        else []
    )
    label = f"{formatting.plural(len(drawn), 'window')}"
    if unseen:
        label += f", {len(unseen)} not in the log"
    if missing > 0:
        label += f", the last {formatting.plural(missing, 'frame')} without audio"
    return _svg_element(label, (("w", seen), ("u", unseen), ("p", tail)))


def _window_range(row: Row) -> tuple[int, int] | None:
    for start, end in ((row["audio_start"], row["audio_end"]), (row["expected_start"], row["expected_end"])):
        if start is not None and end is not None and 0 <= start < end:
            return start, end
    return None


_SMALLEST_SCALE: Final = 0.001


def memory_scale(runs: Iterable[RunFacts], total: float | None) -> float:
    """The memory in GiB at the end of the bars: the largest peak, baseline or GPU of these runs."""
    figures: list[float | None] = [total, _SMALLEST_SCALE]
    for facts in runs:
        figures += [facts.run["peak_allocated_gib"], facts.run["total_vram_gib"], facts.band[1] if facts.band else None]
    return max(figure for figure in figures if figure is not None and math.isfinite(figure))


def memory(facts: RunFacts, total: float | None, end: float) -> str:
    """The peak as a bar, the baseline range behind it, the memory of the GPU as a line. The axis ends at `end`."""
    run, band = facts.run, facts.band
    peak = run["peak_allocated_gib"]
    if peak is None or not math.isfinite(peak) or peak < 0:
        return ""
    judged = run["peak_covers"] in TRUE_PEAKS
    band = band if judged else None
    scale = (WIDTH - 2) / end
    label = f"{words.gib(peak)} allocated"
    if band:
        label += f", baseline {band[0]:,.2f}–{words.gib(band[1])}"
    if total:
        label += f", GPU total {words.gib(total)}"
    return _svg_element(
        label,
        (
            ("b", [_box_path(band[0] * scale, 0, max((band[1] - band[0]) * scale, 2), HEIGHT)] if band else []),
            ("v" if judged else "x", [_box_path(0, 5, peak * scale, 6)]),
            ("t", [f"M{_decimal(total * scale)} 0v{HEIGHT}"] if total else []),
        ),
    )


def steps(facts: RunFacts, outlier_factor: float) -> str:
    """Step times as a line, with outliers as separate dots."""
    durations = [row["duration_s"] for row in facts["steps"] if row["duration_s"] is not None]
    middle = words.median(durations)
    if not middle or len(durations) < 2:
        return ""
    highest = max(durations)
    chosen = every_nth(list(enumerate(durations)), MOST_DOTS)
    outliers = [(place, value) for place, value in enumerate(durations) if value > outlier_factor * middle][:MOST_DOTS]
    across, up = (WIDTH - 4) / (len(durations) - 1), (HEIGHT - 4) / highest

    def coordinates(points: Iterable[tuple[int, float]]) -> list[str]:
        return [f"{_decimal(2 + place * across)} {_decimal(HEIGHT - 2 - value * up)}" for place, value in points]

    label = f"{formatting.plural(len(durations), 'step')}, median {words.step(middle)}, slowest {words.step(highest)}"
    line = ["M" + "L".join(coordinates(chosen))]
    return _svg_element(label, (("l", line), ("o", [f"M{place}h0" for place in coordinates(outliers)])))


def _box_path(x: float, y: float, width: float, height: float) -> str:
    return f"M{_decimal(x)} {_decimal(y)}h{_decimal(width)}v{_decimal(height)}h{_decimal(-width)}z"


def _decimal(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _svg_element(label: str, layers: Sequence[tuple[str, list[str]]]) -> str:
    paths = "".join(f'<path class="{name}" d="{"".join(parts)}"/>' for name, parts in layers if parts)
    return f'<svg class="small" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">{paths}</svg>'
