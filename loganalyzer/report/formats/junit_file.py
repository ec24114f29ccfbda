"""Writes JUnit XML of logs of any size. The cases of a run are complete once all volumes have been read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from loganalyzer.report.formats.interface import Result
from loganalyzer.report.formats.junit import Cases
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.frames import semi_join
from loganalyzer.tables.spool import Spool, Stored, load_table, serialize_table

_TABLES: Final = ("runs", "findings", "not_checked")
_CROSS_VOLUME_TABLES: Final = ("findings", "not_checked")
"""Tables in which a volume may have rows about runs of earlier volumes, from rules that compare runs."""


class JunitDocument:
    """JUnit XML: one suite per run, one case per rule."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._parts: list[dict[str, Stored]] = []
        self._across: dict[str, list[pl.DataFrame]] = {name: [] for name in _CROSS_VOLUME_TABLES}

    def add(self, part: Analysis) -> None:
        """Takes the rows of one volume.

        Raises:
            LogAnalyzerError: the disk is full.
        """
        frames = {name: getattr(part, name) for name in _TABLES}
        others = ~pl.col("run_id").is_in(part.runs["run_id"].implode()).fill_null(value=True)
        for name in _CROSS_VOLUME_TABLES:
            self._across[name].append(frames[name].filter(others))
            frames[name] = frames[name].filter(~others)
        self._parts.append({name: self._spool.keep(serialize_table(frame)) for name, frame in frames.items()})

    def finish(self, result: Result) -> Iterator[str]:
        """The text of the document, in chunks."""
        cases = Cases(result.settings, result.fail_on)
        suites = [
            self._spool.keep(some.encode())
            for runs, findings, not_checked in self._tables()
            for some in cases.suites(runs, findings, not_checked)
        ]
        yield from cases.document((suite.read().decode() for suite in suites), result.analysis)

    def _tables(self) -> Iterator[tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]]:
        """Runs, findings and not_checked of each volume, including rows about its runs from later volumes."""
        across = {name: pl.concat(frames) for name, frames in self._across.items()}
        for part in self._parts:
            frames = {name: load_table(stored) for name, stored in part.items()}
            findings, not_checked = (
                pl.concat([frames[name], semi_join(across[name], frames["runs"], ["run_id"])])
                for name in _CROSS_VOLUME_TABLES
            )
            yield frames["runs"], findings, not_checked
