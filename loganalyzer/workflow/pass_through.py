"""Recognizes nodes that only pass an input on, such as nodes that free memory, by their inputs and outputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from loganalyzer.workflow.graph import Link, Node, Typed
from loganalyzer.workflow.vocabulary import load_vocabulary

_ANY: Final = re.compile(r"(?i)any(thing)?(_?in(put)?)?(_?\d+)?")
"""Names that node packs give an input of any type: `anything`, `any_input`, `any_01`."""

_COMPUTES: Final = re.compile(r"(?i)length|len\b|count|size|shape|type|is_?none|index|show|to[ _]?(str|int|float|text)")
"""Words in the class of a node that takes any type and returns another; the API format does not name types."""
_SCALARS: Final = frozenset({"INT", "FLOAT", "STRING", "BOOLEAN"})


def with_pass_through(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """The nodes, with `passes` filled in for nodes that only pass an input on."""
    used = _used_outputs(nodes.values())
    return {
        key: node if node.passes is not None else replace(node, passes=_passed_inputs(node, used.get(key, frozenset())))
        for key, node in nodes.items()
    }


def _passed_inputs(node: Node, used: frozenset[int]) -> dict[int, str] | None:
    """Output slot to the input that it passes on; None for a node that does more than that.

    Such a node has one connected input, named as an input of any type; no settings but switches; one output, or only
    the first is used; and that output is not a plain number or text.
    """
    entry = load_vocabulary().entries["pass_through"].get(node.kind)
    if entry:
        return dict(enumerate(entry["outputs"]))
    links = [name for name, given in node.inputs.items() if isinstance(given, Link)]
    switches = [given.value for given in node.inputs.values() if isinstance(given, Typed)]
    if len(links) != 1 or not _ANY.fullmatch(links[0]) or not all(isinstance(one, bool) for one in switches):
        return None
    computes = len(node.outputs) > 1 or _SCALARS.intersection(node.outputs) or _COMPUTES.search(node.kind)
    return {0: links[0]} if used <= {0} and not computes else None


def _used_outputs(nodes: Iterable[Node]) -> dict[str, frozenset[int]]:
    """Node id to the output slots that other nodes use."""
    found: dict[str, set[int]] = {}
    for node in nodes:
        for given in node.inputs.values():
            if isinstance(given, Link):
                found.setdefault(given.node, set()).add(given.slot)
    return {key: frozenset(slots) for key, slots in found.items()}
