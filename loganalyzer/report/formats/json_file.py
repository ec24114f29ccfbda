"""The JSON document of an analysis of any size: rows become text volume by volume, and wait until all are known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Final

import polars as pl

from loganalyzer.report import json_document
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.spool import Spool, Stored

_GRAVITY: Final = ("error", "warning", "info")


class DocumentFile:
    """Is given an analysis, at once or in parts, and gives the document's text.

    The document of parts has every row, as that of the whole: those of a table in the order of the parts, and findings
    by gravity.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._whole: Analysis | None = None
        self._rows: dict[str, list[Stored]] = {}

    def whole(self, analysis: Analysis) -> None:
        """Everything."""
        self._whole = analysis

    def part(self, analysis: Analysis) -> None:
        """Some volume.

        Raises:
            LogAnalyzerError: the disk is full.
        """
        for name, frame in analysis.tables():
            if name == "findings":
                for severity in _GRAVITY:
                    self._add(severity, frame.filter(pl.col("severity") == severity))
            else:
                self._add(name, frame)

    def _add(self, name: str, frame: pl.DataFrame) -> None:
        kept = self._rows.setdefault(name, [])
        kept += [self._spool.write(text.encode()) for text in json_document.listed(frame) if text]

    def texts(
        self, analysis: Analysis, *, generated_at: datetime, version: str, settings: Settings | None
    ) -> Iterator[str]:
        """The document, piece by piece; of an analysis in parts, `analysis` has its verdict, problems and notes."""
        if self._whole is not None:
            yield from json_document.pieces(self._whole, generated_at=generated_at, version=version, settings=settings)
            return
        begun = json_document.head(analysis, generated_at=generated_at, version=version, settings=settings)
        yield from json_document.composed(begun, ((name, self._parts(name)) for name, _ in analysis.tables()))

    def _parts(self, name: str) -> Iterator[str]:
        names = _GRAVITY if name == "findings" else (name,)
        for stored in chain.from_iterable(self._rows.get(one, ()) for one in names):
            yield stored.read().decode()
