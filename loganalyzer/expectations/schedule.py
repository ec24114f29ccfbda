"""Computes windows over audio. No other module does this arithmetic.

A = audio frames, W = window, M = motion overlap, D = dropped frames; the stride is S = W − M − D. Window k (from 1)
covers the half-open range [S·(k−1), S·(k−1) + W). The rules were checked against the real loop for 912 settings
(facts sheet, section 1.2). Every function accepts plain numbers or polars columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import polars as pl

    Frames = TypeVar("Frames", int, pl.Expr)
else:
    Frames = TypeVar("Frames")

CONTEXT_FRAMES = 3
"""Frames that upstream appends beyond the need: the ±2 neighborhood of the last frame, and its `>=` test."""


def stride(window: Frames, motion: Frames, drop: Frames) -> Frames:
    """Frames between the starts of consecutive windows."""
    return window - motion - drop


def count_windows(audio: Frames, window: Frames, step: Frames) -> Frames:
    """Number of windows that the loop runs: it stops at the first window whose end reaches the audio's length."""
    return (audio > window) * -(-(audio - window) // step) + 1


def count_windows_before_september_2025(audio: Frames, window: Frames, step: Frames) -> Frames:
    """The same until 2025-09-05, when there was no one-window case: audio with A <= W ran two windows."""
    return (audio > window) * (-(-(audio - window) // step) - 1) + 2


def count_announced_windows(audio: Frames, window: Frames, step: Frames) -> Frames:
    """The header's count, which upstream estimates for the preview: one too many for every aligned length."""
    return (audio > window) * (audio // step) + 1


def window_start(number: Frames, step: Frames) -> Frames:
    """First audio frame of window `number` (from 1)."""
    return (number - 1) * step


def window_end(number: Frames, window: Frames, step: Frames) -> Frames:
    """First audio frame after window `number`: the end is exclusive."""
    return window_start(number, step) + window


def is_aligned(audio: Frames, window: Frames, step: Frames) -> Frames:
    """Whether the audio ends exactly at a window's end, so that only context is padded."""
    return (audio >= window) & ((audio - window) % step == 0)


def aligned_at_most(audio: int, window: int, step: int) -> int | None:
    """The largest aligned length that the audio fills; None if the audio is shorter than one window."""
    return window + (audio - window) // step * step if audio >= window else None


def aligned_at_least(audio: int, window: int, step: int) -> int:
    """The smallest aligned length that contains the audio; everything beyond `audio` would be padding."""
    return window_end(count_windows(audio, window, step), window, step)


def count_animate_windows(audio: Frames, window: Frames) -> Frames:
    """WanAnimate's count: it starts a window every W − 1 frames until start + 1 reaches the length."""
    return -(-(audio - 1) // (window - 1))


def window_boundaries(count: int, step: int) -> list[int]:
    """The frames at which windows 2, 3, … start: where degradation shows."""
    return [window_start(number, step) for number in range(2, count + 1)]
