"""Lists the documents that have a schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from loganalyzer.report.schemas import analysis, catalogues, commands
from loganalyzer.report.schemas.parts import Schema


class Documented(NamedTuple):
    """A document: the command that writes it, and the function that makes its schema."""

    command: str
    schema: Callable[[], Schema]


SCHEMAS: Final[dict[str, Documented]] = {
    "analysis": Documented("loganalyze LOGS --json FILE", analysis.analysis_schema),
    "compare": Documented("loganalyze compare BASE HEAD --json FILE", commands.comparison_schema),
    "history-list": Documented("loganalyze history list --json FILE", commands.history_list_schema),
    "patterns": Documented("loganalyze patterns list --json FILE", catalogues.patterns_schema),
    "plan": Documented("loganalyze plan AUDIO --json FILE", commands.plan_schema),
    "rules": Documented("loganalyze rules --json FILE", catalogues.rules_schema),
    "ticket": Documented("loganalyze ticket LOGS --json FILE", catalogues.ticket_schema),
    "watch": Documented("loganalyze watch LOG --json FILE (each line)", catalogues.watch_schema),
    "workflow": Documented("loganalyze workflow check FILE --json FILE", commands.workflow_schema),
}
