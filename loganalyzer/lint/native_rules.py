"""ComfyUI's own InfiniteTalk: what a workflow of it shows; everything else is listed as not checked."""

from __future__ import annotations

from typing import Final

from loganalyzer.common.formatting import plural
from loganalyzer.lint.audio_rules import Found, video_rates
from loganalyzer.lint.model import Case, Fault, NotChecked, Way
from loganalyzer.workflow.native import FPS
from loganalyzer.workflow.requested import Declared, described, whole

_PERIOD: Final = 4
_USUAL_CLIP: Final = 81
_FEWER: Final = 2
"""Frames by which core's count of an audio may be below that of the wrapper."""
_UNCHECKED: Final = ("AUD001", "AUD003", "AUD005", "AUD007", "SCH004", "MOD001", "MOD002", "MOD004")


def summary(asked: Declared) -> str:
    """One line: how many clips of how many frames."""
    length = whole(asked.window_frames)
    frames = "an unknown number of frames" if length is None else f"{plural(length, 'frame')} ({length / FPS:.2f} s)"
    return f"native InfiniteTalk, {'one clip' if asked.clips == 1 else f'{asked.clips} clips'} of {frames}"


def clip(case: Case) -> Found:
    """SCH006: a length that core accepts; and what is not checked."""
    yield from (NotChecked(rule, f"{summary(case.asked)}; not checked further") for rule in _UNCHECKED)
    place = case.asked.window_frames
    length = whole(place)
    if length is None:
        yield NotChecked("SCH006", place.reason or f"{described(place)} is not a number of frames")
    elif length % _PERIOD != 1:
        yield Fault(
            "SCH006",
            place,
            f"A clip of {length} frames fails with an einops error: clips have 4k + 1 frames.",
            f"{length} frames",
            "4k + 1 frames",
            f"Set {described(place)} to {_USUAL_CLIP}.",
            (Way("", _USUAL_CLIP, "the usual clip"),),
        )


def audio(case: Case) -> Found:
    """AUD009: audio that is longer than all clips together."""
    total = whole(case.asked.requested_frames)
    if total is None:
        yield NotChecked("AUD009", case.asked.requested_frames.reason)
    elif case.sound is None:
        yield NotChecked("AUD009", "the audio's length is not known: name the file or its length with --audio")
    elif case.sound.frames - _FEWER > total:
        yield Fault(
            "AUD009",
            case.asked.requested_frames,
            f"The audio ({case.sound_from}) has {case.sound.frames} frames; the workflow makes {total} "
            f"({total / FPS:.2f} s) and cuts the rest silently.",
            f"{total} frames",
            f"{case.sound.frames} frames",
            f"Chain more clips through previous_frames, or cut the audio to {total / FPS:g} s.",
        )


def rates(case: Case) -> Found:
    """AUD008: core reads 25 embeddings per second, whatever is configured."""
    yield from video_rates(case, FPS, FPS)
