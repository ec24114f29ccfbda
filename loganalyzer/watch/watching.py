"""Follows a growing log and analyzes the part that may still change, with the same pipeline as finished logs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from loganalyzer.expectations import baselines
from loganalyzer.pipeline import analyze_inputs
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.watch.buffer import LogBuffer
from loganalyzer.watch.opening import open_growing_log
from loganalyzer.watch.outlook import WatchWarning, find_warnings
from loganalyzer.watch.progress import Progress, current_progress

_DISCARD_BYTES: Final = 64 << 10
"""Buffer size from which finished prompts are discarded."""


@dataclass(frozen=True)
class Look:
    """The state of the log at one time.

    Attributes:
        grown: whether there were new bytes.
        is_new: whether the log was restarted.
        runs: the runs of the last prompt.
        warned: new warnings.
        notice: what the user should know about the reading.
        has_ended: whether nothing can follow.
    """

    grown: bool
    is_new: bool = False
    runs: tuple[Progress, ...] = ()
    warned: tuple[WatchWarning, ...] = ()
    notice: str = ""
    has_ended: bool = False


class LogWatcher:
    """Follows one log."""

    def __init__(self, log: str | Path, settings: Settings) -> None:
        """Raises `LogAnalyzerError` if the log or a file named in the settings cannot be read."""
        self._settings = settings
        self._baselines = baselines.load_baselines(settings.baselines)
        self.name, self._log = open_growing_log(str(log))
        self._buffer = LogBuffer()
        self._given: set[tuple[str, int]] = set()
        self.has_seen_a_run = False

    def look(self) -> Look:
        """Reads and analyzes the new part of the log.

        Raises:
            LogAnalyzerError: the log can no longer be read.
        """
        growth = self._log.look()
        if growth.is_new:
            self._buffer, self._given = LogBuffer(), set()
        look = Look(grown=False, is_new=growth.is_new)
        if growth.data:
            self._buffer.add(growth.data)
            look = self._analyze(is_new=growth.is_new)
        return replace(look, notice=growth.notice, has_ended=growth.has_ended)

    def end(self) -> Look:
        """Analyzes the log as finished, so that unfinished runs are reported.

        Raises:
            LogAnalyzerError: as `look`.
        """
        return self._analyze(is_new=False, has_ended=True)

    def _analyze(self, *, is_new: bool, has_ended: bool = False) -> Look:
        found = analyze_inputs([from_bytes(self.name, self._buffer.text)], self._settings)
        self.has_seen_a_run |= not found.runs.is_empty()
        unfinished = self._buffer.lines if self._buffer.ends_inside_a_line and not has_ended else None
        fresh = [
            replace(one, line=self._buffer.file_line(one.line), about=self._buffer.file_line(one.about))
            for one in find_warnings(found, self._baselines, self._settings, has_ended=has_ended)
            if not (one.rule == "LOG001" and one.line == unfinished)
        ]
        warned = tuple(one for one in fresh if (one.rule, one.about) not in self._given)
        self._given |= {(one.rule, one.about) for one in warned}
        runs = tuple(replace(run, line=self._buffer.file_line(run.line)) for run in current_progress(found))
        lines = found.prompts["line"].drop_nulls().sort()
        if len(lines) > 1 and len(self._buffer.text) > _DISCARD_BYTES:
            self._buffer.discard_before(int(lines[-1]))
        return Look(True, is_new, runs, warned)

    def __enter__(self) -> Self:
        """Watches the log until the block ends."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Closes the log."""
        self._log.close()
