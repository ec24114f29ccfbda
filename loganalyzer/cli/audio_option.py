"""Parses audio arguments: files or lengths."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from loganalyzer.common.errors import SourceError
from loganalyzer.planner import audio
from loganalyzer.planner.plan import MOST_FRAMES

_CLOCK: Final = re.compile(r"^(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d*)?|\.\d+)$")


def lengths(words: Sequence[str], fps: float) -> tuple[tuple[float, ...], float]:
    """Returns seconds per speaker, and by how much they may be too long. A word is a file or a length (`1:02.5`).

    Raises:
        SourceError: a file cannot be read as audio, or the longest length is 0 or too long.
    """
    found = [_length(word) for word in words]
    longest = max(seconds for seconds, _ in found)
    if not 0 < longest * fps <= MOST_FRAMES:
        raise SourceError(
            f"{longest:g} s is not a valid audio length", "pass seconds (17.084) or minutes and seconds (1:02.5)"
        )
    return tuple(seconds for seconds, _ in found), max(doubt for _, doubt in found)


def _length(word: str) -> tuple[float, float]:
    clock = _CLOCK.match(word)
    if clock and not Path(word).is_file():
        return int(clock[1] or 0) * 3600 + int(clock[2] or 0) * 60 + float(clock[3]), 0.0
    file = audio.read_length(Path(word))
    return file.seconds, file.uncertainty_s
