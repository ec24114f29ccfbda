"""Finds the nodes that feed a sampler: the source of each setting, of the windows and of the audio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from loganalyzer.workflow.graph import Graph, Node
from loganalyzer.workflow.requested import unknown_value
from loganalyzer.workflow.values import Value, resolve_value
from loganalyzer.workflow.vocabulary import load_vocabulary

_LONGEST_CHAIN: Final = 64
_STEP_DEFAULTS: Final = {"start_step": 0, "end_step": -1}
"""Optional sampler inputs, which a workflow in API format may omit."""
_SCHEDULE: Final = {
    "width": "width",
    "height": "height",
    "window_frames": "frame_window_size",
    "motion_frames": "motion_frame",
    "mode": "mode",
    "output_path": "output_path",
}
"""Setting to the input of the node that defines the windows."""


def find_samplers(found: Graph) -> Iterator[Node]:
    """The active samplers of every known class."""
    for kind in load_vocabulary().entries["sampler"]:
        yield from found.nodes_of(kind)


def resolve_setting(found: Graph, sampler: Node, name: str) -> Value:
    """A setting of a sampler. Newer samplers take some settings from another node."""
    node = _holder(found, sampler, name)
    if node is None:
        reason = f"nothing is connected to {_holder_input(sampler, name)} of node {sampler.id} ({sampler.title})"
        return Value(None, reason, sampler.id, sampler.title, name)
    if name in _STEP_DEFAULTS and name not in node.inputs:
        return Value(_STEP_DEFAULTS[name], "", node.id, node.title, name)
    return resolve_value(found, node, name)


def find_context_options(found: Graph, sampler: Node) -> str | None:
    """The id of the connected node with context options, or None."""
    node = _holder(found, sampler, "context_options")
    fed = found.source(node, "context_options") if node else None
    return fed[0].id if isinstance(fed, tuple) else None


def find_windows(found: Graph, sampler: Node) -> tuple[Node | None, dict[str, Value]]:
    """The node that defines a sampler's windows, and its settings. Without one, each setting says why it is unknown."""
    kinds = load_vocabulary().entries["windows"]
    node, last = _find_source(found, sampler, "image_embeds", kinds)
    if node is None:
        reason = _explain_missing(sampler, "image_embeds", last, "whose schedule is unknown")
        return None, {name: unknown_value(given, reason) for name, given in _SCHEDULE.items()}
    settings = {name: resolve_value(found, node, given) for name, given in _SCHEDULE.items()}
    entry = kinds[node.kind]
    if "mode" in entry:
        settings["mode"] = Value(entry["mode"], "", node.id, node.title, "mode")
    if "drop" in entry:
        settings["drop_frames"] = resolve_value(found, node, entry["drop"])
    return node, settings


def find_audio(found: Graph, sampler: Node) -> tuple[Node | None, dict[str, Value]]:
    """The node that provides a sampler's audio, and its settings. Without one, each setting says why it is unknown."""
    node, last = _find_source(found, sampler, "multitalk_embeds", load_vocabulary().entries["audio"])
    if node is not None:
        return node, {
            "requested_frames": resolve_value(found, node, "num_frames"),
            "fps": resolve_value(found, node, "fps"),
        }
    reason = _explain_missing(sampler, "multitalk_embeds", last, "whose frame count is unknown")
    loose = "; ".join(f"node {one.id} ({one.title}) is not connected to a sampler" for one in find_unconnected(found))
    reason = f"{reason}; {loose}" if loose else reason
    return None, {"requested_frames": unknown_value("num_frames", reason), "fps": unknown_value("fps", reason)}


def find_unconnected(found: Graph) -> list[Node]:
    """Active nodes with windows or audio that feed no sampler."""
    entries = load_vocabulary().entries
    used = {
        node.id
        for sampler in find_samplers(found)
        for name, role in (("image_embeds", "windows"), ("multitalk_embeds", "audio"))
        if (node := _find_source(found, sampler, name, entries[role])[0]) is not None
    }
    return [
        node
        for kind in (*entries["windows"], *entries["audio"])
        for node in found.nodes_of(kind)
        if node.id not in used
    ]


def find_upstream(found: Graph, node: Node, name: str, kind: str) -> Node | None:
    """The nearest node of class `kind` that feeds an input, directly or through inputs of the same name."""
    return _follow_chain(found, node, name, (kind,))[0]


def _find_source(
    found: Graph, sampler: Node, name: str, kinds: Mapping[str, Mapping[str, Any]]
) -> tuple[Node | None, Node | None]:
    """The nearest node of classes `kinds` that feeds a sampler's input, and the last node on the way."""
    holder = _holder(found, sampler, name)
    return (None, None) if holder is None else _follow_chain(found, holder, name, tuple(kinds))


def _follow_chain(found: Graph, node: Node, name: str, kinds: tuple[str, ...]) -> tuple[Node | None, Node | None]:
    last = None
    for _ in range(_LONGEST_CHAIN):
        fed = found.source(node, name)
        if not isinstance(fed, tuple):
            return None, last
        node = last = fed[0]
        if node.kind in kinds:
            return node, last
    return None, last


def _holder(found: Graph, sampler: Node, name: str) -> Node | None:
    """The node that holds a sampler's setting: the sampler itself, or the node that feeds one of its inputs."""
    through = _holder_input(sampler, name)
    if through is None:
        return sampler
    fed = found.source(sampler, through)
    return fed[0] if isinstance(fed, tuple) else None


def _holder_input(sampler: Node, name: str) -> str | None:
    through = load_vocabulary().entries["sampler"][sampler.kind].get("through", {}).get(name)
    return str(through) if through else None


def _explain_missing(sampler: Node, name: str, last: Node | None, unknown: str) -> str:
    other = load_vocabulary().entries["other"].get(last.kind) if last else None
    if last and other:
        return f"node {last.id} ({last.kind}) renders with {other['name']}, which this tool does not check"
    if last is None:
        return f"nothing is connected to {name} of node {sampler.id} ({sampler.title})"
    return f"{name} of node {sampler.id} ({sampler.title}) comes from node {last.id} ({last.kind}), {unknown}"
