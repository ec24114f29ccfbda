"""Reads the expected schedules of the modes from `patterns/schedules/`."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import NamedTuple

from loganalyzer.common.errors import ExpectationError
from loganalyzer.common.resources import data_folder

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
def load_schedules() -> tuple[Schedule, ...]:
    """All shipped schedules.

    Raises:
        ExpectationError: a file lacks a key or has an unknown one.
    """
    found = []
    for file in sorted((data_folder("patterns") / "schedules").iterdir(), key=lambda item: item.name):
        if file.name.endswith(".toml"):
            entry = tomllib.loads(file.read_text(encoding="utf-8"))
            if entry.keys() != _KEYS:
                raise ExpectationError(f"{file.name}: the keys must be {', '.join(sorted(_KEYS))}")
            found.append(Schedule(**entry))
    return tuple(found)
