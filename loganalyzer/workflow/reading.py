"""A workflow file to the settings of its samplers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from loganalyzer.common.errors import WorkflowError
from loganalyzer.expectations.names import DISTILL_LORA, LORA_RANK, QUANTIZATION
from loganalyzer.workflow import embeds, native
from loganalyzer.workflow.files import read
from loganalyzer.workflow.graph import Graph, Node
from loganalyzer.workflow.parse import parse
from loganalyzer.workflow.requested import Crop, Declared, Workflow, untold
from loganalyzer.workflow.values import Value, value
from loganalyzer.workflow.vocabulary import vocabulary

MOST_SAMPLERS: Final = 200
"""Each is checked by every rule; a workflow that a person made has a handful."""
_LONGEST_CHAIN: Final = 64
_PRECISION: Final = re.compile(r"(?i)(fp8_e4m3fn(?:_fast)?|fp8_e5m2|fp8|bf16|fp16|fp32)")
_CLOCK: Final = re.compile(r"^(?:(\d+):)?(\d+(?:\.\d+)?)$")


def load(path: Path) -> Workflow:
    """The workflow in a file, with its settings.

    Raises:
        WorkflowError: it cannot be read, makes no sense, or has no InfiniteTalk or MultiTalk sampler.
    """
    found = parse(read(path))
    _bound(found)
    samplers = [declared for node in embeds.samplers(found) if (declared := _of_sampler(found, node)) is not None]
    samplers += [
        replace(clip, crops=tuple(_cuts(found, node, native.AUDIO)), video_fps=tuple(_rates(found)))
        for node, clip in native.clips(found)
    ]
    if not samplers:
        raise _nothing_to_check(found)
    return Workflow(found, tuple(samplers))


def _bound(found: Graph) -> None:
    kinds = (*vocabulary().entries["sampler"], *vocabulary().entries["clip"])
    if sum(1 for kind in kinds for _ in found.of(kind)) > MOST_SAMPLERS:
        raise WorkflowError(
            f"{found.file.path}: has more than {MOST_SAMPLERS} samplers", "split it, and check the parts one by one"
        )


def _nothing_to_check(found: Graph) -> WorkflowError:
    entries = vocabulary().entries
    others = [
        f"{entry['name']} (node {node.id})" for kind, entry in entries["other"].items() for node in found.of(kind)
    ]
    if others:
        return WorkflowError(
            f"{found.file.path}: renders with {', '.join(others)}, not with InfiniteTalk or MultiTalk: nothing "
            "in it can be checked",
            "name a workflow of InfiniteTalk, MultiTalk or SkyReels V3",
        )
    names = {role: " or ".join(entries[role]) for role in ("sampler", "windows", "audio")}
    loose = ", ".join(f"node {node.id} ({node.title})" for node in embeds.unconnected(found))
    return WorkflowError(
        f"{found.file.path}: has no active {names['sampler']} that is fed by {names['windows']} or {names['audio']}: "
        f"nothing in it can be checked{f'; connected to no sampler: {loose}' if loose else ''}",
        "connect these nodes to a sampler" if loose else "name the workflow that renders the talking video",
    )


def _of_sampler(found: Graph, sampler: Node) -> Declared | None:
    windows, schedule = embeds.windows(found, sampler)
    audio, sound = embeds.audio(found, sampler)
    if windows is None and audio is None:
        return None
    told: dict[str, Any] = {
        name: embeds.setting(found, sampler, name) for name in ("steps", "start_step", "end_step", "scheduler")
    }
    told |= schedule | sound | _model(found, sampler)
    told["mode"] = _resolved_mode(told["mode"], told.get("adapter"))
    return Declared(
        sampler.id,
        **told,
        crops=tuple(_crops(found, audio)) if audio else (),
        attention_overrides=tuple(_overrides(found, sampler)),
        context_options=embeds.context_options(found, sampler),
        video_fps=tuple(_rates(found)),
    )


def _resolved_mode(mode: Value, adapter: Value | None) -> Value:
    """`auto` goes by the adapter's file name, as upstream does."""
    if mode.value != "auto":
        return mode
    name = str(adapter.value).lower() if adapter and adapter.value else ""
    kind = "infinitetalk" if "infinite" in name else "multitalk" if name else None
    reason = "" if kind else "it is `auto`, and no adapter's name tells"
    return Value(kind, reason, mode.node_id, mode.title, mode.input, mode.at)


def _model(found: Graph, sampler: Node) -> dict[str, Value]:
    kind = vocabulary().roles["model"]
    loader = embeds.upstream(found, sampler, "model", kind)
    if loader is None:
        reason = f"no {kind} feeds node {sampler.id} ({sampler.title})"
        return {name: untold(name, reason) for name in ("model", "quantization", "attention_mode")}
    told = {"model": value(found, loader, "model"), "attention_mode": value(found, loader, "attention_mode")}
    told["quantization"] = _quantization(told["model"], value(found, loader, "quantization"))
    adapter = found.source(loader, "multitalk_model")
    if isinstance(adapter, tuple):
        told["adapter"] = value(found, adapter[0], "model")
    return told | _lora(found, loader, sampler)


def _quantization(model: Value, setting: Value) -> Value:
    """From the file's name (GGUF), else the loader's own setting, else the precision in the file's name."""
    name = str(model.value or "")
    in_name = re.search(QUANTIZATION, name)
    if in_name:
        return _with(model, in_name[1].upper())
    if setting.value not in (None, "disabled"):
        return setting
    precision = _PRECISION.search(name)
    if precision:
        return _with(model, precision[1].lower())
    return Value(None, model.reason or "the model's file name does not tell", model.node_id, model.title, model.input)


def _with(given: Value, told: object) -> Value:
    return Value(told, "", given.node_id, given.title, given.input, given.at)


def _lora(found: Graph, loader: Node, sampler: Node) -> dict[str, Value]:
    """The LoRA whose rank is required; else the first of those that are loaded."""
    loaded = [pair for pair in _loras(found, loader, sampler) if _strength(pair[1]) != 0 and pair[0].value]
    wanted = [pair for pair in loaded if DISTILL_LORA in str(pair[0].value).lower()]
    if not (wanted or loaded):
        return {"lora": untold("lora", "no LoRA is loaded"), "lora_rank": untold("lora", "no LoRA is loaded")}
    name, strength = (wanted or loaded)[0]
    rank = re.search(LORA_RANK, str(name.value))
    told = _with(name, int(rank[1])) if rank else untold("lora", "the LoRA's file name does not tell its rank")
    return {"lora": name, "lora_rank": told, "lora_strength": strength}


def _strength(given: Value) -> float | None:
    return float(given.value) if isinstance(given.value, int | float) else None


def _loras(found: Graph, loader: Node, sampler: Node) -> Iterator[tuple[Value, Value]]:
    """Name and strength of every LoRA, from the loader's chain and from nodes between it and the sampler."""
    kinds = vocabulary().entries["lora"]
    for node in (loader, *_between(found, sampler, loader)):
        for _ in range(_LONGEST_CHAIN):
            fed = found.source(node, "prev_lora" if node.kind in kinds else "lora")
            if not isinstance(fed, tuple) or fed[0].kind not in kinds:
                break
            node = fed[0]  # noqa: PLW2901 -- the chain is followed to its end
            entry = kinds[node.kind]
            for name, strength in zip(entry["names"], entry["strengths"], strict=True):
                told = value(found, node, name)
                if told.value not in (None, "none", ""):
                    yield told, value(found, node, strength)


def _between(found: Graph, sampler: Node, loader: Node) -> Iterator[Node]:
    node = sampler
    for _ in range(_LONGEST_CHAIN):
        fed = found.source(node, "model")
        if not isinstance(fed, tuple) or fed[0].id == loader.id:
            return
        node = fed[0]
        yield node


def _overrides(found: Graph, sampler: Node) -> Iterator[Value]:
    kinds = vocabulary().entries["attention"]
    for _ in range(_LONGEST_CHAIN):
        fed = found.source(sampler, "model")
        if not isinstance(fed, tuple):
            return
        sampler = fed[0]
        if sampler.kind in kinds:
            yield value(found, sampler, "attention_mode")


def _rates(found: Graph) -> Iterator[Value]:
    for kind, entry in vocabulary().entries["video"].items():
        for node in found.of(kind):
            yield value(found, node, entry["rate"])


def _crops(found: Graph, audio: Node) -> Iterator[Crop]:
    """The cuts between an audio file and its embedding, of every speaker."""
    for name in sorted(name for name in audio.inputs if name.startswith("audio_") and name[6:].isdigit()):
        yield from _cuts(found, audio, name)


def _cuts(found: Graph, node: Node, through: str) -> Iterator[Crop]:
    """The cuts behind one input."""
    kinds = vocabulary().entries["crop"]
    for _ in range(_LONGEST_CHAIN):
        fed = found.source(node, through)
        if not isinstance(fed, tuple):
            return
        node = fed[0]
        crop = _crop(found, node, kinds[node.kind]) if node.kind in kinds else None
        if crop:
            yield crop
        through = next((one for one in ("audio", "audio_1", "samples") if one in node.inputs), "")


def _crop(found: Graph, node: Node, entry: Mapping[str, Any]) -> Crop | None:
    start = _seconds(value(found, node, entry["start"]).value) or 0.0
    last = value(found, node, entry["duration" if "duration" in entry else "end"])
    seconds = _seconds(last.value)
    length = seconds if "duration" in entry or seconds is None else seconds - start
    if length is None or length <= 0:
        return None
    return Crop(node.id, node.title, length, last)


def _seconds(given: object) -> float | None:
    """Seconds of a number, or of `m:ss`."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        return float(given)
    parts = _CLOCK.match(given.strip()) if isinstance(given, str) and len(given) < 32 else None
    return int(parts[1] or 0) * 60 + float(parts[2]) if parts else None
