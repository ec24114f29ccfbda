"""What an input comes to: a value, with the place where it is typed; or why it cannot be told. Nothing is executed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loganalyzer.common.errors import WorkflowError
from loganalyzer.workflow.graph import Graph, Node, Pointer, Typed
from loganalyzer.workflow.vocabulary import vocabulary

_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Value:
    """What one input comes to.

    Attributes:
        value: None where it cannot be told.
        reason: why not; empty where it can.
        node_id, title, input: where a person types it: perhaps another node than the one that uses it.
        at: the way to it in the document; None where it is computed.
    """

    value: Any
    reason: str
    node_id: str
    title: str
    input: str
    at: Pointer | None = None


def value(graph: Graph, node: Node, name: str) -> Value:
    """What an input comes to.

    Raises:
        WorkflowError: the links go round in a circle, or lead nowhere.
    """
    return _value(graph, node, name, 0)


def _value(graph: Graph, node: Node, name: str, depth: int) -> Value:
    if depth > _DEEPEST:
        raise WorkflowError(f"{graph.file.path}: what feeds node {node.id} ({node.title}) goes round in a circle")
    fed = graph.source(node, name)
    if fed is None:
        return _unknown(node, name, "nothing is connected or typed there")
    if isinstance(fed, Typed):
        found = _typed_at(graph, node, name)
        return Value(fed.value, "", found[0].id, found[0].title, found[1], fed.at)
    origin, slot = fed
    words = vocabulary()
    constant = words.entries["constant"].get(origin.kind)
    if constant:
        return _value(graph, origin, constant["value"], depth + 1)
    echo = words.echoes.get((origin.kind, slot))
    if echo:
        return _value(graph, origin, echo, depth + 1)
    size = words.entries["size"].get(origin.kind)
    if size and slot in (size["width"], size["height"]):
        return _size(graph, origin, size, "width" if slot == size["width"] else "height", depth)
    return _unknown(node, name, f"it is computed by node {origin.id} ({origin.kind})")


def _unknown(node: Node, name: str, reason: str) -> Value:
    return Value(None, reason, node.id, node.title, name)


def _typed_at(graph: Graph, node: Node, name: str) -> tuple[Node, str]:
    """The node whose own value it is, behind nodes that only hand on."""
    fed = node.inputs[name]
    while not isinstance(fed, Typed):
        node = graph.node(fed, node)
        name = (node.passes or {})[fed.slot]
        fed = node.inputs[name]
    return node, name


def _size(graph: Graph, node: Node, entry: Mapping[str, Any], side: str, depth: int) -> Value:
    """Width or height of a node's images: its own, where it makes them; else those of the images it was given."""
    resize = vocabulary().entries["resize"].get(node.kind)
    if resize:
        return _resized(graph, node, resize, side, depth)
    return _size_of(graph, node, entry["image"], side, depth)


def _size_of(graph: Graph, node: Node, image: str, side: str, depth: int) -> Value:
    if depth > _DEEPEST:
        raise WorkflowError(f"{graph.file.path}: the images of node {node.id} ({node.title}) go round in a circle")
    fed = graph.source(node, image)
    if fed is None or isinstance(fed, Typed):
        return _unknown(node, image, "no image is connected")
    origin, _ = fed
    words = vocabulary()
    if origin.kind in words.entries["resize"]:
        return _resized(graph, origin, words.entries["resize"][origin.kind], side, depth + 1)
    same = words.entries["same_size"].get(origin.kind)
    if same:
        return _size_of(graph, origin, same["image"], side, depth + 1)
    return _unknown(origin, image, f"it is the size of what node {origin.id} ({origin.kind}) loads or computes")


def _resized(graph: Graph, node: Node, entry: Mapping[str, Any], side: str, depth: int) -> Value:
    if entry["mode"]:
        mode = _value(graph, node, entry["mode"], depth + 1).value
        if mode not in entry["exact"]:
            return _unknown(node, side, f"node {node.id} ({node.kind}) keeps the image's proportions ({mode})")
    found = _value(graph, node, side, depth + 1)
    if not isinstance(found.value, int) or isinstance(found.value, bool) or found.value <= 0:
        reason = found.reason or f"node {node.id} ({node.kind}) takes the image's own {side}"
        return Value(None, reason, found.node_id, found.title, found.input)
    step = _value(graph, node, entry["divisible"], depth + 1).value if entry["divisible"] else 1
    whole = step if isinstance(step, int) and step > 1 else 1
    return Value(found.value - found.value % whole, "", found.node_id, found.title, found.input, found.at)
