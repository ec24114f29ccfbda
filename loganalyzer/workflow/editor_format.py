"""Reads the editor's format of a workflow: nodes with bare lists of values, and links in a separate list.

This module resolves what only the editor knows: `SetNode` and `GetNode` pairs, reroutes, muted and bypassed nodes, and
subgraphs, whose nodes get ids such as `12:3`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from loganalyzer.common.errors import WorkflowError
from loganalyzer.workflow.files import WorkflowFile
from loganalyzer.workflow.graph import MOST_NODES, Link, Node, Pointer, Typed
from loganalyzer.workflow.vocabulary import load_vocabulary

_MUTED: Final = 2
_BYPASSED: Final = 4
_INPUT_SIDE: Final = -10
_OUTPUT_SIDE: Final = -20
"""The node ids that a subgraph's links use for the subgraph's own inputs and outputs."""
_DEEPEST: Final = 16
_SEEDS: Final = ("seed", "noise_seed")
_REROUTES: Final = ("Reroute", "ReroutePrimitive", "Reroute (rgthree)")


@dataclass(frozen=True)
class _Scope:
    """One level of the workflow: the top level, or one instance of a subgraph."""

    file: WorkflowFile
    data: Mapping[str, Any]
    at: Pointer
    prefix: str
    subgraphs: Mapping[str, tuple[Mapping[str, Any], Pointer]]
    outer: Mapping[int, Link | Typed]
    depth: int

    def id(self, number: object) -> str:
        return f"{self.prefix}{number}"


def read_nodes(file: WorkflowFile) -> dict[str, Node]:
    """All nodes, including those of subgraphs.

    Raises:
        WorkflowError: subgraphs contain each other, or there are too many nodes.
    """
    definitions = file.data.get("definitions")
    listed = definitions.get("subgraphs") if isinstance(definitions, dict) else None
    subgraphs = {
        str(entry["id"]): (entry, ("definitions", "subgraphs", place))
        for place, entry in enumerate(listed if isinstance(listed, list) else [])
        if isinstance(entry, dict) and "id" in entry
    }
    found: dict[str, Node] = {}
    _collect(_Scope(file, file.data, (), "", subgraphs, {}, 0), found)
    return _connect_set_get(found)


def _collect(scope: _Scope, found: dict[str, Node]) -> None:
    if scope.depth > _DEEPEST or len(found) > MOST_NODES:
        raise WorkflowError(f"{scope.file.path}: subgraphs are nested too deeply, or contain each other")
    links = _links(scope.data)
    for place, entry in enumerate(_list(scope.data.get("nodes"))):
        if not isinstance(entry, dict) or "id" not in entry:
            continue
        node = _parse_node(scope, entry, (*scope.at, "nodes", place), links)
        inside = scope.subgraphs.get(node.kind)
        if inside is None:
            found[node.id] = node
        else:
            found[node.id] = _expand_subgraph(scope, node, entry, inside, found)


def _expand_subgraph(
    scope: _Scope,
    node: Node,
    entry: Mapping[str, Any],
    inside: tuple[Mapping[str, Any], Pointer],
    found: dict[str, Node],
) -> Node:
    """Collects the nodes of a subgraph's instance; returns a node that passes their outputs on."""
    data, at = inside
    outer = {
        slot: node.inputs[str(given.get("name"))]
        for slot, given in enumerate(_list(entry.get("inputs")))
        if isinstance(given, dict) and str(given.get("name")) in node.inputs
    }
    if node.is_active and node.passes is None:
        inner = _Scope(scope.file, data, at, f"{node.id}:", scope.subgraphs, outer, scope.depth + 1)
        _collect(inner, found)
        outputs = {
            slot: Link(inner.id(origin), origin_slot)
            for origin, origin_slot, target, slot in _links(data).values()
            if target == _OUTPUT_SIDE
        }
        return Node(
            node.id,
            node.kind,
            node.title,
            {f"output {slot}": link for slot, link in outputs.items()},
            passes={slot: f"output {slot}" for slot in outputs},
        )
    return node


def _links(data: Mapping[str, Any]) -> dict[object, tuple[object, int, object, int]]:
    """Link id to (origin node, origin slot, target node, target slot). A link is a list, or an object in a subgraph."""
    found: dict[object, tuple[object, int, object, int]] = {}
    for link in _list(data.get("links")):
        if isinstance(link, list) and len(link) >= 5 and isinstance(link[2], int) and isinstance(link[4], int):
            found[_hashable(link[0])] = (link[1], link[2], link[3], link[4])
        elif isinstance(link, dict) and isinstance(link.get("origin_slot"), int):
            target = link.get("target_slot")
            slot = target if isinstance(target, int) else 0
            found[_hashable(link.get("id"))] = (link.get("origin_id"), link["origin_slot"], link.get("target_id"), slot)
    return found


def _hashable(value: object) -> object:
    return value if isinstance(value, int | str) else None


def _parse_node(
    scope: _Scope, entry: Mapping[str, Any], at: Pointer, links: Mapping[object, tuple[object, int, object, int]]
) -> Node:
    kind = str(entry.get("type"))
    inputs: dict[str, Link | Typed] = dict(_widget_values(entry, kind, at))
    slots = [given for given in _list(entry.get("inputs")) if isinstance(given, dict)]
    for given in slots:
        link = links.get(_hashable(given.get("link"))) if given.get("link") is not None else None
        if link is None:
            continue
        origin, slot = link[0], link[1]
        if origin == _INPUT_SIDE and scope.depth:
            if slot in scope.outer:
                inputs[str(given.get("name"))] = scope.outer[slot]
        else:
            inputs[str(given.get("name"))] = Link(scope.id(origin), slot)
    mode = entry.get("mode")
    return Node(
        id=scope.id(entry["id"]),
        kind=kind,
        title=str(entry.get("title") or kind),
        inputs=inputs,
        is_active=mode != _MUTED,
        passes=_passed_inputs(entry, kind, slots) if mode == _BYPASSED or kind in _REROUTES else None,
        outputs=tuple(str(given.get("type")) for given in _list(entry.get("outputs")) if isinstance(given, dict)),
    )


def _widget_values(entry: Mapping[str, Any], kind: str, at: Pointer) -> Iterator[tuple[str, Typed]]:
    """The names of a node's widget values, and the values."""
    values = entry.get("widgets_values")
    place = (*at, "widgets_values")
    if isinstance(values, dict):
        for name, value in values.items():
            yield name, Typed(value, (*place, name))
    elif isinstance(values, list):
        listed = _widget_names(entry, len(values))
        names = listed if len(listed) == len(values) else load_vocabulary().widgets.get(kind, listed)
        for index, value in enumerate(values):
            name = names[index] if index < len(names) else f"value {index + 1}"
            yield name, Typed(value, (*place, index))


def _widget_names(entry: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """The names of a node's values. Newer editors list them among the inputs, except the control after a seed."""
    if entry.get("type") in ("SetNode", "GetNode"):
        return ("name",) * min(count, 1)
    given = [item for item in _list(entry.get("inputs")) if isinstance(item, dict) and item.get("widget")]
    names = [str(item.get("name")) for item in given]
    seeds = [place for place, name in enumerate(names, 1) if name in _SEEDS]
    if len(names) + len(seeds) == count:
        for place in reversed(seeds):
            names.insert(place, "control_after_generate")
    return tuple(names)


def _passed_inputs(entry: Mapping[str, Any], kind: str, slots: list[dict[str, Any]]) -> dict[int, str]:
    """Output slot to the input that it passes on: the first input of the same type."""
    if kind in _REROUTES:
        return {0: str(slots[0].get("name"))} if slots else {}
    passing: dict[int, str] = {}
    for slot, output in enumerate(_list(entry.get("outputs"))):
        wanted = output.get("type") if isinstance(output, dict) else None
        same = [str(given.get("name")) for given in slots if given.get("type") == wanted]
        if same:
            passing[slot] = same[0]
    return passing


def _connect_set_get(found: dict[str, Node]) -> dict[str, Node]:
    """The nodes, with each `GetNode` connected to the input of the `SetNode` of the same name."""
    setters: dict[str, Node] = {}
    for node in found.values():
        if node.kind == "SetNode" and isinstance(node.inputs.get("name"), Typed):
            setters.setdefault(_pair_name(node), node)
    result = dict(found)
    for node in found.values():
        if node.kind == "SetNode":
            fed = _value_link(node)
            result[node.id] = Node(node.id, node.kind, node.title, fed, node.is_active, dict.fromkeys((0, 1), "value"))
        elif node.kind == "GetNode":
            setter = setters.get(_pair_name(node))
            fed = _value_link(setter) if setter is not None and setter.is_active else {}
            result[node.id] = Node(node.id, node.kind, node.title, fed, node.is_active, {0: "value"})
    return result


def _pair_name(node: Node) -> str:
    given = node.inputs.get("name")
    return str(given.value) if isinstance(given, Typed) else ""


def _value_link(node: Node) -> dict[str, Link | Typed]:
    links = [value for name, value in node.inputs.items() if name != "name"]
    return {"value": links[0]} if links else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
