"""Loads the known node classes from `patterns/workflow-nodes.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from loganalyzer.common.resources import data_folder

_ONE = ("model", "adapter")
_MANY = (
    "sampler", "settings", "windows", "audio", "clip", "native_model", "native_adapter", "native_lora", "attention",
    "pass_through",    "lora", "video", "crop", "constant", "resize",
)  # fmt: skip
_BARE = ("size", "same_size", "other")
"""Tables of classes whose widget values are not used."""


@dataclass(frozen=True)
class Vocabulary:
    """The node classes by role.

    Attributes:
        widgets: class to the names of its values, in the editor's order.
        roles: `model` and `adapter` to their class.
        entries: table of the file to class to entry.
        echoes: (class, output slot) to the input whose number that output repeats.
    """

    widgets: Mapping[str, tuple[str, ...]]
    roles: Mapping[str, str]
    entries: Mapping[str, Mapping[str, Mapping[str, Any]]]
    echoes: Mapping[tuple[str, int], str]


@cache
def load_vocabulary() -> Vocabulary:
    """The vocabulary shipped with the tool."""
    document = tomllib.loads((data_folder("patterns") / "workflow-nodes.toml").read_text(encoding="utf-8"))
    named = [document[name] for name in _ONE] + [entry for name in _MANY for entry in document[name]]
    return Vocabulary(
        widgets={entry["class"]: tuple(entry["widgets"]) for entry in named},
        roles={name: document[name]["class"] for name in _ONE},
        entries={name: {entry["class"]: entry for entry in document[name]} for name in (*_MANY, *_BARE)},
        echoes={(entry["class"], entry["slot"]): entry["input"] for entry in document["echo"]},
    )
