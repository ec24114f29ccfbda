"""Finds the frame counts that fit an audio file: the largest aligned one, the next one, and a trimmed render."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from loganalyzer.expectations import native_audio, schedule
from loganalyzer.expectations.embedding import (
    Multi,
    Request,
    count_frames,
    count_samples,
    count_yielded_frames,
    find_request,
)

MOST_FRAMES: Final = 10_000_000
"""Four days at 25 fps; a longer audio is a typing error."""


@dataclass(frozen=True, slots=True)
class Windows:
    """The window schedule of a plan, in frames; every window but the last discards `drop` frames."""

    window: int
    motion: int
    drop: int = 0

    @property
    def stride(self) -> int:
        """Frames from the start of one window to the start of the next."""
        return schedule.stride(self.window, self.motion, self.drop)

    def count(self, frames: int) -> int:
        """The number of windows that the loop runs for this many frames of audio."""
        return schedule.count_windows(frames, self.window, self.stride)

    def rendered(self, frames: int) -> int:
        """The number of frames that the loop renders for this many frames of audio."""
        return schedule.aligned_at_least(frames, self.window, self.stride)

    def announced(self, frames: int) -> int:
        """The number of windows that the log's header announces."""
        return schedule.count_announced_windows(frames, self.window, self.stride)


@dataclass(frozen=True, slots=True)
class Sound:
    """The available audio.

    Attributes:
        seconds: its length; with several speakers the longest, or their sum.
        frames: video frames that it fills.
        speakers: samples of each speaker; empty if a frame count was given instead of audio.
        multi: how several speakers are combined.
        uncertainty_s: by how many seconds `seconds` may be too long.
    """

    seconds: float
    frames: int
    speakers: tuple[int, ...] = ()
    multi: Multi = "para"
    uncertainty_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to render.

    Attributes:
        frames: frames of the video that audio drives.
        windows, announced_windows: windows that run, and windows that the header announces.
        rendered_frames: frames that the loop renders.
        request: the frame count to enter, and whether to cut the audio first; None while audio is missing.
        missing_frames: frames without audio; for `cut_back`, the frames of the video that padding drives.
        padding: padding frames that the log's warning names; 0 without a warning.
    """

    frames: int
    windows: int
    announced_windows: int
    rendered_frames: int
    request: Request | None
    missing_frames: int
    padding: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The choices for one audio.

    Attributes:
        recommended: the largest aligned count that the audio fills; None for audio shorter than a window.
        next_aligned: the next aligned count, which needs more audio.
        cut_back: render all of the audio, then cut the padded end off the video; None if the audio is aligned, or
            shorter than a window.
        notes: further remarks.
        native: whether the plan is for ComfyUI's own nodes, which announce nothing and take no frame count.
    """

    sound: Sound
    fps: float
    windows: Windows
    recommended: Choice | None
    next_aligned: Choice
    cut_back: Choice | None
    notes: tuple[str, ...]
    native: bool = False

    @property
    def is_longer_cheaper(self) -> bool:
        """Whether the next aligned count needs less extra audio than the recommended one leaves unused."""
        unused = self.sound.frames - self.recommended.frames if self.recommended else 0
        return self.next_aligned.missing_frames < unused


def measure_audio(speakers: Sequence[float], fps: float, multi: Multi = "para", uncertainty_s: float = 0.0) -> Sound:
    """The available audio of speakers with these lengths in seconds."""
    samples = [count_samples(seconds) for seconds in speakers]
    total = sum(speakers) if multi == "add" else max(speakers)
    frames = (
        int(total * fps) if len(speakers) == 1 else count_frames(sum(samples) if multi == "add" else max(samples), fps)
    )
    return Sound(total, frames, tuple(samples), multi, uncertainty_s)


def make_plan(given: Sound, fps: float, windows: Windows) -> Plan:
    """The plan for this audio: every choice."""
    fitting = schedule.aligned_at_most(given.frames, windows.window, windows.stride)
    following = schedule.aligned_at_least(given.frames + 1, windows.window, windows.stride)
    recommended = None if fitting is None else _aligned_choice(fitting, given, fps, windows)
    return Plan(
        given,
        fps,
        windows,
        recommended,
        _next_choice(following, given, windows),
        None if fitting is None or fitting == given.frames else _trimmed_choice(given, fps, windows),
        tuple(_collect_notes(given, fps, windows, recommended)),
    )


def measure_native_audio(speakers: Sequence[float], uncertainty_s: float = 0.0) -> Sound:
    """As `measure_audio`, for ComfyUI's own node, which plays several speakers one after the other."""
    frames = sum(native_audio.count_frames(seconds) for seconds in speakers)
    return Sound(sum(speakers), frames, (), "add", uncertainty_s)


def make_native_plan(given: Sound, windows: Windows) -> Plan:
    """As `make_plan`, for ComfyUI's own nodes: one node per window."""
    fitting = schedule.aligned_at_most(given.frames, windows.window, windows.stride)
    following = schedule.aligned_at_least(given.frames + 1, windows.window, windows.stride)
    covering = schedule.aligned_at_least(given.frames, windows.window, windows.stride)
    return Plan(
        given,
        native_audio.FPS,
        windows,
        None if fitting is None else _native_choice(fitting, fitting, 0, windows),
        _native_choice(following, following, following - given.frames, windows),
        None if covering == given.frames else _native_choice(given.frames, covering, covering - given.frames, windows),
        ("The node always reads 25 frames of audio per second: write the video at 25 fps.",),
        native=True,
    )


def list_native_aligned(count: int, windows: Windows) -> list[Choice]:
    """The choices of 1 to `count` windows for ComfyUI's own nodes."""
    ends = (schedule.window_end(number, windows.window, windows.stride) for number in range(1, count + 1))
    return [_native_choice(frames, frames, 0, windows) for frames in ends]


def _native_choice(frames: int, rendered: int, missing: int, windows: Windows) -> Choice:
    count = windows.count(rendered)
    return Choice(frames, count, count, rendered, None, missing, 0)


def list_aligned(count: int, fps: float, windows: Windows) -> list[Choice]:
    """The choices of 1 to `count` windows, for audio that is long enough."""
    endless = Sound(0.0, 0)
    ends = (schedule.window_end(number, windows.window, windows.stride) for number in range(1, count + 1))
    return [_aligned_choice(frames, endless, fps, windows) for frames in ends]


def _aligned_choice(frames: int, given: Sound, fps: float, windows: Windows) -> Choice:
    request = find_request(frames, fps, given.speakers, given.multi)
    return _build_choice(frames, frames, request, windows)


def _next_choice(frames: int, given: Sound, windows: Windows) -> Choice:
    choice = _build_choice(frames, frames, None, windows)
    return Choice(
        choice.frames,
        choice.windows,
        choice.announced_windows,
        choice.rendered_frames,
        None,
        frames - given.frames,
        choice.padding,
    )


def _trimmed_choice(given: Sound, fps: float, windows: Windows) -> Choice:
    """The choice that renders all of the audio; the video is cut afterwards."""
    request = find_request(given.frames, fps, given.speakers, given.multi)
    return _build_choice(
        given.frames, schedule.aligned_at_least(given.frames, windows.window, windows.stride), request, windows
    )


def _build_choice(frames: int, rendered: int, request: Request | None, windows: Windows) -> Choice:
    count, missing = windows.count(frames), rendered - frames
    padding = missing + schedule.CONTEXT_FRAMES if count > 1 else 0
    return Choice(frames, count, windows.announced(frames), rendered, request, missing, padding)


def _collect_notes(given: Sound, fps: float, windows: Windows, recommended: Choice | None) -> list[str]:
    notes = []
    if recommended is not None and recommended.request is not None:
        notes += _request_notes(recommended, fps)
    if not given.speakers and count_yielded_frames(given.frames, fps) != given.frames:
        notes.append(
            f"A request for {given.frames} frames at {fps:g} fps yields {count_yielded_frames(given.frames, fps)}: "
            "upstream's float rounding drops one."
        )
    sure = int((given.seconds - given.uncertainty_s) * fps)
    if given.uncertainty_s and schedule.aligned_at_most(sure, windows.window, windows.stride) != (
        recommended.frames if recommended else None
    ):
        notes.append(
            f"The file's header may overstate the length by up to {given.uncertainty_s:g} s, and the count depends on "
            "it. Check the frame count in the log's header, or plan with a WAV or FLAC file."
        )
    return notes


def _request_notes(choice: Choice, fps: float) -> list[str]:
    request = choice.request
    if request is None or (request.crop_s is None and request.frames == choice.frames):
        return []
    yields = count_yielded_frames(choice.frames, fps)
    if yields == choice.frames:
        return []
    start = f"A request for {choice.frames} frames at {fps:g} fps yields {yields}: upstream's float rounding drops one."
    if request.crop_s is not None:
        return [
            f"{start} Cut the audio to {request.crop_s:g} s and request {request.frames}: this yields {choice.frames}."
        ]
    return [f"{start} Request {request.frames}: this yields {choice.frames}."]
