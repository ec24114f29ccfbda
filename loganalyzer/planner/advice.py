"""What to do about audio that ends before the video does: every way out, the cheapest first, ready to paste."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from loganalyzer.common.formatting import plural
from loganalyzer.expectations import schedule
from loganalyzer.expectations.embedding import find_request

SMALL_S: Final = 1.0
"""A shortfall below this many seconds is called small."""
_NODE: Final = "(node MultiTalkWav2VecEmbeds)"
_BEYOND: Final = 3
"""Frames to ask for beyond the audio where no plain request yields its count: then all of the audio is used."""


class Way(NamedTuple):
    """A way out in words, and the command that does it, if one does."""

    text: str
    command: str = ""


class Short(NamedTuple):
    """Audio that ends before the video: frames of both, the schedule, and the program that samples."""

    have: int
    need: int
    window: int | None = None
    stride: int | None = None
    producer: str | None = None


def as_fix(ways: list[Way]) -> str:
    """The ways as the text of a fix: a line each, and their commands on lines of their own: indented, in backticks.

    It can be read without line breaks too, as a page or a chat shows it.
    """
    texts = [way.text if not number else f"Or {way.text[0].lower()}{way.text[1:]}" for number, way in enumerate(ways)]
    return "\n".join(
        f"{text}\n  `{way.command}`" if way.command else text for text, way in zip(texts, ways, strict=True)
    )


def ways_out(short: Short, fps: float) -> list[Way]:
    """Trim the video, extend the audio, or render the largest aligned count that the audio fills.

    No smaller count is named where the schedule does not end where the video does: then it is not the run's.
    """
    found = [trim(short.have, fps), extend(short.need, fps, _set(short.need, fps, short))]
    fewer = _fewer(short)
    if fewer is not None:
        found.append(replan(fewer, short.have, fps, _set(fewer, fps, short).removesuffix(f" {_NODE}")))
    return found


def trim(frames: int, fps: float) -> Way:
    """Cut the end off the finished video: nothing is rendered again, and no speech is lost."""
    return Way(
        f"Trim the video to {plural(frames, 'frame')}:",
        f"ffmpeg -i VIDEO.mp4 -t {seconds(until(frames, fps))} -c:a copy OUT.mp4",
    )


def extend(frames: int, fps: float, setting: str) -> Way:
    """Silence behind the audio, so that it holds so many frames: no speech is lost."""
    length = seconds(covering(frames, fps))
    return Way(
        f"Extend the audio to {length} s and render with {setting}:",
        f"ffmpeg -i AUDIO.wav -af apad=whole_dur={length} OUT.wav",
    )


def replan(frames: int, have: int, fps: float, setting: str) -> Way:
    """Fewer frames, all of them with audio: the speech beyond them is lost."""
    unused = (have - frames) / fps
    lost = f"; {unused:.2f} s of audio stay unused" if unused else ""
    return Way(f"Render {plural(frames, 'frame')} ({frames / fps:.2f} s) with {setting}{lost}.")


def until(frames: int, fps: float) -> float:
    """Where a video of so many frames ends, in seconds: never beyond, so that no further frame is kept."""
    return math.floor(frames / fps * 1000 + 1e-6) / 1000


def covering(frames: int, fps: float) -> float:
    """Seconds of audio that surely hold so many frames and no more: half a frame beyond."""
    return round((frames + 0.5) / fps, 3)


def seconds(value: float) -> str:
    """`17.08`: milliseconds as far as there are any."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _fewer(short: Short) -> int | None:
    if not short.window or not short.stride or (short.need - short.window) % short.stride:
        return None
    fewer = schedule.aligned_at_most(short.have, short.window, short.stride)
    return fewer if fewer is not None and fewer < short.need else None


def _set(frames: int, fps: float, short: Short) -> str:
    """What to set for so many frames of video."""
    if short.producer == "core" and short.window and short.stride:
        return plural((frames - short.window) // short.stride + 1, "WanInfiniteTalkToVideo node")
    if short.producer not in (None, "wrapper"):
        return plural(frames, "frame")
    request = find_request(frames, fps)
    if request.crop_s is None:
        return f"num_frames = {request.frames} {_NODE}"
    if frames == short.need:
        return f"num_frames = {frames + _BEYOND} {_NODE}"
    return f"the audio cut to {request.crop_s:g} s and num_frames = {request.frames} {_NODE}"
