"""Resolves a node's input to a value and the place where it is typed, or to the reason why it is unknown.

No node is executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loganalyzer.common.errors import WorkflowError
from loganalyzer.workflow.graph import Graph, Node, Pointer, Typed
from loganalyzer.workflow.vocabulary import load_vocabulary

_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Value:
    """The resolved value of one input.

    Attributes:
        value: None if unknown.
        reason: why the value is unknown; else empty.
        node_id, title, input: the place where a person types the value, perhaps in another node than the one that
            uses it.
        at: the pointer to the value in the document; None if it is computed.
    """

    value: Any
    reason: str
    node_id: str
    title: str
    input: str
    at: Pointer | None = None


def resolve_value(graph: Graph, node: Node, name: str) -> Value:
    """The resolved value of a node's input.

    Raises:
        WorkflowError: the links form a loop, or a linked node does not exist.
    """
    return _resolve(graph, node, name, 0)


def _resolve(graph: Graph, node: Node, name: str, depth: int) -> Value:
    if depth > _DEEPEST:
        raise WorkflowError(f"{graph.file.path}: the links into node {node.id} ({node.title}) form a loop")
    fed = graph.source(node, name)
    if fed is None:
        return _unknown(node, name, "nothing is connected or typed there")
    if isinstance(fed, Typed):
        found = _find_typed(graph, node, name)
        return Value(fed.value, "", found[0].id, found[0].title, found[1], fed.at)
    origin, slot = fed
    words = load_vocabulary()
    constant = words.entries["constant"].get(origin.kind)
    if constant:
        return _resolve(graph, origin, constant["value"], depth + 1)
    echo = words.echoes.get((origin.kind, slot))
    if echo:
        return _resolve(graph, origin, echo, depth + 1)
    size = words.entries["size"].get(origin.kind)
    if size and slot in (size["width"], size["height"]):
        return _resolve_size(graph, origin, size, "width" if slot == size["width"] else "height", depth)
    return _unknown(node, name, f"it is computed by node {origin.id} ({origin.kind})")


def _unknown(node: Node, name: str, reason: str) -> Value:
    return Value(None, reason, node.id, node.title, name)


def _find_typed(graph: Graph, node: Node, name: str) -> tuple[Node, str]:
    """The node and input where the value is typed, across nodes that only pass on."""
    fed = node.inputs[name]
    while not isinstance(fed, Typed):
        node = graph.node(fed, node)
        name = (node.passes or {})[fed.slot]
        fed = node.inputs[name]
    return node, name


def _resolve_size(graph: Graph, node: Node, entry: Mapping[str, Any], side: str, depth: int) -> Value:
    """Width or height of a node's images: set by the node itself, or by the images that it gets."""
    resize = load_vocabulary().entries["resize"].get(node.kind)
    if resize:
        return _resized_size(graph, node, resize, side, depth)
    return _image_size(graph, node, entry["image"], side, depth)


def _image_size(graph: Graph, node: Node, image: str, side: str, depth: int) -> Value:
    if depth > _DEEPEST:
        raise WorkflowError(f"{graph.file.path}: the image links of node {node.id} ({node.title}) form a loop")
    fed = graph.source(node, image)
    if fed is None or isinstance(fed, Typed):
        return _unknown(node, image, "no image is connected")
    origin, _ = fed
    words = load_vocabulary()
    if origin.kind in words.entries["resize"]:
        return _resized_size(graph, origin, words.entries["resize"][origin.kind], side, depth + 1)
    same = words.entries["same_size"].get(origin.kind)
    if same:
        return _image_size(graph, origin, same["image"], side, depth + 1)
    return _unknown(origin, image, f"it depends on the image that node {origin.id} ({origin.kind}) loads or computes")


def _resized_size(graph: Graph, node: Node, entry: Mapping[str, Any], side: str, depth: int) -> Value:
    if entry["mode"]:
        mode = _resolve(graph, node, entry["mode"], depth + 1).value
        if mode not in entry["exact"]:
            return _unknown(node, side, f"node {node.id} ({node.kind}) keeps the image's proportions ({mode})")
    found = _resolve(graph, node, side, depth + 1)
    if not isinstance(found.value, int) or isinstance(found.value, bool) or found.value <= 0:
        reason = found.reason or f"node {node.id} ({node.kind}) keeps the image's {side}"
        return Value(None, reason, found.node_id, found.title, found.input)
    step = _resolve(graph, node, entry["divisible"], depth + 1).value if entry["divisible"] else 1
    divisor = step if isinstance(step, int) and step > 1 else 1
    return Value(found.value - found.value % divisor, "", found.node_id, found.title, found.input, found.at)
