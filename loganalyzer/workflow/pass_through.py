"""Nodes that hand on what they are given, such as those that free memory between two others: told by their shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from loganalyzer.workflow.graph import Link, Node, Typed
from loganalyzer.workflow.vocabulary import vocabulary

_ANY: Final = re.compile(r"(?i)any(thing)?(_?in(put)?)?(_?\d+)?")
"""What node packs call an input that takes every type: `anything`, `any_input`, `any_01`."""

_COMPUTES: Final = re.compile(r"(?i)length|len\b|count|size|shape|type|is_?none|index|show|to[ _]?(str|int|float|text)")
"""In the class of a node that takes every type and gives something else; a workflow in API format names no types."""
_SCALARS: Final = frozenset({"INT", "FLOAT", "STRING", "BOOLEAN"})


def with_pass_through(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """The nodes, with those that only hand on marked as such."""
    read = _outputs_read(nodes.values())
    return {
        key: node if node.passes is not None else replace(node, passes=_passes(node, read.get(key, frozenset())))
        for key, node in nodes.items()
    }


def _passes(node: Node, read: frozenset[int]) -> dict[int, str] | None:
    """Output slot to the input that it hands on; None for a node that does more than that.

    The shape: one connected input, named as one that takes every type; no setting but switches; one output, or none
    but the first that is read; and that one no plain number or text.
    """
    entry = vocabulary().entries["pass_through"].get(node.kind)
    if entry:
        return dict(enumerate(entry["outputs"]))
    links = [name for name, given in node.inputs.items() if isinstance(given, Link)]
    switches = [given.value for given in node.inputs.values() if isinstance(given, Typed)]
    if len(links) != 1 or not _ANY.fullmatch(links[0]) or not all(isinstance(one, bool) for one in switches):
        return None
    computes = len(node.outputs) > 1 or _SCALARS.intersection(node.outputs) or _COMPUTES.search(node.kind)
    return {0: links[0]} if read <= {0} and not computes else None


def _outputs_read(nodes: Iterable[Node]) -> dict[str, frozenset[int]]:
    """Node id to its outputs that other nodes read."""
    found: dict[str, set[int]] = {}
    for node in nodes:
        for given in node.inputs.values():
            if isinstance(given, Link):
                found.setdefault(given.node, set()).add(given.slot)
    return {key: frozenset(slots) for key, slots in found.items()}
