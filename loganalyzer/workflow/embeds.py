"""What feeds a sampler: the node behind each of its settings, the source of its windows and that of its audio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from loganalyzer.workflow.graph import Graph, Node
from loganalyzer.workflow.requested import untold
from loganalyzer.workflow.values import Value, value
from loganalyzer.workflow.vocabulary import vocabulary

_LONGEST_CHAIN: Final = 64
_STEP_DEFAULTS: Final = {"start_step": 0, "end_step": -1}
"""Optional inputs of the samplers: a workflow in API format may leave them out."""
_SCHEDULE: Final = {
    "width": "width",
    "height": "height",
    "window_frames": "frame_window_size",
    "motion_frames": "motion_frame",
    "mode": "mode",
    "output_path": "output_path",
}
"""Setting to the input of a node that is the source of windows."""


def samplers(found: Graph) -> Iterator[Node]:
    """Active samplers of every known class."""
    for kind in vocabulary().entries["sampler"]:
        yield from found.of(kind)


def setting(found: Graph, sampler: Node, name: str) -> Value:
    """A setting of a sampler, which newer samplers take from another node."""
    node = _holder(found, sampler, name)
    if node is None:
        reason = f"nothing is connected to {_through(sampler, name)} of node {sampler.id} ({sampler.title})"
        return Value(None, reason, sampler.id, sampler.title, name)
    if name in _STEP_DEFAULTS and name not in node.inputs:
        return Value(_STEP_DEFAULTS[name], "", node.id, node.title, name)
    return value(found, node, name)


def context_options(found: Graph, sampler: Node) -> str | None:
    """The id of the node with context options, if one is connected."""
    node = _holder(found, sampler, "context_options")
    fed = found.source(node, "context_options") if node else None
    return fed[0].id if isinstance(fed, tuple) else None


def windows(found: Graph, sampler: Node) -> tuple[Node | None, dict[str, Value]]:
    """The source of a sampler's windows, and its settings; without a source, why each is unknown."""
    kinds = vocabulary().entries["windows"]
    node, last = _nearest(found, sampler, "image_embeds", kinds)
    if node is None:
        reason = _why_not(sampler, "image_embeds", last, "whose schedule is unknown")
        return None, {name: untold(given, reason) for name, given in _SCHEDULE.items()}
    told = {name: value(found, node, given) for name, given in _SCHEDULE.items()}
    entry = kinds[node.kind]
    if "mode" in entry:
        told["mode"] = Value(entry["mode"], "", node.id, node.title, "mode")
    if "drop" in entry:
        told["drop_frames"] = value(found, node, entry["drop"])
    return node, told


def audio(found: Graph, sampler: Node) -> tuple[Node | None, dict[str, Value]]:
    """The source of a sampler's audio, and its settings; without a source, why they are unknown."""
    node, last = _nearest(found, sampler, "multitalk_embeds", vocabulary().entries["audio"])
    if node is not None:
        return node, {"requested_frames": value(found, node, "num_frames"), "fps": value(found, node, "fps")}
    reason = _why_not(sampler, "multitalk_embeds", last, "whose frame count is unknown")
    loose = "; ".join(f"node {one.id} ({one.title}) is connected to no sampler" for one in unconnected(found))
    reason = f"{reason}; {loose}" if loose else reason
    return None, {"requested_frames": untold("num_frames", reason), "fps": untold("fps", reason)}


def unconnected(found: Graph) -> list[Node]:
    """Active sources of windows or of audio that feed no sampler."""
    entries = vocabulary().entries
    used = {
        node.id
        for sampler in samplers(found)
        for name, role in (("image_embeds", "windows"), ("multitalk_embeds", "audio"))
        if (node := _nearest(found, sampler, name, entries[role])[0]) is not None
    }
    return [node for kind in (*entries["windows"], *entries["audio"]) for node in found.of(kind) if node.id not in used]


def upstream(found: Graph, node: Node, name: str, kind: str) -> Node | None:
    """The nearest node of a class that feeds an input, directly or through others with an input of the same name."""
    return _chain(found, node, name, (kind,))[0]


def _nearest(
    found: Graph, sampler: Node, name: str, kinds: Mapping[str, Mapping[str, Any]]
) -> tuple[Node | None, Node | None]:
    """The nearest node of some classes behind an input of a sampler, and the last node on the way."""
    holder = _holder(found, sampler, name)
    return (None, None) if holder is None else _chain(found, holder, name, tuple(kinds))


def _chain(found: Graph, node: Node, name: str, kinds: tuple[str, ...]) -> tuple[Node | None, Node | None]:
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
    """The node that has a setting of a sampler: the sampler, or what feeds one of its inputs."""
    through = _through(sampler, name)
    if through is None:
        return sampler
    fed = found.source(sampler, through)
    return fed[0] if isinstance(fed, tuple) else None


def _through(sampler: Node, name: str) -> str | None:
    through = vocabulary().entries["sampler"][sampler.kind].get("through", {}).get(name)
    return str(through) if through else None


def _why_not(sampler: Node, name: str, last: Node | None, unknown: str) -> str:
    other = vocabulary().entries["other"].get(last.kind) if last else None
    if last and other:
        return f"node {last.id} ({last.kind}) renders with {other['name']}, which is not checked"
    if last is None:
        return f"nothing is connected to {name} of node {sampler.id} ({sampler.title})"
    return f"{name} of node {sampler.id} ({sampler.title}) come from node {last.id} ({last.kind}), {unknown}"
