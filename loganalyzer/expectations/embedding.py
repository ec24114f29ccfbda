"""How seconds of audio become frames: upstream's own arithmetic, with its float truncation.

The embedding node cuts each speaker's waveform to `int(requested / fps * 16000)` samples and makes
`int(samples / 16000 * fps)` frames of it (facts sheet, section 2). Both truncations together lose a frame for some
requests: at 25 fps 945 frames asked for give 944.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

SAMPLE_RATE: Final = 16_000
"""Samples a second of the waveform that the embedding is made of."""

Multi = Literal["para", "add"]
"""How several speakers are put together: `para` at the same time, padded to the longest; `add` one after the other."""

_NEAR: Final = 3
"""Requests above a count that may still be truncated to it."""


def samples_of(seconds: float) -> int:
    """Samples of so many seconds of audio."""
    return round(seconds * SAMPLE_RATE)


def frames_of(samples: int, fps: float) -> int:
    """Frames of the embedding of so many samples."""
    return int(samples / SAMPLE_RATE * fps)


def samples_asked(request: int, fps: float) -> int:
    """Samples to which a waveform is cut where `request` frames are asked for."""
    return int(request / fps * SAMPLE_RATE)


def frames_given(request: int, fps: float, speakers: Sequence[int] = (), multi: Multi = "para") -> int:
    """Frames that a request really yields, from speakers of so many samples each; without any, from endless audio."""
    asked = samples_asked(request, fps)
    lengths = [min(samples, asked) for samples in speakers] or [asked]
    return frames_of(sum(lengths) if multi == "add" else max(lengths), fps)


@dataclass(frozen=True, slots=True)
class Request:
    """What to type so that the embedding has the wanted frames.

    Attributes:
        frames: the value of the node's `num_frames`.
        crop_s: seconds to which the audio has to be cut before; None where it need not be.
    """

    frames: int
    crop_s: float | None = None


def request_for(frames: int, fps: float, speakers: Sequence[int] = (), multi: Multi = "para") -> Request:
    """The request that yields exactly so many frames, the plain one first.

    Where every request near it misses (945 at 25 fps gives 944, 946 gives 946), the audio itself is cut to half a
    frame beyond, and more frames are asked for than it has.
    """
    guess = _guess(frames, speakers, multi, fps)
    for request in range(guess, guess + _NEAR):
        if frames_given(request, fps, speakers, multi) == frames:
            return Request(request)
    return Request(frames + _NEAR, crop_s=(frames + 0.5) / fps)


def _guess(frames: int, speakers: Sequence[int], multi: Multi, fps: float) -> int:
    """Where to look from: with `add`, each speaker is cut by itself, so that less has to be asked for."""
    if multi == "para" or len(speakers) < 2:
        return frames
    low, high = 1, frames
    while low < high:
        middle = (low + high) // 2
        if frames_given(middle, fps, speakers, multi) < frames:
            low = middle + 1
        else:
            high = middle
    return max(low - 1, 1)
