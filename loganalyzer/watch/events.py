"""Turns what a watch sees into events, one JSON object per line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, Final

from loganalyzer.common import clock
from loganalyzer.common.version import __version__
from loganalyzer.watch.progress import Progress
from loganalyzer.watch.watching import Look

SCHEMA_VERSION: Final = 1


class EventLines:
    """Makes the lines of one watch. Progress is an event only when it changed."""

    def __init__(self) -> None:
        self._runs: tuple[Progress, ...] = ()

    def start(self, source: str) -> str:
        """The first line: what is watched, and the version of the format."""
        tool = {"name": "loganalyzer", "version": __version__}
        return _event_line("start", schema_version=SCHEMA_VERSION, tool=tool, source=source)

    def describe(self, look: Look) -> Iterator[str]:
        """The lines of one look."""
        if look.notice:
            yield _event_line("notice", message=look.notice)
        if look.is_new:
            self._runs = ()
            yield _event_line("restart")
        for warned in look.warned:
            members = asdict(warned)
            del members["about"]
            yield _event_line("finding", **members)
        if look.grown and look.runs != self._runs:
            self._runs = look.runs
            yield _event_line("progress", runs=[asdict(run) for run in look.runs])

    def end(self, severities: Iterable[str], *, has_run: bool) -> str:
        """The last line: the severities of all findings, and whether the log had a run."""
        return _event_line("end", has_run=has_run, severities=sorted(severities))


def _event_line(event: str, /, **members: Any) -> str:  # noqa: ANN401 -- any JSON value
    return json.dumps({"event": event, "at": clock.now().isoformat(), **members}, ensure_ascii=False) + "\n"
