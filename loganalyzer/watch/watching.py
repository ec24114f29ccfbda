"""One look at a growing log after another: the same pipeline, over the part that may still change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from loganalyzer.common.formatting import encodable
from loganalyzer.expectations import baselines
from loganalyzer.pipeline import analyze_inputs
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.watch.buffer import Held
from loganalyzer.watch.follower import Follower
from loganalyzer.watch.outlook import Warned, outlook
from loganalyzer.watch.progress import Progress, progress

_SETTLE_BYTES: Final = 64 << 10
"""Prompts that have ended are let go once so much is held."""


@dataclass(frozen=True)
class Look:
    """What a look at the log shows.

    Attributes:
        grown: whether there was anything new.
        is_new: whether the log was begun anew.
        runs: the runs of the last prompt.
        warned: warnings that were not given before.
    """

    grown: bool
    is_new: bool = False
    runs: tuple[Progress, ...] = ()
    warned: tuple[Warned, ...] = ()


class Watching:
    """Follows one log."""

    def __init__(self, path: Path, settings: Settings) -> None:
        """Raises `LogAnalyzerError` where the log or the settings' files cannot be read."""
        self._name, self._settings = encodable(str(path)), settings
        self._shelf = baselines.load_baselines(settings.baselines)
        self._follower = Follower(path)
        self._held = Held()
        self._given: set[tuple[str, int]] = set()
        self.has_seen_a_run = False

    def look(self) -> Look:
        """Read what is new, and say what it means.

        Raises:
            LogAnalyzerError: the log cannot be read any more.
        """
        growth = self._follower.look()
        if growth.is_new:
            self._held, self._given = Held(), set()
        if not growth.data:
            return Look(grown=False, is_new=growth.is_new)
        self._held.add(growth.data)
        return self._judged(is_new=growth.is_new)

    def end(self) -> Look:
        """Say what a log leaves unfinished that nothing more comes to.

        Raises:
            LogAnalyzerError: as `look`.
        """
        return self._judged(is_new=False, has_ended=True)

    def _judged(self, *, is_new: bool, has_ended: bool = False) -> Look:
        found = analyze_inputs([from_bytes(self._name, self._held.text)], self._settings)
        self.has_seen_a_run |= not found.runs.is_empty()
        unfinished = self._held.lines if self._held.ends_inside_a_line and not has_ended else None
        fresh = [
            replace(one, line=self._held.line(one.line), about=self._held.line(one.about))
            for one in outlook(found, self._shelf, self._settings, has_ended=has_ended)
            if not (one.rule == "LOG001" and one.line == unfinished)
        ]
        warned = tuple(one for one in fresh if (one.rule, one.about) not in self._given)
        self._given |= {(one.rule, one.about) for one in warned}
        runs = tuple(replace(run, line=self._held.line(run.line)) for run in progress(found))
        lines = found.prompts["line"].drop_nulls().sort()
        if len(lines) > 1 and len(self._held.text) > _SETTLE_BYTES:
            self._held.settle(int(lines[-1]))
        return Look(True, is_new, runs, warned)

    def __enter__(self) -> Self:
        """Watch until the block ends."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Let go of the log."""
        self._follower.close()
