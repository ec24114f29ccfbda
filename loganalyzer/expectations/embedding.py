"""Computes frames from seconds of audio with upstream's arithmetic, including its float truncation.

The embedding node cuts each speaker's waveform to `int(requested / fps * 16000)` samples and makes
`int(samples / 16000 * fps)` frames of it (facts sheet, section 2). Together, the two truncations lose a frame for some
requests: at 25 fps, a request for 945 frames gives 944.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

SAMPLE_RATE: Final = 16_000
"""Samples per second of the waveform that the embedding is made from."""

Multi = Literal["para", "add"]
"""How several speakers are combined: `para` at the same time, padded to the longest; `add` one after the other."""

_NEAR: Final = 3
"""Requests above a frame count that may still be truncated to it."""


def count_samples(seconds: float) -> int:
    """Number of samples in this many seconds of audio."""
    return round(seconds * SAMPLE_RATE)


def count_frames(samples: int, fps: float) -> int:
    """Number of embedding frames made from this many samples."""
    return int(samples / SAMPLE_RATE * fps)


def count_requested_samples(request: int, fps: float) -> int:
    """Number of samples to which a waveform is cut for a request of `request` frames."""
    return int(request / fps * SAMPLE_RATE)


def count_yielded_frames(request: int, fps: float, speakers: Sequence[int] = (), multi: Multi = "para") -> int:
    """Number of frames that a request yields. `speakers` has the samples of each; without any, the audio is endless."""
    requested = count_requested_samples(request, fps)
    lengths = [min(samples, requested) for samples in speakers] or [requested]
    return count_frames(sum(lengths) if multi == "add" else max(lengths), fps)


@dataclass(frozen=True, slots=True)
class Request:
    """The values to enter so that the embedding has the wanted frames.

    Attributes:
        frames: the value of the node's `num_frames`.
        crop_s: seconds to which the audio must be cut first; None if it need not be cut.
    """

    frames: int
    crop_s: float | None = None


def find_request(frames: int, fps: float, speakers: Sequence[int] = (), multi: Multi = "para") -> Request:
    """The request that yields exactly this many frames, the plain one if possible.

    If every nearby request misses (945 at 25 fps gives 944, 946 gives 946), the audio itself is cut half a frame
    beyond the wanted length, and the request exceeds it.
    """
    guess = _first_guess(frames, speakers, multi, fps)
    for request in range(guess, guess + _NEAR):
        if count_yielded_frames(request, fps, speakers, multi) == frames:
            return Request(request)
    return Request(frames + _NEAR, crop_s=(frames + 0.5) / fps)


def _first_guess(frames: int, speakers: Sequence[int], multi: Multi, fps: float) -> int:
    """Where the search starts: with `add`, each speaker is cut separately, so a smaller request suffices."""
    if multi == "para" or len(speakers) < 2:
        return frames
    low, high = 1, frames
    while low < high:
        middle = (low + high) // 2
        if count_yielded_frames(middle, fps, speakers, multi) < frames:
            low = middle + 1
        else:
            high = middle
    return max(low - 1, 1)
