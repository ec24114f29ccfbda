"""Formats numbers and foreign text for the page: every number has its unit, invisible characters become visible."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from loganalyzer.common import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

DASH = "–"
"""Shown for a value that is not in the log."""

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_COVERS = {
    "stage": "the complete stage",
    "last-window": "the last window, from encoding to decoding",
    "residue": "only the memory left after the last VAE decode",
    "last-decode": "only the VAE decode of the last window",
}


def visible(text: object) -> str:
    """`text` with control characters, direction marks and lone surrogates as escapes, for text from logs and paths."""
    return _INVISIBLE.sub(_escape, str(text)).replace("\n", " ").replace("\t", " ")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def or_dash(value: object) -> str:
    """The value as visible text; a dash if it is empty or unknown."""
    return DASH if value is None or value == "" else visible(value)


def count(value: int | None) -> str:
    """`1,234`; a dash if it is unknown."""
    return DASH if value is None else f"{value:,}"


def number(value: float | None, unit: str, digits: int = 2) -> str:
    """`14.97 GiB`; a dash if it is unknown or not finite."""
    if value is None or not math.isfinite(value):
        return DASH
    return f"{value:,.{digits}f} {unit}"


def gib(value: float | None) -> str:
    """An amount of memory in GiB."""
    return number(value, "GiB")


def duration(seconds: float | None) -> str:
    """A duration: `22.8 s`, `1 min 52 s`."""
    return DASH if seconds is None or not math.isfinite(seconds) else formatting.duration(seconds)


def step(seconds: float | None) -> str:
    """The duration of one diffusion step."""
    return number(seconds, "s")


def timecode(frames: int | None, fps: float) -> str:
    """A position in the video as players show it, `m:ss.cc`."""
    if frames is None or fps <= 0:
        return DASH
    hundredths = round(frames * 100 / fps)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 100:02d}.{rest % 100:02d}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def smpte(frames: int | None, fps: float) -> str:
    """A position in the video as editors show it, `00:00:02:22`: hours, minutes, seconds, frames."""
    rate = round(fps) if math.isfinite(fps) else 0
    if frames is None or rate <= 0:
        return DASH
    seconds_, frame = divmod(frames, rate)
    return f"{seconds_ // 3600:02d}:{seconds_ // 60 % 60:02d}:{seconds_ % 60:02d}:{frame:02d}"


def seconds(frames: int | None, fps: float) -> str:
    """The duration of a number of frames, `17.08 s`."""
    return DASH if frames is None or fps <= 0 else number(frames / fps, "s")


def frames(value: int | None, fps: float) -> str:
    """A number of frames with its duration, `427 frames (17.08 s)`."""
    return DASH if value is None else f"{formatting.plural(value, 'frame')} ({seconds(value, fps)})"


def span(start: int | None, end: int | None) -> str:
    """A half-open range of frames, `[72, 153)`."""
    return DASH if start is None or end is None else f"[{start}, {end})"


def mode(name: str | None, producer: str | None) -> str:
    """`infinitetalk`, or `infinitetalk (core)` if another program than the wrapper was the sampler."""
    return or_dash(name) if producer in (None, "wrapper") else f"{or_dash(name)} ({producer})"


def size(width: int | None, height: int | None) -> str:
    """`1280×720`."""
    return DASH if width is None or height is None else f"{width}×{height}"


def byte_size(value: int | None) -> str:
    """`812 B`, `2.5 KiB`, `81.5 MiB`."""
    if value is None:
        return DASH
    if value < 1024:
        return f"{value} B"
    return number(value / 1024, "KiB", 1) if value < 1024**2 else number(value / 1024**2, "MiB", 1)


def covers(value: str | None) -> str:
    """What a printed peak covers, in words."""
    return _COVERS.get(value or "", "the log does not say what it covers")


def join_first(words: Sequence[str], most: int = 5) -> str:
    """`a, b, c and 4 more`."""
    shown = ", ".join(words[:most])
    left = len(words) - most
    return f"{shown} and {left:,} more" if left > 0 else shown


def describe_rest(number: int, noun: str) -> str:
    """A sentence before the command that shows the omitted rows; empty if there are none."""
    if number <= 0:
        return ""
    return f"{formatting.plural(number, f'more {noun}')}. To see all:"


ALL_ROWS_COMMAND: Final = "loganalyze THIS-FILE.html --no-html --json -"
"""Prints every row of the document embedded in a report."""
FROM_LOGS_COMMAND: Final = "loganalyze LOGS --no-html --tables DIR"
"""Writes the rows that a report of many runs omits."""


def median(values: Sequence[float]) -> float | None:
    """The median of the finite values; None if there are none."""
    ordered = sorted(value for value in values if math.isfinite(value))
    if not ordered:
        return None
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
