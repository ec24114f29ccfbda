"""Models a workflow as nodes and links, the same for both file formats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from loganalyzer.common.errors import WorkflowError
from loganalyzer.workflow.files import WorkflowFile

Format = Literal["api", "ui"]
Pointer = tuple[str | int, ...]
"""The path to a value in the JSON document: keys and list indices."""

MOST_NODES: Final = 20_000


@dataclass(frozen=True, slots=True)
class Link:
    """A link to the output of another node."""

    node: str
    slot: int


@dataclass(frozen=True, slots=True)
class Typed:
    """A value typed into a node, and its position in the document."""

    value: object
    at: Pointer


@dataclass(frozen=True)
class Node:
    """One node.

    Attributes:
        id: as the editor shows it; inside a subgraph `outer:inner`.
        kind: the node's class.
        title: as the editor shows it; the class if the node has no title.
        inputs: input name to the link or value that feeds it.
        is_active: False for a muted node.
        passes: output slot to input name, for a node that is bypassed or only passes its inputs on.
        outputs: types of the outputs; empty if the format does not name them.
    """

    id: str
    kind: str
    title: str
    inputs: Mapping[str, Link | Typed]
    is_active: bool = True
    passes: Mapping[int, str] | None = None
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Graph:
    """All nodes of a workflow by id."""

    file: WorkflowFile
    format: Format
    nodes: Mapping[str, Node] = field(default_factory=dict)

    def nodes_of(self, kind: str) -> Iterator[Node]:
        """The active nodes of class `kind`, in the order of their ids."""
        found = [node for node in self.nodes.values() if node.kind == kind and node.is_active and node.passes is None]
        return iter(sorted(found, key=lambda node: (len(node.id), node.id)))

    def node(self, link: Link, reader: Node) -> Node:
        """The node that a link leads to.

        Raises:
            WorkflowError: the node does not exist.
        """
        found = self.nodes.get(link.node)
        if found is None:
            raise WorkflowError(
                f"{self.file.path}: node {reader.id} ({reader.title}) is linked to node {link.node}, "
                "which does not exist",
                "open the workflow in the editor, repair the link and save it again",
            )
        return found

    def source(self, node: Node, name: str) -> tuple[Node, int] | Typed | None:
        """What feeds an input, across nodes that only pass on: a node and its slot, a typed value, or None.

        Raises:
            WorkflowError: the links form a loop, or a linked node does not exist.
        """
        reader, fed = node, node.inputs.get(name)
        seen: set[tuple[str, int]] = set()
        while isinstance(fed, Link):
            if (fed.node, fed.slot) in seen:
                raise WorkflowError(
                    f"{self.file.path}: the links at node {node.id} ({node.title}), input {name!r}, form a loop",
                    "open the workflow in the editor, repair the link and save it again",
                )
            seen.add((fed.node, fed.slot))
            found = self.node(fed, reader)
            if not found.is_active:
                return None
            if found.passes is None:
                return found, fed.slot
            through = found.passes.get(fed.slot)
            reader, fed = found, found.inputs.get(through) if through is not None else None
        return fed
