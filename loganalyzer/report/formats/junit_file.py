"""The JUnit cases of an analysis of any size: what a suite says of a run is known when all runs are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from loganalyzer.report.formats.junit import Cases
from loganalyzer.settings.model import FailOn, Settings
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.frames import semi_join
from loganalyzer.tables.spool import Spool, Stored, table

_NEEDED: Final = ("runs", "findings", "not_checked")
_ACROSS: Final = ("findings", "not_checked")
"""What the rules that hold runs against one another say of the runs of earlier parts."""


class JunitFile:
    """Is given an analysis, at once or in parts, and gives the document's text."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._whole: Analysis | None = None
        self._parts: list[dict[str, Stored]] = []
        self._across: dict[str, list[pl.DataFrame]] = {name: [] for name in _ACROSS}

    def whole(self, analysis: Analysis) -> None:
        """Everything."""
        self._whole = analysis

    def part(self, analysis: Analysis) -> None:
        """Some volume.

        Raises:
            LogAnalyzerError: the disk is full.
        """
        frames = {name: getattr(analysis, name) for name in _NEEDED}
        others = ~pl.col("run_id").is_in(analysis.runs["run_id"].implode()).fill_null(value=True)
        for name in _ACROSS:
            self._across[name].append(frames[name].filter(others))
            frames[name] = frames[name].filter(~others)
        self._parts.append(self._spool.tables(frames))

    def texts(self, analysis: Analysis, settings: Settings, fail_on: FailOn) -> Iterator[str]:
        """The document, piece by piece; of an analysis in parts, `analysis` has its verdict and problems."""
        cases = Cases(settings, fail_on)
        suites = [
            self._spool.keep(some.encode())
            for runs, findings, not_checked in self._tables()
            for some in cases.suites(runs, findings, not_checked)
        ]
        yield from cases.document((suite.read().decode() for suite in suites), analysis)

    def _tables(self) -> Iterator[tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]]:
        """What is needed of each part, with all that is said of its runs."""
        if self._whole is not None:
            yield self._whole.runs, self._whole.findings, self._whole.not_checked
            return
        across = {name: pl.concat(frames) for name, frames in self._across.items()}
        for part in self._parts:
            frames = {name: table(stored) for name, stored in part.items()}
            findings, not_checked = (
                pl.concat([frames[name], semi_join(across[name], frames["runs"], ["run_id"])]) for name in _ACROSS
            )
            yield frames["runs"], findings, not_checked
