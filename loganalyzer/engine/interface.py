"""The interface of an engine, which reads inputs into tables. Every engine returns the same tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from loganalyzer.common.errors import SourceError
from loganalyzer.engine.collector import Tables
from loganalyzer.engine.read import Progress
from loganalyzer.settings.model import Settings


class Engine(Protocol):
    """Reads inputs into tables."""

    def tables(
        self, names: Iterable[str | SourceError], settings: Settings, progress: Progress | None = None
    ) -> Tables:
        """The tables of these inputs, in order. Names are as `sources.inputs.find_inputs` returns them.

        Raises:
            LogAnalyzerError: no input could be processed.
        """
