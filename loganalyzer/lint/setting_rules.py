"""SCH and MOD: checks the schedule, the model, the LoRA, and settings that exclude each other."""

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
"""A window has 4k + 1 frames: the VAE decodes one latent to four frames, except the first."""


def parse_windows(requested: SamplerSettings) -> Windows | None:
    """Returns the schedule that really runs; None if it is unknown or impossible."""
    window, motion, drop = (
        as_int(requested.window_frames),
        as_int(requested.motion_frames),
        as_int(requested.drop_frames),
    )
    if window is None or motion is None or drop is None:
        return None
    window = _round_window(window)
    return Windows(window, motion, drop) if motion >= 0 <= drop and motion + drop < window else None


def _round_window(window: int) -> int:
    """Returns the window length that upstream uses for this setting."""
    return (window - 1) // _PERIOD * _PERIOD + 1


def check_schedule(case: Case) -> Found:
    """SCH004, SCH006: checks window and overlap."""
    window, motion, drop = case.requested.window_frames, case.requested.motion_frames, case.requested.drop_frames
    sizes = as_int(window), as_int(motion)
    if sizes[0] is None or sizes[1] is None or as_int(drop) is None:
        reason = window.reason or motion.reason or drop.reason or "window or overlap is not a whole number"
        yield NotChecked("SCH004", reason)
        yield NotChecked("SCH006", reason)
        return
    wanted = (case.settings.window_frames, case.settings.motion_frames)
    if sizes[0] % _PERIOD != 1:
        yield _schedule_fault(
            "SCH006",
            window,
            f"A window of {sizes[0]} frames is rounded to {_round_window(sizes[0])}: windows have 4k + 1 frames.",
            wanted[0],
        )
    elif case.windows is None and as_int(drop):
        message = (
            f"An overlap of {sizes[1]} and {drop.value} dropped frames leave no new frames in a window of {sizes[0]}."
        )
        yield _schedule_fault("SCH006", drop, message, 0)
    elif case.windows is None:
        yield _schedule_fault(
            "SCH006", motion, f"An overlap of {sizes[1]} leaves no new frames in a window of {sizes[0]}.", wanted[1]
        )
    else:
        yield from compare_schedule(case)


def compare_schedule(case: Case) -> Found:
    """SCH004: compares window and overlap with the configured schedule, or with the mode's own one."""
    requested, settings = case.requested, case.settings
    places = {"window": requested.window_frames, "overlap": requested.motion_frames}
    wanted = {"window": settings.window_frames, "overlap": settings.motion_frames}
    own = next((one for one in load_schedules() if one.mode == requested.mode.value and one.drop_frames), None)
    if own:
        places["number of dropped frames"] = requested.drop_frames
        wanted = dict(zip(places, (own.window_frames, own.motion_frames, own.drop_frames), strict=True))
    shown = "/".join(str(place.value) for place in places.values())
    for name, place in places.items():
        if place.value != wanted[name]:
            message = f"The {name} is {place.value} frames, not {wanted[name]}: the schedule is {shown}."
            yield _schedule_fault("SCH004", place, message, wanted[name])


def _schedule_fault(rule: str, place: Value, message: str, value: int) -> Fault:
    fix = (
        f"Set {locate(place)} to {value}. If this schedule is meant, set `window_frames` and `motion_frames` in the "
        "configuration."
    )
    return Fault(rule, place, message, str(place.value), str(value), fix, (Way("", value, "the configured schedule"),))


def check_conflicts(case: Case) -> Found:
    """SCH005, SCH007, SCH008: finds settings that exclude each other."""
    requested = case.requested
    if requested.context_options is not None:
        place = Value(None, "", requested.sampler, "the sampler", "context_options")
        yield Fault(
            "SCH005",
            place,
            f"Context options (node {requested.context_options}) are connected to sampler {requested.sampler}: they "
            "disable the loop over audio windows.",
            "context options connected",
            "none",
        )
    if isinstance(requested.output_path.value, str) and requested.output_path.value.strip() and requested.video_fps:
        yield Fault(
            "SCH008",
            requested.output_path,
            "Frames are saved to a folder, and the node that writes the video gets a placeholder.",
            one_line(requested.output_path.value),
            "no output path",
            f"Clear {locate(requested.output_path)}, or assemble the video from the saved frames.",
            (Way("", "", "passes on the video itself"),),
        )
    if requested.scheduler.value == MULTITALK_SCHEDULER and as_int(requested.steps) not in (None, 4):
        message = f"The scheduler `multitalk` always runs 4 steps and ignores the {requested.steps.value} that are set."
        yield Fault(
            "SCH007", requested.steps, message, f"{requested.steps.value} steps", "4 steps",
            f"Set {locate(requested.steps)} to 4, or use another scheduler.",
            (Way("", 4, "the scheduler's fixed number"),),
        )  # fmt: skip


def check_attention(case: Case) -> Found:
    """MOD004: checks the attention mode of the loader, and of nodes that set another one for a part of the run."""
    wanted = case.settings.attention_mode
    for declared in (case.requested.attention_mode, *case.requested.attention_overrides):
        mode = declared.value
        if not isinstance(mode, str):
            yield NotChecked("MOD004", declared.reason or f"{locate(declared)} is not an attention mode")
        elif mode != wanted:
            shown = one_line(mode)
            yield Fault(
                "MOD004",
                declared,
                f"The attention mode is {shown}, not {wanted}.",
                shown,
                wanted,
                f"Set {locate(declared)} to {wanted}. If {shown} is meant, set "
                f"`attention_mode = {json.dumps(shown)}` "
                "in the configuration.",
                (Way("", wanted, "the expected attention mode"),),
            )


def check_model(case: Case) -> Found:
    """MOD001, MOD002: compares the model with the size's requirement; a configured LoRA rank takes precedence."""
    need = _find_need(case)
    if isinstance(need, str):
        yield NotChecked("MOD001", need)
    else:
        yield from _check_quantization(case, need)
    rank = case.settings.lora_rank or (None if isinstance(need, str) else need.lora_rank)
    if rank is None:
        yield NotChecked("MOD002", str(need))
    else:
        yield from _check_rank(case, rank)


def _find_need(case: Case) -> Need | str:
    """Returns the requirement of the video's size, or the reason why it is unknown."""
    width, height = as_int(case.requested.width), as_int(case.requested.height)
    if width is None or height is None:
        return case.requested.width.reason or case.requested.height.reason or "the size is not a whole number"
    fitting = [need for need in case.needs if need.pixels <= width * height]
    return (
        max(fitting, key=lambda need: need.pixels)
        if fitting
        else f"the baselines have no requirement for {width}x{height}"
    )


def _check_quantization(case: Case, need: Need) -> Found:
    declared = case.requested.quantization
    if declared.value is None:
        yield NotChecked("MOD001", declared.reason or "the workflow does not state the quantization")
        return
    if declared.value not in case.ranking or need.quantization not in case.ranking:
        yield NotChecked("MOD001", f"{one_line(str(declared.value))} is not in the ranking of quantizations")
        return
    if case.ranking.index(declared.value) < case.ranking.index(need.quantization):
        size = f"{case.requested.width.value}x{case.requested.height.value}"
        yield Fault(
            "MOD001",
            declared,
            f"{declared.value} at {size} is below {need.quantization}, the minimum for this size.",
            str(declared.value),
            f"{need.quantization} or better",
            f"Load a {need.quantization} model or better in {locate(declared)}, or render at a smaller size. If "
            f"{declared.value} is meant, set `quantization` in a `[[requirement]]` of the baselines file with "
            f"`pixels = {need.pixels}`.",
            _rename_ways(case.requested.model, QUANTIZATION, need.quantization),
        )


def _check_rank(case: Case, wanted: int) -> Found:
    declared = case.requested.lora_rank
    if declared.value is None:
        yield NotChecked("MOD002", declared.reason or "the workflow does not state the LoRA's rank")
    elif declared.value != wanted:
        yield Fault(
            "MOD002",
            case.requested.lora,
            f"The LoRA has rank {declared.value}, not {wanted}.",
            f"rank {declared.value}",
            f"rank {wanted}",
            f"Load the rank-{wanted} file of the same LoRA in {locate(case.requested.lora)}. Upstream's example "
            "workflows use rank 64. "
            f"If rank {declared.value} is meant, set `lora_rank = {declared.value}` in the configuration.",
            _rename_ways(case.requested.lora, LORA_RANK, str(wanted)),
        )


def _rename_ways(place: Value, pattern: str, wanted: str) -> tuple[Way, ...]:
    """Returns the way to a file of the same name with another quantization or rank, which may not exist."""
    found = re.search(pattern, str(place.value))
    if place.at is None or not found:
        return ()
    name = str(place.value)
    return (Way("", name[: found.start(1)] + wanted + name[found.end(1) :], "make sure that this file exists"),)
