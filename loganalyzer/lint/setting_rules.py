"""SCH and MOD: the schedule, the model and the LoRA, and settings that exclude each other."""

from __future__ import annotations

import json
import re

from loganalyzer.common.formatting import one_line
from loganalyzer.expectations.names import LORA_RANK, QUANTIZATION
from loganalyzer.expectations.schedules import load_schedules
from loganalyzer.lint.audio_rules import Found
from loganalyzer.lint.model import Case, Fault, Need, NotChecked, Way
from loganalyzer.planner.plan import Windows
from loganalyzer.workflow.requested import MULTITALK_SCHEDULER, SamplerSettings, as_int, locate
from loganalyzer.workflow.values import Value

_PERIOD = 4
"""A window is 4k + 1 frames: the VAE makes four frames of one latent, and keeps the first."""


def windows(asked: SamplerSettings) -> Windows | None:
    """The schedule that really runs; None where it is unknown or impossible."""
    window, motion, drop = as_int(asked.window_frames), as_int(asked.motion_frames), as_int(asked.drop_frames)
    if window is None or motion is None or drop is None:
        return None
    window = _forced(window)
    return Windows(window, motion, drop) if motion >= 0 <= drop and motion + drop < window else None


def _forced(window: int) -> int:
    """What upstream makes of a window's length."""
    return (window - 1) // _PERIOD * _PERIOD + 1


def schedule(case: Case) -> Found:
    """SCH004, SCH006: window and overlap."""
    window, motion, drop = case.asked.window_frames, case.asked.motion_frames, case.asked.drop_frames
    sizes = as_int(window), as_int(motion)
    if sizes[0] is None or sizes[1] is None or as_int(drop) is None:
        reason = window.reason or motion.reason or drop.reason or "window or overlap are not whole numbers"
        yield NotChecked("SCH004", reason)
        yield NotChecked("SCH006", reason)
        return
    wanted = (case.settings.window_frames, case.settings.motion_frames)
    if sizes[0] % _PERIOD != 1:
        yield _to(
            "SCH006",
            window,
            f"A window of {sizes[0]} frames is forced to {_forced(sizes[0])}: windows have 4k + 1 frames.",
            wanted[0],
        )
    elif case.windows is None and as_int(drop):
        message = f"An overlap of {sizes[1]} and {drop.value} dropped frames leave no way forward in {sizes[0]} frames."
        yield _to("SCH006", drop, message, 0)
    elif case.windows is None:
        yield _to("SCH006", motion, f"An overlap of {sizes[1]} leaves no way forward in {sizes[0]} frames.", wanted[1])
    else:
        yield from other_schedule(case)


def other_schedule(case: Case) -> Found:
    """SCH004: window and overlap against the configured schedule, or that of a mode which has one of its own."""
    asked, settings = case.asked, case.settings
    places = {"window": asked.window_frames, "overlap": asked.motion_frames}
    wanted = {"window": settings.window_frames, "overlap": settings.motion_frames}
    own = next((one for one in load_schedules() if one.mode == asked.mode.value and one.drop_frames), None)
    if own:
        places["number of dropped frames"] = asked.drop_frames
        wanted = dict(zip(places, (own.window_frames, own.motion_frames, own.drop_frames), strict=True))
    shown = "/".join(str(place.value) for place in places.values())
    for name, place in places.items():
        if place.value != wanted[name]:
            message = f"The {name} is {place.value} frames, not {wanted[name]}: the schedule is {shown}."
            yield _to("SCH004", place, message, wanted[name])


def _to(rule: str, place: Value, message: str, value: int) -> Fault:
    fix = (
        f"Set {locate(place)} to {value}. If this schedule is meant, set `window_frames` and `motion_frames` in the "
        "configuration."
    )
    return Fault(rule, place, message, str(place.value), str(value), fix, (Way("", value, "the configured schedule"),))


def conflicts(case: Case) -> Found:
    """SCH005, SCH007, SCH008: settings that exclude each other."""
    asked = case.asked
    if asked.context_options is not None:
        place = Value(None, "", asked.sampler, "the sampler", "context_options")
        yield Fault(
            "SCH005",
            place,
            f"Context options (node {asked.context_options}) are connected to sampler {asked.sampler}: they exclude "
            "the loop over windows of audio.",
            "context options connected",
            "none",
            "Disconnect the context options from the sampler.",
        )
    if isinstance(asked.output_path.value, str) and asked.output_path.value.strip() and asked.video_fps:
        yield Fault(
            "SCH008",
            asked.output_path,
            "Frames are saved into a folder, and the node that writes the video gets a dummy.",
            one_line(asked.output_path.value),
            "no output path",
            f"Clear {locate(asked.output_path)}, or put the video together from the saved frames.",
            (Way("", "", "the video itself is handed on"),),
        )
    if asked.scheduler.value == MULTITALK_SCHEDULER and as_int(asked.steps) not in (None, 4):
        message = f"The scheduler `multitalk` always takes 4 steps; {asked.steps.value} are set, and ignored."
        yield Fault(
            "SCH007", asked.steps, message, f"{asked.steps.value} steps", "4 steps",
            f"Set {locate(asked.steps)} to 4, or take another scheduler.",
            (Way("", 4, "what the scheduler takes"),),
        )  # fmt: skip


def attention(case: Case) -> Found:
    """MOD004: the attention mode of the loader, and of nodes that set another one for a part of the run."""
    wanted = case.settings.attention_mode
    for told in (case.asked.attention_mode, *case.asked.attention_overrides):
        mode = told.value
        if not isinstance(mode, str):
            yield NotChecked("MOD004", told.reason or f"{locate(told)} is not an attention mode")
        elif mode != wanted:
            shown = one_line(mode)
            yield Fault(
                "MOD004",
                told,
                f"The attention mode is {shown}, not {wanted}.",
                shown,
                wanted,
                f"Set {locate(told)} to {wanted}. If {shown} is meant, set `attention_mode = {json.dumps(shown)}` "
                "in the configuration.",
                (Way("", wanted, "the expected attention mode"),),
            )


def model(case: Case) -> Found:
    """MOD001, MOD002: what the size needs; a configured rank goes before that of the size."""
    need = _need(case)
    if isinstance(need, str):
        yield NotChecked("MOD001", need)
    else:
        yield from _quantization(case, need)
    rank = case.settings.lora_rank or (None if isinstance(need, str) else need.lora_rank)
    if rank is None:
        yield NotChecked("MOD002", str(need))
    else:
        yield from _rank(case, rank)


def _need(case: Case) -> Need | str:
    """What the video's size asks for, or why that is not known."""
    width, height = as_int(case.asked.width), as_int(case.asked.height)
    if width is None or height is None:
        return case.asked.width.reason or case.asked.height.reason or "the size is no whole number"
    fitting = [need for need in case.needs if need.pixels <= width * height]
    return max(fitting, key=lambda need: need.pixels) if fitting else f"no requirement is known for {width}x{height}"


def _quantization(case: Case, need: Need) -> Found:
    told = case.asked.quantization
    if told.value is None:
        yield NotChecked("MOD001", told.reason or "the workflow does not tell the quantization")
        return
    if told.value not in case.ranking or need.quantization not in case.ranking:
        yield NotChecked("MOD001", f"{one_line(str(told.value))} has no place in the ranking of quantizations")
        return
    if case.ranking.index(told.value) < case.ranking.index(need.quantization):
        size = f"{case.asked.width.value}x{case.asked.height.value}"
        yield Fault(
            "MOD001",
            told,
            f"{told.value} at {size} is below {need.quantization}, the minimum for this size.",
            str(told.value),
            f"{need.quantization} or better",
            f"Load a {need.quantization} model or better in {locate(told)}, or render at a smaller size. If "
            f"{told.value} is meant, set `quantization` in a `[[requirement]]` of the baselines file with `pixels = "
            f"{need.pixels}`.",
            _renamed(case.asked.model, QUANTIZATION, need.quantization),
        )


def _rank(case: Case, wanted: int) -> Found:
    told = case.asked.lora_rank
    if told.value is None:
        yield NotChecked("MOD002", told.reason or "the workflow does not tell the LoRA's rank")
    elif told.value != wanted:
        yield Fault(
            "MOD002",
            case.asked.lora,
            f"The LoRA has rank {told.value}, not {wanted}.",
            f"rank {told.value}",
            f"rank {wanted}",
            f"Load the rank-{wanted} file of the same LoRA in {locate(case.asked.lora)}. Upstream's own example "
            "workflows use rank 64. "
            f"If rank {told.value} is meant, set `lora_rank = {told.value}` in the configuration.",
            _renamed(case.asked.lora, LORA_RANK, str(wanted)),
        )


def _renamed(place: Value, pattern: str, wanted: str) -> tuple[Way, ...]:
    """The file of the same name with another quantization or rank; whether it is there, only the user knows."""
    found = re.search(pattern, str(place.value))
    if place.at is None or not found:
        return ()
    name = str(place.value)
    return (Way("", name[: found.start(1)] + wanted + name[found.end(1) :], "make sure that this file is there"),)
