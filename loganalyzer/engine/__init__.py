"""Where the unit of work is done: in this process, or on the workers of a cluster. The tables are the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from loganalyzer.collecting import Tables
from loganalyzer.errors import SourceError
from loganalyzer.settings import Settings
from loganalyzer.tabulate import Progress


class Engine(Protocol):
    """Whoever makes tables of inputs."""

    def tables(
        self, names: Iterable[str | SourceError], settings: Settings, progress: Progress | None = None
    ) -> Tables:
        """The tables of these inputs, named as `sources.find` names them, in their order.

        Raises:
            LogAnalyzerError: none of the work could be done.
        """
