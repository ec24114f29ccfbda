"""ComfyUI's own InfiniteTalk: length, overlap and audio of its clips, in the arithmetic of its own nodes."""

from __future__ import annotations

from typing import Final

from loganalyzer.common.formatting import plural
from loganalyzer.lint import setting_rules
from loganalyzer.lint.audio_rules import Found, video_rates
from loganalyzer.lint.model import Case, Fault, NotChecked, Way
from loganalyzer.workflow.native import FPS
from loganalyzer.workflow.requested import SamplerSettings, as_int, locate
from loganalyzer.workflow.values import Value

_PERIOD: Final = 4
_USUAL_CLIP: Final = 81
_ROUNDING: Final = 1
"""A frame of audio beyond the video is rounding."""
_AUDIO: Final = ("AUD001", "AUD009")


def summary(asked: SamplerSettings) -> str:
    """One line: how many clips of how many frames."""
    length = as_int(asked.window_frames)
    frames = "an unknown number of frames" if length is None else f"{plural(length, 'frame')} ({length / FPS:.2f} s)"
    return f"native InfiniteTalk, {'one clip' if asked.clips == 1 else f'{asked.clips} clips'} of {frames}"


def clip(case: Case) -> Found:
    """SCH004, SCH006: length and overlap of a clip; one that continues another may be shorter, as the audio ends."""
    place = case.asked.window_frames
    length = as_int(place)
    if length is None:
        reason = place.reason or f"{locate(place)} is not a number of frames"
        yield from (NotChecked(rule, reason) for rule in ("SCH004", "SCH006"))
    elif length % _PERIOD != 1:
        yield Fault(
            "SCH006",
            place,
            f"A clip of {length} frames fails with an einops error: clips have 4k + 1 frames.",
            f"{length} frames",
            "4k + 1 frames",
            f"Set {locate(place)} to {_USUAL_CLIP}.",
            (Way("", _USUAL_CLIP, "the usual clip"),),
        )
    elif as_int(case.asked.motion_frames) is None:
        yield NotChecked("SCH004", case.asked.motion_frames.reason or "the overlap is not a whole number")
    elif not (case.asked.continues and length < case.settings.window_frames):
        yield from setting_rules.other_schedule(case)


def audio(case: Case) -> Found:
    """AUD001, AUD009: audio that is shorter, or longer, than all clips together."""
    asked = case.asked.requested_frames
    total = as_int(asked)
    if total is None:
        yield from (NotChecked(rule, asked.reason) for rule in _AUDIO)
    elif case.sound is None:
        reason = "the audio's length is not known: name the file or its length with --audio"
        yield from (NotChecked(rule, reason) for rule in _AUDIO)
    elif case.sound.frames < total:
        yield _missing(asked, total, case.sound.frames, case.sound_from)
    elif case.sound.frames - _ROUNDING > total:
        yield Fault(
            "AUD009",
            asked,
            f"The audio ({case.sound_from}) has {case.sound.frames} frames; the workflow makes {total} "
            f"({total / FPS:.2f} s) and cuts the rest silently.",
            f"{total} frames",
            f"{case.sound.frames} frames",
            f"Chain more clips through previous_frames, or cut the audio to {total / FPS:g} s.",
        )


def _missing(asked: Value, total: int, has: int, sound_from: str) -> Fault:
    short = total - has
    return Fault(
        "AUD001",
        asked,
        f"{plural(short, 'frame')} ({short / FPS:.2f} s) will be missing: the clips make {total} frames, the audio "
        f"({sound_from}) has {has}. The nodes repeat the first embedding, and print nothing of it.",
        f"{has} frames of audio, {total} needed",
        "0 frames missing",
        f"Cut the video to {has} frames ({has / FPS:.2f} s), chain fewer clips or shorten the last one, or supply "
        f"{short / FPS:.2f} s more audio.",
    )


def rates(case: Case) -> Found:
    """AUD008: core reads 25 embeddings per second, whatever is configured."""
    yield from video_rates(case, FPS, FPS)
