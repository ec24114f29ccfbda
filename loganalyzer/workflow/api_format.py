"""Reads the server's (API) format of a workflow: node id to class and inputs; a link is `[id, slot]`."""

from __future__ import annotations

from typing import Any

from loganalyzer.workflow.files import WorkflowFile
from loganalyzer.workflow.graph import Link, Node, Pointer, Typed


def read_nodes(file: WorkflowFile) -> dict[str, Node]:
    """The nodes of a workflow or of a request's body (`{"prompt": …}`); empty if the document has none."""
    data = file.data
    at: Pointer = ()
    if isinstance(data, dict) and isinstance(data.get("prompt"), dict):
        data, at = data["prompt"], ("prompt",)
    if not isinstance(data, dict):
        return {}
    return {
        key: _parse_node(key, entry, (*at, key))
        for key, entry in data.items()
        if isinstance(entry, dict) and isinstance(entry.get("class_type"), str)
    }


def _parse_node(key: str, entry: dict[str, Any], at: Pointer) -> Node:
    meta = entry.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    inputs = entry.get("inputs")
    return Node(
        id=key,
        kind=entry["class_type"],
        title=str(title or entry["class_type"]),
        inputs={
            name: Link(str(value[0]), value[1]) if _is_link(value) else Typed(value, (*at, "inputs", name))
            for name, value in (inputs.items() if isinstance(inputs, dict) else ())
        },
    )


def _is_link(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str | int)
        and isinstance(value[1], int)
        and not isinstance(value[1], bool)
    )
