"""Defines the interface of an output format. A format is one module; `registry` lists it with its option."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from loganalyzer.settings.model import FailOn, Settings
from loganalyzer.tables.analysis import Analysis


@dataclass(frozen=True, eq=False)
class Result:
    """What a format needs in addition to the rows.

    Attributes:
        analysis: verdict, problems, notes and totals. If there are several volumes, its tables hold the worst runs.
        settings: what the runs were checked with.
        generated_at: when the output is written.
        fail_on: the severity from which a finding fails the call.
    """

    analysis: Analysis
    settings: Settings
    generated_at: datetime
    fail_on: FailOn = "error"


class DocumentFormat(Protocol):
    """One text document."""

    def add(self, part: Analysis) -> None:
        """Takes the rows of one volume. A short log is a single volume.

        Raises:
            LogAnalyzerError: the disk is full.
        """

    def finish(self, result: Result) -> Iterable[str]:
        """The text of the document, in chunks."""


class TableFormat(Protocol):
    """One file per table."""

    extension: str

    def write(self, volumes: Iterable[Path], target: Path) -> None:
        """Writes the rows of one table, which are buffered in Arrow files, volume by volume.

        Raises:
            OSError, polars.exceptions.PolarsError: the file cannot be written.
        """
