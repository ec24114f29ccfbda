"""Parses a workflow file in either format into a graph of nodes."""

from __future__ import annotations

from collections.abc import Mapping

from loganalyzer.common.errors import WorkflowError
from loganalyzer.workflow import api_format, editor_format
from loganalyzer.workflow.files import WorkflowFile
from loganalyzer.workflow.graph import MOST_NODES, Graph, Node
from loganalyzer.workflow.pass_through import with_pass_through


def parse_workflow(file: WorkflowFile) -> Graph:
    """The graph of a workflow in either format.

    Raises:
        WorkflowError: the file is not a ComfyUI workflow, or a link leads to a node that does not exist.
    """
    data = file.data
    if isinstance(data, dict) and isinstance(data.get("nodes"), list):
        return Graph(file, "ui", with_pass_through(_check_size(file, editor_format.read_nodes(file))))
    found = api_format.read_nodes(file)
    if found:
        return Graph(file, "api", with_pass_through(_check_size(file, found)))
    raise WorkflowError(
        f"{file.path}: is JSON, but not a ComfyUI workflow",
        "save it in the editor (Workflow, Save), or export it (Workflow, Export (API))",
    )


def _check_size(file: WorkflowFile, nodes: Mapping[str, Node]) -> Mapping[str, Node]:
    if len(nodes) > MOST_NODES:
        raise WorkflowError(f"{file.path}: has more than {MOST_NODES} nodes, too many for a workflow")
    return nodes
