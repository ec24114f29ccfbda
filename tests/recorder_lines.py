"""One line of loganalyzer's recorder, with the keys and their order as in docs/recorder.md."""

from __future__ import annotations

import json
from collections.abc import Mapping

PROMPT = "1b2c8d0e-5f41-4c7a-9b1e-3d2f6a7b8c9d"
SAMPLER = "27"

_KEYS: Mapping[str, tuple[str, ...]] = {
    "start": ("recorder", "gpu", "vram", "driver", "torch", "python", "comfyui", "arguments"),
    "packs": ("packs",),
    "prompt": ("prompt", "nodes"),
    "sampler": (
        "prompt", "node", "class", "model", "quantization", "adapter", "adapter_quantization", "attention", "frames",
        "window", "overlap", "width", "height", "steps", "audio", "fps",
    ),
    "lora": ("prompt", "node", "name", "strength"),
    "step": ("prompt", "node", "window", "start", "end", "step", "steps", "seconds", "allocated"),
    "node": (
        "prompt", "node", "class", "seconds", "allocated", "reserved", "sampling", "sampling_reserved",
        "prompt_allocated", "prompt_reserved", "free", "others", "temperature", "clock", "throttle",
    ),
    "end": (
        "prompt", "status", "exception", "node", "class", "seconds", "load", "encode", "sample", "decode", "other",
    ),
    "off": ("hook", "reason"),
}  # fmt: skip


def line(event: str, **values: object) -> str:
    """One line of the recorder; keys without a value are null. `class_` stands for the key `class`."""
    known = {name.rstrip("_"): value for name, value in values.items()}
    if {"prompt", "node"} <= set(_KEYS[event]) and event != "end":
        known = {"node": SAMPLER, **known}
    if "prompt" in _KEYS[event]:
        known = {"prompt": PROMPT, **known}
    content = {"v": 1, "event": event} | {key: known.pop(key, None) for key in _KEYS[event]}
    assert not known, known
    return "[loganalyzer] " + json.dumps(content, separators=(",", ":"))
