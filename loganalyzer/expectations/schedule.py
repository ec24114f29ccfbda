"""The arithmetic of windows over audio: the only place that does it.

A = audio frames, W = window, M = motion overlap, D = dropped frames; the stride is S = W − M − D. Window k (from 1)
covers the half-open range [S·(k−1), S·(k−1) + W). The rules were checked against the real loop for 912 settings
(facts sheet, section 1.2). Every function takes plain numbers or polars columns alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import polars as pl

    Frames = TypeVar("Frames", int, pl.Expr)
else:
    Frames = TypeVar("Frames")

CONTEXT_FRAMES = 3
"""What upstream appends beyond the need: the ±2 neighbourhood of the last frame, and its `>=` test."""


def stride(window: Frames, motion: Frames, drop: Frames) -> Frames:
    """Frames by which one window starts after the one before."""
    return window - motion - drop


def windows(audio: Frames, window: Frames, step: Frames) -> Frames:
    """Windows that the loop really runs: it stops at the first whose end reaches the audio's length."""
    return (audio > window) * -(-(audio - window) // step) + 1


def windows_before_september_2025(audio: Frames, window: Frames, step: Frames) -> Frames:
    """The same until 2025-09-05, when there was no one-window case: audio of A <= W ran two windows."""
    return (audio > window) * (-(-(audio - window) // step) - 1) + 2


def announced(audio: Frames, window: Frames, step: Frames) -> Frames:
    """The header's count: an estimate made for the preview, one too many for every aligned length."""
    return (audio > window) * (audio // step) + 1


def start(number: Frames, step: Frames) -> Frames:
    """First audio frame of window `number` (from 1)."""
    return (number - 1) * step


def end(number: Frames, window: Frames, step: Frames) -> Frames:
    """First audio frame behind window `number`: the end is exclusive."""
    return start(number, step) + window


def is_aligned(audio: Frames, window: Frames, step: Frames) -> Frames:
    """Whether the audio ends exactly where a window ends, so that nothing but context is padded."""
    return (audio >= window) & ((audio - window) % step == 0)


def aligned_at_most(audio: int, window: int, step: int) -> int | None:
    """The largest aligned length that the audio fills; None for audio shorter than one window."""
    return window + (audio - window) // step * step if audio >= window else None


def aligned_at_least(audio: int, window: int, step: int) -> int:
    """The smallest aligned length that holds the audio; all of it beyond `audio` would be padding."""
    return end(windows(audio, window, step), window, step)


def animate_windows(audio: Frames, window: Frames) -> Frames:
    """WanAnimate's count: it starts a window every W − 1 frames until start + 1 reaches the length."""
    return -(-(audio - 1) // (window - 1))


def boundaries(count: int, step: int) -> list[int]:
    """The frames at which windows 2, 3, … begin: where degradation shows."""
    return [start(number, step) for number in range(2, count + 1)]
