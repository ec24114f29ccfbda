"""JUnit XML of logs of any size: the cases of a run are complete once all volumes are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from loganalyzer.report.formats.interface import Result
from loganalyzer.report.formats.junit import Cases
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.frames import semi_join
from loganalyzer.tables.spool import Spool, Stored, load_table, serialize_table

_NEEDED: Final = ("runs", "findings", "not_checked")
_ACROSS: Final = ("findings", "not_checked")
"""Tables in which rules that compare runs may speak of runs in earlier volumes."""


class JunitDocument:
    """JUnit XML: one suite per run, one case per rule."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._parts: list[dict[str, Stored]] = []
        self._across: dict[str, list[pl.DataFrame]] = {name: [] for name in _ACROSS}

    def add(self, part: Analysis) -> None:
        """Takes the rows of one volume.

        Raises:
            LogAnalyzerError: the disk is full.
        """
        frames = {name: getattr(part, name) for name in _NEEDED}
        others = ~pl.col("run_id").is_in(part.runs["run_id"].implode()).fill_null(value=True)
        for name in _ACROSS:
            self._across[name].append(frames[name].filter(others))
            frames[name] = frames[name].filter(~others)
        self._parts.append({name: self._spool.keep(serialize_table(frame)) for name, frame in frames.items()})

    def finish(self, result: Result) -> Iterator[str]:
        """The text of the document, piece by piece."""
        cases = Cases(result.settings, result.fail_on)
        suites = [
            self._spool.keep(some.encode())
            for runs, findings, not_checked in self._tables()
            for some in cases.suites(runs, findings, not_checked)
        ]
        yield from cases.document((suite.read().decode() for suite in suites), result.analysis)

    def _tables(self) -> Iterator[tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]]:
        """Runs, findings and not_checked of each volume, with what later volumes find about its runs."""
        across = {name: pl.concat(frames) for name, frames in self._across.items()}
        for part in self._parts:
            frames = {name: load_table(stored) for name, stored in part.items()}
            findings, not_checked = (
                pl.concat([frames[name], semi_join(across[name], frames["runs"], ["run_id"])]) for name in _ACROSS
            )
            yield frames["runs"], findings, not_checked
