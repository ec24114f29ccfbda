"""Formats a plan as a JSON document and as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from loganalyzer.common.formatting import duration, plural
from loganalyzer.expectations.embedding import find_request
from loganalyzer.planner import advice
from loganalyzer.planner.expected import Expectation
from loganalyzer.planner.plan import Choice, Plan, Windows

SCHEMA_VERSION: Final = 1


def to_document(plan: Plan, expected: Expectation, inputs: Sequence[str] = ()) -> dict[str, Any]:
    """The document of `plan --json`; times in seconds, rounded to milliseconds."""
    return {
        "schema_version": SCHEMA_VERSION,
        "inputs": list(inputs),
        "audio_s": _round_ms(plan.sound.seconds),
        "fps": plan.fps,
        "available_frames": plan.sound.frames,
        "recommended": plan.recommended and _choice_document(plan.recommended, plan, expected),
        "next_aligned": _choice_document(plan.next_aligned, plan, expected)
        | {"missing_s": _round_ms(plan.next_aligned.missing_frames / plan.fps)},
        "cut_back": plan.cut_back
        and _choice_document(plan.cut_back, plan, expected)
        | {"rendered_frames": plan.cut_back.rendered_frames, "cut_to_frames": plan.cut_back.frames},
        "schedule": _schedule_document(plan.windows),
        "expected_from": expected.basis,
        "notes": list(plan.notes),
        "producer": "core" if plan.native else "wrapper",
    }


def _schedule_document(windows: Windows) -> dict[str, int]:
    return {"window_frames": windows.window, "motion_frames": windows.motion, "stride": windows.stride}


def _choice_document(choice: Choice, plan: Plan, expected: Expectation) -> dict[str, Any]:
    total, cost = expected.total_s(choice.windows), expected.cost_usd(choice.windows)
    length = choice.frames / plan.fps
    return {
        "frames": choice.frames,
        "windows": choice.windows,
        "announced_windows": None if plan.native else choice.announced_windows,
        "duration_s": _round_ms(length),
        "unused_audio_s": _round_ms(max(0.0, plan.sound.seconds - length)),
        "missing_frames": choice.missing_frames,
        "padding": choice.padding,
        "request": choice.request.frames if choice.request else None,
        "crop_s": _round_ms(choice.request.crop_s) if choice.request and choice.request.crop_s else None,
        "expected_total_s": [_round_ms(seconds) for seconds in total] if total else None,
        "expected_cost_usd": round(cost, 4) if cost is not None else None,
    }


def _round_ms(seconds: float) -> float:
    return round(seconds, 3)


def to_text(plan: Plan, expected: Expectation) -> Iterator[str]:
    """The lines of a plan: the audio, the choices, and the notes.

    The recommended choice never exceeds the audio. If another choice loses less, the line below says so.
    """
    sound, windows = plan.sound, plan.windows
    yield (
        f"audio: {_format_seconds(sound.seconds)}, {plural(sound.frames, 'frame')} at {plan.fps:g} fps; "
        f"windows of {windows.window} frames, a new one every {windows.stride}"
    )
    yield ""
    if plan.recommended:
        yield from _choice_lines("recommended", plan.recommended, plan, expected)
    else:
        lost = windows.window - sound.frames
        yield f"recommended   nothing: the audio is shorter than one window ({windows.window} frames)"
        unsaid = "follow repeated audio" if plan.native else "repeat one mouth shape"
        yield f"              if you render it anyway, the last {plural(lost, 'frame')} {unsaid}, without a warning"
    if plan.is_longer_cheaper:
        short = plan.next_aligned.missing_frames / plan.fps
        yield f"              one more window needs only {_format_seconds(short)}: the choices below lose no speech"
    if plan.cut_back:
        yield from _choice_lines("or trim", plan.cut_back, plan, expected)
    title = "or extend" if plan.cut_back else "next aligned" if plan.recommended else "extend"
    yield from _choice_lines(title, plan.next_aligned, plan, expected)
    yield ""
    yield f"times and costs: {expected.basis}"
    for note in plan.notes:
        yield f"note: {note}"


def _choice_lines(title: str, choice: Choice, plan: Plan, expected: Expectation) -> Iterator[str]:
    length = choice.frames / plan.fps
    yield (
        f"{title:14}{plural(choice.frames, 'frame')} ({_format_seconds(length)}), {plural(choice.windows, 'window')}"
        f"{_announced_note(choice)}{_cost_note(choice, expected)}"
    )
    for line in _setting_lines(choice, plan):
        yield f"{'':14}{line}"


def _announced_note(choice: Choice) -> str:
    return "" if choice.announced_windows == choice.windows else f" (the header announces {choice.announced_windows})"


def _cost_note(choice: Choice, expected: Expectation) -> str:
    total, cost = expected.total_s(choice.windows), expected.cost_usd(choice.windows)
    time = f", {duration(total[0])} – {duration(total[1])}" if total else ""
    return time + (f", about ${cost:.3f}" if cost is not None else "")


def _setting_lines(choice: Choice, plan: Plan) -> Iterator[str]:
    if plan.native:
        yield from _native_setting_lines(choice, plan)
        return
    if choice.request is None:
        yield from _extension_lines(choice, plan)
        yield f"set num_frames to {find_request(choice.frames, plan.fps).frames}"
        return
    crop = f"cut the audio to {choice.request.crop_s:g} s and " if choice.request.crop_s is not None else ""
    yield f"{crop}set num_frames to {choice.request.frames}"
    if choice.rendered_frames > choice.frames:
        yield f"{choice.rendered_frames} frames come out, the last {choice.missing_frames} without audio; then"
        yield advice.trim_video(choice.frames, plan.fps).command
    elif choice.padding:
        yield f"the log warns of {choice.padding} padded frames: this is context, no frame is missing"
    unused = plan.sound.seconds - choice.frames / plan.fps
    if unused > 1 / plan.fps:
        yield f"{_format_seconds(unused)} of the audio remain unused"


def _extension_lines(choice: Choice, plan: Plan) -> Iterator[str]:
    """The missing audio, and the command that adds it."""
    short = choice.missing_frames
    if plan.recommended and not plan.cut_back:
        yield f"needs {plural(short, 'frame')} ({_format_seconds(short / plan.fps)}) more audio"
        return
    yield f"{plural(short, 'frame')} ({_format_seconds(short / plan.fps)}) of audio are missing: add silence at the end"
    yield advice.extend_audio(choice.frames, plan.fps, "").command


def _native_setting_lines(choice: Choice, plan: Plan) -> Iterator[str]:
    """The nodes to chain: ComfyUI's own nodes take no frame count."""
    missing, windows = choice.missing_frames, plan.windows
    if missing and choice.rendered_frames == choice.frames:
        yield from _extension_lines(choice, plan)
    chained = f", motion_frame_count {windows.motion}; connect all frames so far to each previous_frames input"
    yield (
        f"{plural(choice.windows, 'WanInfiniteTalkToVideo node')} of length {windows.window}"
        f"{chained if choice.windows > 1 else ''}"
    )
    if choice.rendered_frames > choice.frames:
        yield (f"{choice.rendered_frames} frames come out, the last {missing} follow repeated audio (no warning); then")
        yield advice.trim_video(choice.frames, plan.fps).command


def _format_seconds(value: float) -> str:
    return f"{advice.format_seconds(value)} s"


def table_rows(choices: Sequence[Choice], fps: float, expected: Expectation) -> Iterator[str]:
    """The lines of a table of aligned counts."""
    yield f"{'windows':>7} {'frames':>7} {'seconds':>9} {'num_frames':>10} {'announced':>9} {'time':>19}"
    for choice in choices:
        total = expected.total_s(choice.windows)
        took = f"{duration(total[0])} – {duration(total[1])}" if total else "–"
        request = "–" if choice.request is None else str(choice.request.frames) + ("*" if choice.request.crop_s else "")
        yield (
            f"{choice.windows:>7} {choice.frames:>7} {choice.frames / fps:>9.3f} {request:>10} "
            f"{choice.announced_windows:>9} {took:>19}"
        )
    if any(choice.request and choice.request.crop_s for choice in choices):
        yield "* no request alone yields this count: also cut the audio to half a frame more than the count"


def table_document(choices: Sequence[Choice], fps: float, windows: Windows) -> dict[str, Any]:
    """The table of aligned counts as a JSON document."""
    return {
        "schema_version": SCHEMA_VERSION,
        "fps": fps,
        "schedule": _schedule_document(windows),
        "aligned": [
            {
                "windows": choice.windows,
                "frames": choice.frames,
                "duration_s": _round_ms(choice.frames / fps),
                "announced_windows": choice.announced_windows,
                "request": choice.request.frames if choice.request else None,
                "crop_s": _round_ms(choice.request.crop_s) if choice.request and choice.request.crop_s else None,
            }
            for choice in choices
        ],
    }
