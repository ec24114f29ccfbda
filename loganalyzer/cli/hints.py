"""Gives hints on inputs that are not logs: what they are, and which command takes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loganalyzer.common.errors import WorkflowError
from loganalyzer.common.formatting import one_line

if TYPE_CHECKING:
    from loganalyzer.tables.analysis import Analysis

_OF_WORKFLOWS: Final = frozenset({".json", ".png", ".webp"})
MOST_HINTS: Final = 3
"""Most inputs with a hint; a folder may have hundreds of workflows."""


def hints(analysis: Analysis) -> Iterator[str]:
    """Yields a message per workflow that was passed as a log."""
    sources = analysis.sources
    unknown = sources.filter(sources["records"] + sources["near"] == 0)["source"].head(100).to_list()
    paths = [path for name in unknown if (path := Path(name).expanduser()).suffix.lower() in _OF_WORKFLOWS]
    found = [path for path in paths if _is_workflow(path)]
    for path in found[:MOST_HINTS]:
        yield f"{one_line(str(path))} is a workflow, not a log\n  check it with `loganalyze workflow check FILE`"


def _is_workflow(path: Path) -> bool:
    from loganalyzer.workflow.files import read_workflow_file
    from loganalyzer.workflow.parse import parse_workflow

    try:
        parse_workflow(read_workflow_file(path))
    except (WorkflowError, OSError):
        return False
    return True
