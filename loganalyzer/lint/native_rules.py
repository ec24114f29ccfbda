"""Checks clips of ComfyUI's own InfiniteTalk nodes: length, overlap and audio, in the arithmetic of these nodes."""

from __future__ import annotations

from typing import Final

from loganalyzer.common.formatting import plural
from loganalyzer.lint import setting_rules
from loganalyzer.lint.audio_rules import Found, check_video_rates
from loganalyzer.lint.model import Case, Fault, NotChecked, Way
from loganalyzer.workflow.native import FPS
from loganalyzer.workflow.requested import SamplerSettings, as_int, locate
from loganalyzer.workflow.values import Value

_PERIOD: Final = 4
_USUAL_CLIP: Final = 81
_ROUNDING: Final = 1
"""Frames by which the audio may exceed the video: rounding."""
_AUDIO: Final = ("AUD001", "AUD009")


def summarize_clips(requested: SamplerSettings) -> str:
    """Returns one line with the number of clips and their frames."""
    length = as_int(requested.window_frames)
    frames = "an unknown number of frames" if length is None else f"{plural(length, 'frame')} ({length / FPS:.2f} s)"
    return f"native InfiniteTalk, {'one clip' if requested.clips == 1 else f'{requested.clips} clips'} of {frames}"


def check_clip(case: Case) -> Found:
    """SCH004, SCH006: checks a clip's length and overlap. A clip that continues another may be shorter."""
    place = case.requested.window_frames
    length = as_int(place)
    if length is None:
        reason = place.reason or f"{locate(place)} is not a number of frames"
        yield from (NotChecked(rule, reason) for rule in ("SCH004", "SCH006"))
    elif length % _PERIOD != 1:
        yield Fault(
            "SCH006",
            place,
            f"A clip of {length} frames fails with an einops error: clips need 4k + 1 frames.",
            f"{length} frames",
            "4k + 1 frames",
            f"Set {locate(place)} to {_USUAL_CLIP}.",
            (Way("", _USUAL_CLIP, "the usual clip"),),
        )
    elif as_int(case.requested.motion_frames) is None:
        yield NotChecked("SCH004", case.requested.motion_frames.reason or "the overlap is not a whole number")
    elif not (case.requested.continues and length < case.settings.window_frames):
        yield from setting_rules.compare_schedule(case)


def check_audio(case: Case) -> Found:
    """AUD001, AUD009: finds audio that is shorter or longer than all clips together."""
    requested = case.requested.requested_frames
    total = as_int(requested)
    if total is None:
        yield from (NotChecked(rule, requested.reason) for rule in _AUDIO)
    elif case.sound is None:
        reason = "the audio's length is unknown: pass the file or its length with --audio"
        yield from (NotChecked(rule, reason) for rule in _AUDIO)
    elif case.sound.frames < total:
        yield _missing_fault(requested, total, case.sound.frames, case.sound_from)
    elif case.sound.frames - _ROUNDING > total:
        yield Fault(
            "AUD009",
            requested,
            f"The audio ({case.sound_from}) has {case.sound.frames} frames. The workflow renders {total} "
            f"({total / FPS:.2f} s) and drops the rest silently.",
            f"{total} frames",
            f"{case.sound.frames} frames",
            f"Chain more clips through previous_frames, or trim the audio to {total / FPS:g} s.",
        )


def _missing_fault(requested: Value, total: int, has: int, sound_from: str) -> Fault:
    short = total - has
    return Fault(
        "AUD001",
        requested,
        f"{plural(short, 'frame')} ({short / FPS:.2f} s) will have no audio: the clips render {total} frames, the "
        f"audio ({sound_from}) has {has}. The nodes repeat the first embedding without a warning.",
        f"{has} frames of audio, {total} needed",
        "0 frames missing",
        f"Trim the video to {has} frames ({has / FPS:.2f} s), chain fewer clips, shorten the last one, or supply "
        f"{short / FPS:.2f} s more audio.",
    )


def check_rates(case: Case) -> Found:
    """AUD008: ComfyUI's own nodes always read 25 embeddings per second."""
    yield from check_video_rates(case, FPS, FPS)
