"""The expected schedules of the modes, read from `patterns/schedules/`."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import NamedTuple

from loganalyzer.common.errors import ExpectationError
from loganalyzer.common.resources import folder

_KEYS = {"mode", "title", "provenance", "window_frames", "motion_frames", "drop_frames"}


class Schedule(NamedTuple):
    """The schedule of one mode, in frames."""

    mode: str
    title: str
    provenance: str
    window_frames: int
    motion_frames: int
    drop_frames: int


@cache
def shipped() -> tuple[Schedule, ...]:
    """All schedules that come with the tool.

    Raises:
        ExpectationError: a file misses a key or holds an unknown one.
    """
    found = []
    for file in sorted((folder("patterns") / "schedules").iterdir(), key=lambda item: item.name):
        if file.name.endswith(".toml"):
            entry = tomllib.loads(file.read_text(encoding="utf-8"))
            if entry.keys() != _KEYS:
                raise ExpectationError(f"{file.name}: the keys must be {', '.join(sorted(_KEYS))}")
            found.append(Schedule(**entry))
    return tuple(found)
