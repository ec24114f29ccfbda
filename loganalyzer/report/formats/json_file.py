"""Writes the JSON document of logs of any size: rows are converted volume by volume and buffered in a spool."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import polars as pl

from loganalyzer.common.severity import SEVERITIES
from loganalyzer.common.version import __version__
from loganalyzer.report import json_document
from loganalyzer.report.formats.interface import Result
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.spool import Spool, Stored


class JsonDocument:
    """The JSON document with every row: rows of a table in the order of the volumes, findings by severity."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._rows: dict[str, list[Stored]] = {}

    def add(self, part: Analysis) -> None:
        """Takes the rows of one volume.

        Raises:
            LogAnalyzerError: the disk is full.
        """
        for name, frame in part.tables():
            if name == "findings":
                for severity in SEVERITIES:
                    self._add(severity, frame.filter(pl.col("severity") == severity))
            else:
                self._add(name, frame)

    def _add(self, name: str, frame: pl.DataFrame) -> None:
        stored = self._rows.setdefault(name, [])
        stored += [self._spool.keep(text.encode()) for text in json_document.row_chunks(frame) if text]

    def finish(self, result: Result) -> Iterator[str]:
        """The text of the document, in chunks."""
        head = json_document.first_members(
            result.analysis, generated_at=result.generated_at, version=__version__, settings=result.settings
        )
        yield from json_document.join_members(head, ((name, self._parts(name)) for name, _ in result.analysis.tables()))

    def _parts(self, name: str) -> Iterator[str]:
        names = SEVERITIES if name == "findings" else (name,)
        for stored in chain.from_iterable(self._rows.get(one, ()) for one in names):
            yield stored.read().decode()
