"""Figures and foreign text as the page writes them: every number with its unit, nothing invisible."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from loganalyzer.common import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING = "–"
"""Stands for a value that the log does not tell."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_COVERS = {
    "stage": "the whole stage",
    "last-window": "the last window, from its encoding to its decoding",
    "residue": "only what was left after the last VAE decode",
    "last-decode": "only the last window's VAE decode",
}


def visible(text: object) -> str:
    """`text` with control, direction and unpaired characters shown as escapes: logs and file names are foreign."""
    return _UNSEEN.sub(_escape, str(text)).replace("\n", " ").replace("\t", " ")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def told(value: object) -> str:
    """A word of the log, or the dash."""
    return NOTHING if value is None or value == "" else visible(value)


def count(value: int | None) -> str:
    """`1,234`, or the dash."""
    return NOTHING if value is None else f"{value:,}"


def number(value: float | None, unit: str, digits: int = 2) -> str:
    """`14.97 GiB`; a dash for null and for what is no finite number."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:,.{digits}f} {unit}"


def gib(value: float | None) -> str:
    """Memory as the card counts it."""
    return number(value, "GiB")


def duration(seconds: float | None) -> str:
    """`22.8 s`, `1 min 52 s`."""
    return NOTHING if seconds is None or not math.isfinite(seconds) else formatting.duration(seconds)


def step(seconds: float | None) -> str:
    """The duration of one diffusion step."""
    return number(seconds, "s")


def timecode(frames: int | None, fps: float) -> str:
    """A place in the video, `m:ss.cc`, as players show it."""
    if frames is None or fps <= 0:
        return NOTHING
    hundredths = round(frames * 100 / fps)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 100:02d}.{rest % 100:02d}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def smpte(frames: int | None, fps: float) -> str:
    """A place in the video as editors count it, `00:00:02:22`: hours, minutes, seconds, frames."""
    rate = round(fps) if math.isfinite(fps) else 0
    if frames is None or rate <= 0:
        return NOTHING
    seconds_, frame = divmod(frames, rate)
    return f"{seconds_ // 3600:02d}:{seconds_ // 60 % 60:02d}:{seconds_ % 60:02d}:{frame:02d}"


def seconds(frames: int | None, fps: float) -> str:
    """So many frames as `17.08 s`."""
    return NOTHING if frames is None or fps <= 0 else number(frames / fps, "s")


def frames(value: int | None, fps: float) -> str:
    """`427 frames (17.08 s)`."""
    return NOTHING if value is None else f"{formatting.plural(value, 'frame')} ({seconds(value, fps)})"


def span(start: int | None, end: int | None) -> str:
    """A half-open range of frames, `[72, 153)`."""
    return NOTHING if start is None or end is None else f"[{start}, {end})"


def mode(name: str | None, producer: str | None) -> str:
    """`infinitetalk`, or `infinitetalk (core)` where another program than the wrapper sampled."""
    return told(name) if producer in (None, "wrapper") else f"{told(name)} ({producer})"


def size(width: int | None, height: int | None) -> str:
    """`1280×720`."""
    return NOTHING if width is None or height is None else f"{width}×{height}"


def bytes_(value: int | None) -> str:
    """`812 B`, `2.5 KiB`, `81.5 MiB`."""
    if value is None:
        return NOTHING
    if value < 1024:
        return f"{value} B"
    return number(value / 1024, "KiB", 1) if value < 1024**2 else number(value / 1024**2, "MiB", 1)


def covers(value: str | None) -> str:
    """What a printed peak really covers, in words."""
    return _COVERS.get(value or "", "the log does not tell what this covers")


def listed(words: Sequence[str], most: int = 5) -> str:
    """`a, b, c and 4 more`."""
    shown = ", ".join(words[:most])
    left = len(words) - most
    return f"{shown} and {left:,} more" if left > 0 else shown


def left_out(number: int, noun: str) -> str:
    """What a table leaves out, and where it is; nothing where nothing is."""
    if number <= 0:
        return ""
    return f"and {formatting.plural(number, f'more {noun}')}, which this command shows:"


ALL: Final = "loganalyze THIS-FILE.html --no-html --json -"
"""Shows every row of the document inside a report."""
FROM_LOGS: Final = "loganalyze LOGS --no-html --tables DIR"
"""Has what a report of many runs does not hold."""


def median(values: Sequence[float]) -> float | None:
    """The middle one; None of nothing."""
    ordered = sorted(value for value in values if math.isfinite(value))
    if not ordered:
        return None
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
