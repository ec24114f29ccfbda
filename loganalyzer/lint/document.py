"""Formats a checked workflow as a JSON document and as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from loganalyzer.common.formatting import one_line, plural
from loganalyzer.lint import native_rules
from loganalyzer.lint.checker import Checked, Finding
from loganalyzer.workflow.requested import SamplerSettings
from loganalyzer.workflow.spans import find_line

SCHEMA_VERSION: Final = 1
_SHOWN: Final = (
    "requested_frames", "fps", "width", "height", "window_frames", "motion_frames", "drop_frames", "mode", "steps",
    "start_step", "end_step", "scheduler", "model", "quantization", "adapter", "lora", "lora_rank", "lora_strength",
    "attention_mode",
)  # fmt: skip


def to_document(checked: Checked) -> dict[str, Any]:
    """Returns the document of `workflow check --json`."""
    graph, first = checked.workflow.graph, checked.workflow.first
    return {
        "schema_version": SCHEMA_VERSION,
        "source": str(graph.file.path),
        "format": graph.format,
        "settings": _settings_document(first),
        "reasons": {name: value.reason for name, value in first.items() if value.value is None and value.reason},
        "places": {
            name: {"node_id": value.node_id, "title": value.title, "input": value.input}
            for name, value in first.items()
            if value.value is not None and value.node_id
        },
        "samplers": [
            _settings_document(requested) | {"sampler": requested.sampler} for requested in checked.workflow.samplers
        ],
        "findings": [_finding_document(checked, found) for found in checked.findings],
        "not_checked": [{"rule": item.rule, "reason": item.reason} for item in checked.not_checked],
        "verdict": checked.verdict,
    }


def _settings_document(requested: SamplerSettings) -> dict[str, Any]:
    values = dict(requested.items())
    return {name: values[name].value for name in _SHOWN} | {
        "steps_run": requested.steps_run,
        "clips": requested.clips,
        "video_fps": [value.value for value in requested.video_fps],
        "audio_crop_s": requested.audio_crop_s,
    }


def _finding_document(checked: Checked, found: Finding) -> dict[str, Any]:
    fault, place = found.fault, found.fault.place
    return {
        "rule": found.rule.id,
        "name": found.rule.name,
        "severity": found.severity,
        "run_id": None,
        "source": str(checked.workflow.graph.file.path),
        "line": _line_number(checked, found),
        "node_id": place.node_id,
        "title": place.title,
        "input": place.input,
        "message": fault.message,
        "observed": fault.observed,
        "expected": fault.expected,
        "fix": fault.fix,
        "values": [{"way": way.name or None, "value": way.value, "says": way.says} for way in fault.ways],
    }


def _line_number(checked: Checked, found: Finding) -> int | None:
    file, at = checked.workflow.graph.file, found.fault.place.at
    return None if at is None or file.embedded else find_line(file.text, at)


def to_text(checked: Checked) -> Iterator[str]:
    """Yields lines with the settings, the findings with their places and fixes, and what was not checked."""
    graph, first = checked.workflow.graph, checked.workflow.first
    form = {"api": "API format", "ui": "editor format"}[graph.format]
    yield f"{checked.verdict.upper():5} {one_line(str(graph.file.path))} ({form}, {plural(len(graph.nodes), 'node')})"
    yield ""
    yield from _setting_lines(first)
    for found in checked.findings:
        place = found.fault.place
        yield ""
        yield f"{found.severity} {found.rule.id} {found.rule.name}"
        yield f"  {one_line(found.fault.message)}"
        yield f"  where: node {one_line(place.node_id)} ({one_line(place.title)}), input {one_line(place.input)}"
        yield f"  fix:   {one_line(found.fault.fix)}"
    if checked.not_checked:
        yield ""
        yield "not checked"
        for reason, rules in _rules_by_reason(checked).items():
            yield f"  {', '.join(rules)}: {one_line(reason)}"


def _rules_by_reason(checked: Checked) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in checked.not_checked:
        rules = found.setdefault(item.reason, [])
        if item.rule not in rules:
            rules.append(item.rule)
    return found


def _setting_lines(first: SamplerSettings) -> Iterator[str]:
    values = dict(first.items())

    def shown(name: str) -> str:
        value = values[name].value
        return "?" if value is None else one_line(str(value))

    if first.clips:
        yield f"  {native_rules.summarize_clips(first)}: longer audio is cut silently"
        yield f"  {shown('width')}x{shown('height')}, {shown('steps')} steps, audio at {shown('fps')} fps"
        yield f"  model {shown('model')} ({shown('quantization')}), adapter {shown('adapter')}"
        yield f"  LoRA {shown('lora')} (rank {shown('lora_rank')}, strength {shown('lora_strength')})"
        return
    yield f"  frames {shown('requested_frames')} at {shown('fps')} fps, {shown('width')}x{shown('height')}"
    steps = f"{shown('steps')} steps ({_steps_run(first)} run)"
    dropped = "" if values["drop_frames"].value == 0 else f"/{shown('drop_frames')}"
    yield f"  windows {shown('window_frames')}/{shown('motion_frames')}{dropped}, {steps}, mode {shown('mode')}"
    yield f"  model {shown('model')} ({shown('quantization')}), attention {shown('attention_mode')}"
    yield f"  LoRA {shown('lora')} (rank {shown('lora_rank')}, strength {shown('lora_strength')})"


def _steps_run(first: SamplerSettings) -> str:
    return "?" if first.steps_run is None else str(first.steps_run)
