"""Which frame counts fit an audio: the largest aligned one, the next, and the way between the two."""

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
"""Four days at 25 fps: beyond, the length is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Windows:
    """The schedule that a plan is made for, in frames; `drop` are those that every window but the last discards."""

    window: int
    motion: int
    drop: int = 0

    @property
    def stride(self) -> int:
        """Frames by which one window starts after the one before."""
        return schedule.stride(self.window, self.motion, self.drop)

    def count(self, frames: int) -> int:
        """Windows that the loop runs for so many frames of audio."""
        return schedule.count_windows(frames, self.window, self.stride)

    def rendered(self, frames: int) -> int:
        """Frames that come out of the loop for so many frames of audio."""
        return schedule.aligned_at_least(frames, self.window, self.stride)

    def announced(self, frames: int) -> int:
        """Windows that the log's header will announce."""
        return schedule.count_announced_windows(frames, self.window, self.stride)


@dataclass(frozen=True, slots=True)
class Sound:
    """The audio that is there.

    Attributes:
        seconds: its length; of several speakers the longest, or their sum.
        frames: frames it fills.
        speakers: samples of each speaker; empty where a frame count was given instead of audio.
        multi: how several speakers are put together.
        uncertainty_s: by how much `seconds` may be too long.
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
        frames: frames of the video that are driven by audio.
        windows, announced_windows: windows really run, and those that the header will announce.
        rendered_frames: frames that come out of the loop.
        request: what to type, and whether the audio has to be cut first; None where audio is still missing.
        missing_frames: frames of audio that are not there, or, of `cut_back`, frames of video that padding drives.
        padding: frames that the log's warning will name as padding; 0 where it prints none.
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
    """What fits.

    Attributes:
        recommended: the largest aligned count that the audio fills; None for audio shorter than a window.
        next_aligned: the next one, for which audio is missing.
        cut_back: render everything that the audio fills, and cut the padded end off the video; None where the audio
            is aligned, or shorter than a window.
        notes: what else is worth knowing.
        native: whether it is made for ComfyUI's own nodes, which announce nothing and take no frame count.
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
        """Whether the next aligned count lacks less audio than the recommended one leaves unused."""
        unused = self.sound.frames - self.recommended.frames if self.recommended else 0
        return self.next_aligned.missing_frames < unused


def sound(speakers: Sequence[float], fps: float, multi: Multi = "para", uncertainty_s: float = 0.0) -> Sound:
    """The sound of speakers of so many seconds each."""
    samples = [count_samples(seconds) for seconds in speakers]
    total = sum(speakers) if multi == "add" else max(speakers)
    frames = (
        int(total * fps) if len(speakers) == 1 else count_frames(sum(samples) if multi == "add" else max(samples), fps)
    )
    return Sound(total, frames, tuple(samples), multi, uncertainty_s)


def plan(given: Sound, fps: float, windows: Windows) -> Plan:
    """All ways out for this audio."""
    fitting = schedule.aligned_at_most(given.frames, windows.window, windows.stride)
    following = schedule.aligned_at_least(given.frames + 1, windows.window, windows.stride)
    recommended = None if fitting is None else _aligned(fitting, given, fps, windows)
    return Plan(
        given,
        fps,
        windows,
        recommended,
        _next(following, given, windows),
        None if fitting is None or fitting == given.frames else _cut_back(given, fps, windows),
        tuple(_notes(given, fps, windows, recommended)),
    )


def native_sound(speakers: Sequence[float], uncertainty_s: float = 0.0) -> Sound:
    """The sound of speakers of so many seconds each, as ComfyUI's own node reads it: several one after the other."""
    frames = sum(native_audio.count_frames(seconds) for seconds in speakers)
    return Sound(sum(speakers), frames, (), "add", uncertainty_s)


def native_plan(given: Sound, windows: Windows) -> Plan:
    """All ways out for this audio in ComfyUI's own nodes, one for each window."""
    fitting = schedule.aligned_at_most(given.frames, windows.window, windows.stride)
    following = schedule.aligned_at_least(given.frames + 1, windows.window, windows.stride)
    covering = schedule.aligned_at_least(given.frames, windows.window, windows.stride)
    return Plan(
        given,
        native_audio.FPS,
        windows,
        None if fitting is None else _native(fitting, fitting, 0, windows),
        _native(following, following, following - given.frames, windows),
        None if covering == given.frames else _native(given.frames, covering, covering - given.frames, windows),
        ("The node always reads 25 frames of audio a second: write the video at 25 fps.",),
        native=True,
    )


def native_aligned(count: int, windows: Windows) -> list[Choice]:
    """The first aligned counts for ComfyUI's own nodes, one window more each."""
    ends = (schedule.window_end(number, windows.window, windows.stride) for number in range(1, count + 1))
    return [_native(frames, frames, 0, windows) for frames in ends]


def _native(frames: int, rendered: int, missing: int, windows: Windows) -> Choice:
    count = windows.count(rendered)
    return Choice(frames, count, count, rendered, None, missing, 0)


def aligned(count: int, fps: float, windows: Windows) -> list[Choice]:
    """The first aligned counts, one window more each, for audio that is long enough."""
    endless = Sound(0.0, 0)
    ends = (schedule.window_end(number, windows.window, windows.stride) for number in range(1, count + 1))
    return [_aligned(frames, endless, fps, windows) for frames in ends]


def _aligned(frames: int, given: Sound, fps: float, windows: Windows) -> Choice:
    request = find_request(frames, fps, given.speakers, given.multi)
    return _choice(frames, frames, request, windows)


def _next(frames: int, given: Sound, windows: Windows) -> Choice:
    choice = _choice(frames, frames, None, windows)
    return Choice(
        choice.frames,
        choice.windows,
        choice.announced_windows,
        choice.rendered_frames,
        None,
        frames - given.frames,
        choice.padding,
    )


def _cut_back(given: Sound, fps: float, windows: Windows) -> Choice:
    """Everything the audio has."""
    request = find_request(given.frames, fps, given.speakers, given.multi)
    return _choice(
        given.frames, schedule.aligned_at_least(given.frames, windows.window, windows.stride), request, windows
    )


def _choice(frames: int, rendered: int, request: Request | None, windows: Windows) -> Choice:
    count, missing = windows.count(frames), rendered - frames
    padding = missing + schedule.CONTEXT_FRAMES if count > 1 else 0
    return Choice(frames, count, windows.announced(frames), rendered, request, missing, padding)


def _notes(given: Sound, fps: float, windows: Windows, recommended: Choice | None) -> list[str]:
    notes = []
    if recommended is not None and recommended.request is not None:
        notes += _on_request(recommended, fps)
    if not given.speakers and count_yielded_frames(given.frames, fps) != given.frames:
        notes.append(
            f"Asking for {given.frames} frames at {fps:g} fps yields {count_yielded_frames(given.frames, fps)}: "
            "upstream's float arithmetic cuts one off."
        )
    sure = int((given.seconds - given.uncertainty_s) * fps)
    if given.uncertainty_s and schedule.aligned_at_most(sure, windows.window, windows.stride) != (
        recommended.frames if recommended else None
    ):
        notes.append(
            f"The file's header may tell up to {given.uncertainty_s:g} s more than there is sound, and the count is "
            "that close to the end: look at the frames that the log's header names, or plan with a WAV or FLAC file."
        )
    return notes


def _on_request(choice: Choice, fps: float) -> list[str]:
    request = choice.request
    if request is None or (request.crop_s is None and request.frames == choice.frames):
        return []
    yields = count_yielded_frames(choice.frames, fps)
    if yields == choice.frames:
        return []
    start = (
        f"Asking for {choice.frames} frames at {fps:g} fps yields {yields}: upstream's float arithmetic cuts one off."
    )
    if request.crop_s is not None:
        return [
            f"{start} Cut the audio to {request.crop_s:g} s and ask for {request.frames}: that gives {choice.frames}."
        ]
    return [f"{start} Ask for {request.frames}: that gives {choice.frames}."]
