"""Draws the windows of a run as bars above the audio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from loganalyzer.common import formatting
from loganalyzer.report import words
from loganalyzer.report.figures.canvas import Canvas, Margins
from loganalyzer.report.figures.scale import every_nth
from loganalyzer.report.model import Figure

if TYPE_CHECKING:
    from loganalyzer.report.facts import RunFacts

MOST_WINDOWS: Final = 120
"""With more bars, the figure is unreadable."""
_WIDTH: Final = 960
_MARGINS: Final = Margins(left=70, right=26, top=26, bottom=40)
_MOST_LANES: Final = 8
"""Up to this number, each window has its own lane. More windows alternate between three lanes."""
_LANE: Final = 23
_BAR: Final = 17
_AUDIO: Final = 30


class Bar(NamedTuple):
    """A window in the figure: its frames, whether the log shows it, and whether its range is as expected."""

    number: int
    start: int
    end: int
    seen: bool
    fits: bool


def draw(facts: RunFacts, fps: float) -> Figure | None:
    """The schedule of a run; None if no range is known, or if there are too many windows to draw."""
    bars = _window_bars(facts)
    audio = facts.run["audio_frames"]
    if not bars or len(bars) > MOST_WINDOWS or max(bar.end for bar in bars) <= 0:
        return None
    last_frame = max(audio or 0, *(bar.end for bar in bars))
    lanes = len(bars) if len(bars) <= _MOST_LANES else 3
    height = _AUDIO + lanes * _LANE
    canvas = Canvas((_WIDTH, height + _MARGINS.top + _MARGINS.bottom), _MARGINS, (0, last_frame), (0, height))
    _draw_axis(canvas, bars, last_frame, height, fps)
    _draw_windows(canvas, bars, lanes)
    if audio:
        _draw_audio(canvas, facts, bars, height, fps)
    _draw_numbers(canvas, bars, lanes, _padding_start(facts, bars[-1]))
    tail = _audio_end_text(facts, bars, fps)
    title = f"Windows over the audio of {facts.place}"
    drawing = canvas.svg(f"{facts.anchor}-schedule", title, f"{_describe(facts, bars, fps)} {tail}".strip())
    return Figure("Schedule", drawing, _describe(facts, bars, fps), wide=True)


def _window_bars(facts: RunFacts) -> list[Bar]:
    bars = []
    for row in facts["windows"]:
        seen = row["audio_start"] is not None and row["audio_end"] is not None
        start, end = (row["audio_start"], row["audio_end"]) if seen else (row["expected_start"], row["expected_end"])
        if start is not None and end is not None:
            bars.append(Bar(row["window"], start, end, seen, row["matches"] is not False))
    return bars


def _draw_axis(canvas: Canvas, bars: list[Bar], last_frame: int, height: float, fps: float) -> None:
    """Draws frames and times at the starts of windows, and a dashed line at every boundary."""
    canvas.lines([((0, 0), (last_frame, 0))], "line", 1)
    canvas.lines([((bar.start, 0), (bar.start, height)) for bar in bars[1:]], "line", 1, dashed=True)
    inner = _WIDTH - _MARGINS.left - _MARGINS.right
    fitting = max(1, min(len(bars), int(inner / (max(bar.start for bar in bars) / last_frame or 1) / 60) or 1))
    labeled = every_nth(bars, min(fitting, 14))
    canvas.text((0, 0), "frame", anchor="left", shift=(2 - _MARGINS.left, -12))
    canvas.text((0, 0), "time", anchor="left", shift=(2 - _MARGINS.left, -27))
    for bar in labeled:
        canvas.text((bar.start, 0), words.count(bar.start), color="ink", shift=(0, -12))
        canvas.text((bar.start, 0), words.timecode(bar.start, fps), shift=(0, -27))


def _draw_windows(canvas: Canvas, bars: list[Bar], lanes: int) -> None:
    """Draws all bars, then all overlaps: consecutive shapes of the same style merge into one SVG path."""
    for index, bar in enumerate(bars):
        fill, edge = ("accent-soft", "accent") if bar.seen else ("surface", "line")
        if not bar.fits:
            fill, edge = "error-soft", "error"
        canvas.box((bar.start, _bar_bottom(index, lanes)), (bar.end - bar.start, _BAR), fill=fill, edge=edge)
    for index, bar in enumerate(bars[1:], 1):
        shared = bars[index - 1].end - bar.start
        if bar.seen and bar.fits and 0 < shared < bar.end - bar.start:
            canvas.box((bar.start, _bar_bottom(index, lanes)), (shared, _BAR), fill="accent-deep")
    canvas.text((0, lanes * _LANE - _LANE / 2), "windows", anchor="left", shift=(2 - _MARGINS.left, 0))


def _bar_bottom(index: int, lanes: int) -> float:
    """The bottom edge of the bar of window `index` (from 0). Lanes fill from the top down, then from the top again."""
    return (lanes - 1 - index % lanes) * _LANE + (_LANE - _BAR) / 2


def _draw_numbers(canvas: Canvas, bars: list[Bar], lanes: int, begin: int) -> None:
    """Writes each window's number if it fits, within the part that has audio."""
    for index, bar in enumerate(bars):
        end = begin if bar.seen and bar.start < begin < bar.end and bar is bars[-1] else bar.end
        text = str(bar.number) if bar.seen else f"{bar.number} not in log"
        place = ((bar.start + end) / 2, _bar_bottom(index, lanes) + _BAR / 2)
        if canvas.length(end - bar.start) >= 7 * len(text):
            canvas.text(place, text, color="ink" if bar.seen else "muted")


def _draw_audio(canvas: Canvas, facts: RunFacts, bars: list[Bar], height: float, fps: float) -> None:
    """Draws the audio, its end, and the part of the last window after it."""
    audio = facts.run["audio_frames"]
    last = bars[-1]
    bottom = height - _AUDIO + 9
    canvas.box((0, bottom), (audio, 12), fill="audio")
    canvas.text((0, bottom + 6), "audio", anchor="left", shift=(2 - _MARGINS.left, 0))
    begin = _padding_start(facts, last)
    padded = last.seen and begin < last.end
    if padded:
        lanes = round((height - _AUDIO) / _LANE)
        canvas.box((begin, _bar_bottom(len(bars) - 1, lanes)), (last.end - begin, _BAR), fill="hatch", edge="error")
        canvas.lines([((begin, 0), (begin, height))], "error", 1.2)
    color = "error" if padded else "muted"
    canvas.text(
        (max(audio, last.end), height), _audio_end_text(facts, bars, fps), color=color, anchor="right", shift=(0, 8)
    )


def _padding_start(facts: RunFacts, last: Bar) -> int:
    """The first frame of the last window without audio. With several speakers, the shortest audio counts."""
    ends: list[int] = [
        row["have"] for row in facts["paddings"] if row["have"] is not None and (row["missing"] or 0) > 0
    ]
    ends.append(facts.run["audio_frames"] or last.end)
    return max(last.start, min(ends))


def _audio_end_text(facts: RunFacts, bars: list[Bar], fps: float) -> str:
    """A text about where the audio ends and what follows it."""
    audio, last = facts.run["audio_frames"], bars[-1]
    if not audio:
        return ""
    ends = f"audio ends at frame {words.count(audio)} ({words.timecode(audio, fps)})"
    if not last.seen:
        return ends
    begin = _padding_start(facts, last)
    if begin < min(audio, last.end):
        ends = f"one speaker's audio ends at frame {words.count(begin)} ({words.timecode(begin, fps)})"
    missing = last.end - begin
    if missing <= 0:
        return f"{ends}, together with the last window" if audio == last.end else ends
    return f"{ends}; {_padding_text(facts, bars, missing)} ({words.seconds(missing, fps)})"


def _padding_text(facts: RunFacts, bars: list[Bar], missing: int) -> str:
    count = formatting.plural(missing, "frame")
    if len(bars) == 1 and not facts["paddings"]:
        return f"{count} repeat the last audio frame"
    kinds = {True: "mirrored speech", False: "silence"}
    return f"{count} of {kinds.get(facts.run['mirrored'], 'padding')} follow"


def _describe(facts: RunFacts, bars: list[Bar], fps: float) -> str:
    run = facts.run
    parts = [formatting.plural(len(bars), "window")]
    if run["window_frames"]:
        parts[0] += f" of {formatting.plural(run['window_frames'], 'frame')}"
    if len(bars) > 1 and run["stride"]:
        parts.append(f"one every {formatting.plural(run['stride'], 'frame')} ({words.seconds(run['stride'], fps)})")
    if len(bars) > 1 and run["motion_frames"]:
        parts.append(
            f"dark: the {formatting.plural(run['motion_frames'], 'frame')} that a window shares with the previous one"
        )
    unseen = sum(not bar.seen for bar in bars)
    if unseen:
        parts.append(f"{unseen} not in the log")
    return "; ".join(parts) + "."
