"""Lists the fixes for audio that ends before the video, the cheapest first, with commands to paste."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from loganalyzer.common.formatting import plural
from loganalyzer.expectations import schedule
from loganalyzer.expectations.embedding import find_request

SMALL_S: Final = 1.0
"""A shortfall below this many seconds counts as small."""
_NODE: Final = "(node MultiTalkWav2VecEmbeds)"
_BEYOND: Final = 3
"""Frames to request beyond the audio if no plain request yields its count. The node then uses all of the audio."""


class Fix(NamedTuple):
    """One fix in words, with its command if there is one."""

    text: str
    command: str = ""


class Short(NamedTuple):
    """Audio that ends before the video: the frames of both, the schedule, and the program that samples."""

    have: int
    need: int
    window: int | None = None
    stride: int | None = None
    producer: str | None = None


def format_fixes(ways: list[Fix]) -> str:
    """The fixes as one text: one line each, with its command on an indented line in backticks.

    The text also reads well without line breaks, as a page or a chat shows it.
    """
    texts = [way.text if not number else f"Or {way.text[0].lower()}{way.text[1:]}" for number, way in enumerate(ways)]
    return "\n".join(
        f"{text}\n  `{way.command}`" if way.command else text for text, way in zip(texts, ways, strict=True)
    )


def list_fixes(short: Short, fps: float) -> list[Fix]:
    """The fixes: trim the video, extend the audio, or render the largest aligned count that the audio fills.

    If the schedule does not end where the video ends, it is not the run's schedule: no smaller count is offered.
    """
    found = [trim_video(short.have, fps), extend_audio(short.need, fps, _describe_setting(short.need, fps, short))]
    fewer = _smaller_aligned(short)
    if fewer is not None:
        found.append(
            render_fewer(fewer, short.have, fps, _describe_setting(fewer, fps, short).removesuffix(f" {_NODE}"))
        )
    return found


def trim_video(frames: int, fps: float) -> Fix:
    """Cuts the end off the finished video. Nothing is rendered again, and no speech is lost."""
    return Fix(
        f"Trim the video to {plural(frames, 'frame')}:",
        f"ffmpeg -i VIDEO.mp4 -t {format_seconds(video_end_s(frames, fps))} -c:a copy OUT.mp4",
    )


def extend_audio(frames: int, fps: float, setting: str) -> Fix:
    """Adds silence to the end of the audio, so that it fills `frames`. No speech is lost."""
    length = format_seconds(audio_length_s(frames, fps))
    return Fix(
        f"Extend the audio to {length} s and render with {setting}:",
        f"ffmpeg -i AUDIO.wav -af apad=whole_dur={length} OUT.wav",
    )


def render_fewer(frames: int, have: int, fps: float, setting: str) -> Fix:
    """Renders fewer frames, all of them with audio. The speech after them is lost."""
    unused = (have - frames) / fps
    lost = f"; {unused:.2f} s of audio remain unused" if unused else ""
    return Fix(f"Render {plural(frames, 'frame')} ({frames / fps:.2f} s) with {setting}{lost}.")


def video_end_s(frames: int, fps: float) -> float:
    """The end of a video of `frames` frames in seconds, rounded down so that no further frame is kept."""
    return math.floor(frames / fps * 1000 + 1e-6) / 1000


def audio_length_s(frames: int, fps: float) -> float:
    """Seconds of audio that fill exactly `frames` frames whatever the rounding: half a frame more than needed."""
    return round((frames + 0.5) / fps, 3)


def format_seconds(value: float) -> str:
    """Seconds as text with at most three decimals, e.g. `17.08`."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _smaller_aligned(short: Short) -> int | None:
    if not short.window or not short.stride or (short.need - short.window) % short.stride:
        return None
    fewer = schedule.aligned_at_most(short.have, short.window, short.stride)
    return fewer if fewer is not None and fewer < short.need else None


def _describe_setting(frames: int, fps: float, short: Short) -> str:
    """The setting that yields `frames` frames of video."""
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
