"""The windows as bars over the audio that they read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from loganalyzer.common import formatting
from loganalyzer.report import words
from loganalyzer.report.figures.canvas import Canvas, Margins
from loganalyzer.report.figures.scale import thinned
from loganalyzer.report.model import Figure

if TYPE_CHECKING:
    from loganalyzer.report.facts import RunFacts

MOST_WINDOWS: Final = 120
"""More bars than these cannot be told apart."""
_WIDTH: Final = 960
_MARGINS: Final = Margins(left=70, right=26, top=26, bottom=40)
_CASCADE: Final = 8
"""Up to here each window has a lane of its own; beyond, three lanes in turn keep neighbours apart."""
_LANE: Final = 23
_BAR: Final = 17
_AUDIO: Final = 30


class Bar(NamedTuple):
    """A window as drawn: its range, whether it was seen, and whether it lies where it should."""

    number: int
    start: int
    end: int
    seen: bool
    fits: bool


def draw(facts: RunFacts, fps: float) -> Figure | None:
    """The schedule of a run; nothing where no range is known, or where there are too many to draw."""
    bars = _bars(facts)
    audio = facts.run["audio_frames"]
    if not bars or len(bars) > MOST_WINDOWS or max(bar.end for bar in bars) <= 0:
        return None
    reach = max(audio or 0, *(bar.end for bar in bars))
    lanes = len(bars) if len(bars) <= _CASCADE else 3
    height = _AUDIO + lanes * _LANE
    canvas = Canvas((_WIDTH, height + _MARGINS.top + _MARGINS.bottom), _MARGINS, (0, reach), (0, height))
    _axis(canvas, bars, reach, height, fps)
    _windows(canvas, bars, lanes)
    if audio:
        _audio(canvas, facts, bars, height, fps)
    _numbers(canvas, bars, lanes, _padded_from(facts, bars[-1]))
    tail = _tail(facts, bars, fps)
    title = f"Windows over the audio of {facts.place}"
    drawing = canvas.svg(f"{facts.anchor}-schedule", title, f"{_described(facts, bars, fps)} {tail}".strip())
    return Figure("Schedule", drawing, _described(facts, bars, fps), wide=True)


def _bars(facts: RunFacts) -> list[Bar]:
    bars = []
    for row in facts["windows"]:
        seen = row["audio_start"] is not None and row["audio_end"] is not None
        start, end = (row["audio_start"], row["audio_end"]) if seen else (row["expected_start"], row["expected_end"])
        if start is not None and end is not None:
            bars.append(Bar(row["window"], start, end, seen, row["matches"] is not False))
    return bars


def _axis(canvas: Canvas, bars: list[Bar], reach: int, height: float, fps: float) -> None:
    """Frames and times where windows begin; a hairline at every boundary."""
    canvas.lines([((0, 0), (reach, 0))], "line", 1)
    canvas.lines([((bar.start, 0), (bar.start, height)) for bar in bars[1:]], "line", 1, dashed=True)
    inner = _WIDTH - _MARGINS.left - _MARGINS.right
    fitting = max(1, min(len(bars), int(inner / (max(bar.start for bar in bars) / reach or 1) / 60) or 1))
    room = thinned(bars, min(fitting, 14))
    canvas.text((0, 0), "frame", anchor="left", shift=(2 - _MARGINS.left, -12))
    canvas.text((0, 0), "time", anchor="left", shift=(2 - _MARGINS.left, -27))
    for bar in room:
        canvas.text((bar.start, 0), words.count(bar.start), colour="ink", shift=(0, -12))
        canvas.text((bar.start, 0), words.timecode(bar.start, fps), shift=(0, -27))


def _windows(canvas: Canvas, bars: list[Bar], lanes: int) -> None:
    """Bars first, then what they share with the one before: equal marks in a row make one path."""
    for index, bar in enumerate(bars):
        fill, edge = ("accent-soft", "accent") if bar.seen else ("surface", "line")
        if not bar.fits:
            fill, edge = "error-soft", "error"
        canvas.box((bar.start, _bottom(index, lanes)), (bar.end - bar.start, _BAR), fill=fill, edge=edge)
    for index, bar in enumerate(bars[1:], 1):
        shared = bars[index - 1].end - bar.start
        if bar.seen and bar.fits and 0 < shared < bar.end - bar.start:
            canvas.box((bar.start, _bottom(index, lanes)), (shared, _BAR), fill="accent-deep")
    canvas.text((0, lanes * _LANE - _LANE / 2), "windows", anchor="left", shift=(2 - _MARGINS.left, 0))


def _bottom(index: int, lanes: int) -> float:
    """Where the bar of the `index`-th window (from 0) stands: from the top lane down, then again from the top."""
    return (lanes - 1 - index % lanes) * _LANE + (_LANE - _BAR) / 2


def _numbers(canvas: Canvas, bars: list[Bar], lanes: int, begin: int) -> None:
    """Each window's number where there is room for it, in the part that audio drives."""
    for index, bar in enumerate(bars):
        end = begin if bar.seen and bar.start < begin < bar.end and bar is bars[-1] else bar.end
        text = str(bar.number) if bar.seen else f"{bar.number} not seen"
        place = ((bar.start + end) / 2, _bottom(index, lanes) + _BAR / 2)
        if canvas.length(end - bar.start) >= 7 * len(text):
            canvas.text(place, text, colour="ink" if bar.seen else "muted")


def _audio(canvas: Canvas, facts: RunFacts, bars: list[Bar], height: float, fps: float) -> None:
    """The audio itself, where it ends, and the part of the last window beyond it."""
    audio = facts.run["audio_frames"]
    last = bars[-1]
    bottom = height - _AUDIO + 9
    canvas.box((0, bottom), (audio, 12), fill="audio")
    canvas.text((0, bottom + 6), "audio", anchor="left", shift=(2 - _MARGINS.left, 0))
    begin = _padded_from(facts, last)
    padded = last.seen and begin < last.end
    if padded:
        lanes = round((height - _AUDIO) / _LANE)
        canvas.box((begin, _bottom(len(bars) - 1, lanes)), (last.end - begin, _BAR), fill="hatch", edge="error")
        canvas.lines([((begin, 0), (begin, height))], "error", 1.2)
    colour = "error" if padded else "muted"
    canvas.text((max(audio, last.end), height), _tail(facts, bars, fps), colour=colour, anchor="right", shift=(0, 8))


def _padded_from(facts: RunFacts, last: Bar) -> int:
    """The first frame of the last window that no audio drives: the shortest speaker counts."""
    ends: list[int] = [
        row["have"] for row in facts["paddings"] if row["have"] is not None and (row["missing"] or 0) > 0
    ]
    ends.append(facts.run["audio_frames"] or last.end)
    return max(last.start, min(ends))


def _tail(facts: RunFacts, bars: list[Bar], fps: float) -> str:
    """Where the audio ends, and what follows it."""
    audio, last = facts.run["audio_frames"], bars[-1]
    if not audio:
        return ""
    ends = f"audio ends at frame {words.count(audio)} ({words.timecode(audio, fps)})"
    if not last.seen:
        return ends
    begin = _padded_from(facts, last)
    if begin < min(audio, last.end):
        ends = f"one speaker's audio ends at frame {words.count(begin)} ({words.timecode(begin, fps)})"
    missing = last.end - begin
    if missing <= 0:
        return f"{ends}, with the last window" if audio == last.end else ends
    return f"{ends}; {_filling(facts, bars, missing)} ({words.seconds(missing, fps)})"


def _filling(facts: RunFacts, bars: list[Bar], missing: int) -> str:
    count = formatting.plural(missing, "frame")
    if len(bars) == 1 and not facts["paddings"]:
        return f"{count} repeat its last frame"
    kinds = {True: "mirrored speech", False: "silence"}
    return f"{count} of {kinds.get(facts.run['mirrored'], 'padding')} follow"


def _described(facts: RunFacts, bars: list[Bar], fps: float) -> str:
    run = facts.run
    parts = [formatting.plural(len(bars), "window")]
    if run["window_frames"]:
        parts[0] += f" of {formatting.plural(run['window_frames'], 'frame')}"
    if len(bars) > 1 and run["stride"]:
        parts.append(f"one every {formatting.plural(run['stride'], 'frame')} ({words.seconds(run['stride'], fps)})")
    if len(bars) > 1 and run["motion_frames"]:
        parts.append(
            f"the darker {formatting.plural(run['motion_frames'], 'frame')} of each are shared with the one before"
        )
    unseen = sum(not bar.seen for bar in bars)
    if unseen:
        parts.append(f"{unseen} not seen in the log")
    return "; ".join(parts) + "."
