"""Reads the settings of all samplers from a workflow file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from loganalyzer.common.errors import WorkflowError
from loganalyzer.expectations.names import DISTILL_LORA, LORA_RANK, QUANTIZATION
from loganalyzer.workflow import embeds, native
from loganalyzer.workflow.files import read_workflow_file
from loganalyzer.workflow.graph import Graph, Node
from loganalyzer.workflow.parse import parse_workflow
from loganalyzer.workflow.requested import LARGEST, Crop, SamplerSettings, Workflow, unknown_value
from loganalyzer.workflow.values import Value, resolve_value
from loganalyzer.workflow.vocabulary import load_vocabulary

MOST_SAMPLERS: Final = 200
"""Every rule checks each sampler; a workflow made by a person has a handful."""
_LONGEST_CHAIN: Final = 64
_PRECISION: Final = re.compile(r"(?i)(fp8_e4m3fn(?:_fast)?|fp8_e5m2|fp8|bf16|fp16|fp32)")
_CLOCK: Final = re.compile(r"^(?:(\d+):)?(\d+(?:\.\d+)?)$")


def load_workflow(path: Path) -> Workflow:
    """The workflow in a file, with its settings.

    Raises:
        WorkflowError: the file is unreadable or invalid, or has no InfiniteTalk or MultiTalk sampler.
    """
    found = parse_workflow(read_workflow_file(path))
    _check_sampler_count(found)
    samplers = [
        declared for node in embeds.find_samplers(found) if (declared := _read_sampler(found, node)) is not None
    ]
    samplers += [
        replace(clip, crops=tuple(_cuts_before(found, node, native.AUDIO)), video_fps=tuple(_video_rates(found)))
        for node, clip in native.read_clips(found)
    ]
    if not samplers:
        raise _error_nothing_to_check(found)
    return Workflow(found, tuple(samplers))


def _check_sampler_count(found: Graph) -> None:
    kinds = (*load_vocabulary().entries["sampler"], *load_vocabulary().entries["clip"])
    if sum(1 for kind in kinds for _ in found.nodes_of(kind)) > MOST_SAMPLERS:
        raise WorkflowError(
            f"{found.file.path}: has more than {MOST_SAMPLERS} samplers", "split the workflow and check each part"
        )


def _error_nothing_to_check(found: Graph) -> WorkflowError:
    entries = load_vocabulary().entries
    others = [
        f"{entry['name']} (node {node.id})" for kind, entry in entries["other"].items() for node in found.nodes_of(kind)
    ]
    if others:
        return WorkflowError(
            f"{found.file.path}: renders with {', '.join(others)}, not with InfiniteTalk or MultiTalk: there is "
            "nothing to check",
            "name an InfiniteTalk, MultiTalk or SkyReels V3 workflow",
        )
    names = {role: " or ".join(entries[role]) for role in ("sampler", "windows", "audio")}
    loose = ", ".join(f"node {node.id} ({node.title})" for node in embeds.find_unconnected(found))
    return WorkflowError(
        f"{found.file.path}: no active {names['sampler']} is connected to {names['windows']} or {names['audio']}: "
        f"there is nothing to check{f'; not connected to a sampler: {loose}' if loose else ''}",
        "connect these nodes to a sampler" if loose else "name the workflow that renders the talking video",
    )


def _read_sampler(found: Graph, sampler: Node) -> SamplerSettings | None:
    windows, schedule = embeds.find_windows(found, sampler)
    audio, sound = embeds.find_audio(found, sampler)
    if windows is None and audio is None:
        return None
    settings: dict[str, Any] = {
        name: embeds.resolve_setting(found, sampler, name) for name in ("steps", "start_step", "end_step", "scheduler")
    }
    settings |= schedule | sound | _model_settings(found, sampler)
    settings["mode"] = _resolved_mode(settings["mode"], settings.get("adapter"))
    return SamplerSettings(
        sampler.id,
        **settings,
        crops=tuple(_crops(found, audio)) if audio else (),
        attention_overrides=tuple(_attention_overrides(found, sampler)),
        context_options=embeds.find_context_options(found, sampler),
        video_fps=tuple(_video_rates(found)),
    )


def _resolved_mode(mode: Value, adapter: Value | None) -> Value:
    """The mode; `auto` is resolved by the adapter's file name, as upstream does it."""
    if mode.value != "auto":
        return mode
    name = str(adapter.value).lower() if adapter and adapter.value else ""
    kind = "infinitetalk" if "infinite" in name else "multitalk" if name else None
    reason = "" if kind else "it is `auto`, and no adapter's name shows the mode"
    return Value(kind, reason, mode.node_id, mode.title, mode.input, mode.at)


def _model_settings(found: Graph, sampler: Node) -> dict[str, Value]:
    kind = load_vocabulary().roles["model"]
    loader = embeds.find_upstream(found, sampler, "model", kind)
    if loader is None:
        reason = f"no {kind} feeds node {sampler.id} ({sampler.title})"
        return {name: unknown_value(name, reason) for name in ("model", "quantization", "attention_mode")}
    settings = {
        "model": resolve_value(found, loader, "model"),
        "attention_mode": resolve_value(found, loader, "attention_mode"),
    }
    settings["quantization"] = _quantization_setting(settings["model"], resolve_value(found, loader, "quantization"))
    adapter = found.source(loader, "multitalk_model")
    if isinstance(adapter, tuple):
        settings["adapter"] = resolve_value(found, adapter[0], "model")
    return settings | _lora_settings(found, loader, sampler)


def _quantization_setting(model: Value, setting: Value) -> Value:
    """The quantization in the file's name (GGUF), else the loader's setting, else the precision in the file's name."""
    name = str(model.value or "")
    in_name = re.search(QUANTIZATION, name)
    if in_name:
        return _with_value(model, in_name[1].upper())
    if setting.value not in (None, "disabled"):
        return setting
    precision = _PRECISION.search(name)
    if precision:
        return _with_value(model, precision[1].lower())
    reason = model.reason or "the model's file name does not show it"
    return Value(None, reason, model.node_id, model.title, model.input)


def _with_value(given: Value, new_value: object) -> Value:
    return Value(new_value, "", given.node_id, given.title, given.input, given.at)


def _lora_settings(found: Graph, loader: Node, sampler: Node) -> dict[str, Value]:
    """The distillation LoRA, whose rank the rules check; without one, the LoRA that is loaded first."""
    loaded = [pair for pair in _list_loras(found, loader, sampler) if _as_number(pair[1].value) != 0 and pair[0].value]
    wanted = [pair for pair in loaded if DISTILL_LORA in str(pair[0].value).lower()]
    if not (wanted or loaded):
        return {
            "lora": unknown_value("lora", "no LoRA is loaded"),
            "lora_rank": unknown_value("lora", "no LoRA is loaded"),
        }
    name, strength = (wanted or loaded)[0]
    rank = re.search(LORA_RANK, str(name.value))
    known = (
        _with_value(name, int(rank[1]))
        if rank
        else unknown_value("lora", "the LoRA's file name does not show its rank")
    )
    return {"lora": name, "lora_rank": known, "lora_strength": strength}


def _as_number(given: object) -> float | None:
    """A number as a float; None for anything else, and for numbers larger than any meaningful value."""
    is_number = isinstance(given, int | float) and not isinstance(given, bool) and abs(given) <= LARGEST
    return float(given) if is_number else None  # type: ignore[arg-type]


def _list_loras(found: Graph, loader: Node, sampler: Node) -> Iterator[tuple[Value, Value]]:
    """Name and strength of every LoRA: those of the loader, and those of nodes between loader and sampler."""
    kinds = load_vocabulary().entries["lora"]
    for node in (loader, *_nodes_between(found, sampler, loader)):
        for _ in range(_LONGEST_CHAIN):
            fed = found.source(node, "prev_lora" if node.kind in kinds else "lora")
            if not isinstance(fed, tuple) or fed[0].kind not in kinds:
                break
            node = fed[0]  # noqa: PLW2901 -- the chain is followed to its end
            entry = kinds[node.kind]
            for name, strength in zip(entry["names"], entry["strengths"], strict=True):
                lora = resolve_value(found, node, name)
                if lora.value not in (None, "none", ""):
                    yield lora, resolve_value(found, node, strength)


def _nodes_between(found: Graph, sampler: Node, loader: Node) -> Iterator[Node]:
    node = sampler
    for _ in range(_LONGEST_CHAIN):
        fed = found.source(node, "model")
        if not isinstance(fed, tuple) or fed[0].id == loader.id:
            return
        node = fed[0]
        yield node


def _attention_overrides(found: Graph, sampler: Node) -> Iterator[Value]:
    kinds = load_vocabulary().entries["attention"]
    for _ in range(_LONGEST_CHAIN):
        fed = found.source(sampler, "model")
        if not isinstance(fed, tuple):
            return
        sampler = fed[0]
        if sampler.kind in kinds:
            yield resolve_value(found, sampler, "attention_mode")


def _video_rates(found: Graph) -> Iterator[Value]:
    for kind, entry in load_vocabulary().entries["video"].items():
        for node in found.nodes_of(kind):
            yield resolve_value(found, node, entry["rate"])


def _crops(found: Graph, audio: Node) -> Iterator[Crop]:
    """The audio cuts of every speaker, between the audio file and its embedding."""
    for name in sorted(name for name in audio.inputs if name.startswith("audio_") and name[6:].isdigit()):
        yield from _cuts_before(found, audio, name)


def _cuts_before(found: Graph, node: Node, through: str) -> Iterator[Crop]:
    """The audio cuts on the way to one input."""
    kinds = load_vocabulary().entries["crop"]
    for _ in range(_LONGEST_CHAIN):
        fed = found.source(node, through)
        if not isinstance(fed, tuple):
            return
        node = fed[0]
        crop = _read_crop(found, node, kinds[node.kind]) if node.kind in kinds else None
        if crop:
            yield crop
        through = next((one for one in ("audio", "audio_1", "samples") if one in node.inputs), "")


def _read_crop(found: Graph, node: Node, entry: Mapping[str, Any]) -> Crop | None:
    start = _parse_seconds(resolve_value(found, node, entry["start"]).value) or 0.0
    last = resolve_value(found, node, entry["duration" if "duration" in entry else "end"])
    seconds = _parse_seconds(last.value)
    length = seconds if "duration" in entry or seconds is None else seconds - start
    if length is None or length <= 0:
        return None
    return Crop(node.id, node.title, length, last)


def _parse_seconds(given: object) -> float | None:
    """Seconds from a number or from `m:ss`; None for anything else."""
    if not isinstance(given, str):
        return _as_number(given)
    parts = _CLOCK.match(given.strip()) if len(given) < 32 else None
    return int(parts[1] or 0) * 60 + float(parts[2]) if parts else None
