"""The interface of an engine: where inputs are read into tables. The tables are the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from loganalyzer.common.errors import SourceError
from loganalyzer.engine.collector import Tables
from loganalyzer.engine.read import Progress
from loganalyzer.settings.model import Settings


class Engine(Protocol):
    """Whoever makes tables of inputs."""

    def tables(
        self, names: Iterable[str | SourceError], settings: Settings, progress: Progress | None = None
    ) -> Tables:
        """The tables of these inputs, named as `sources.find` names them, in their order.

        Raises:
            LogAnalyzerError: none of the work could be done.
        """
