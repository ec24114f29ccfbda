"""The last verdict, kept in the user's cache folder, so that only a change of verdict is a notice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from loganalyzer.common import atomic_write
from loganalyzer.common.errors import ReportError

VERDICTS: Final = ("pass", "warn", "fail", "no-runs")
_LARGEST: Final = 1000
"""Bytes of the file: a larger one is not ours."""


def place_of(history: str | None, paths: Sequence[str], folder: Path | None = None) -> Path:
    """The file for calls with this history, or without one, with these inputs in this working directory."""
    key = ["history", history] if history else ["inputs", str(Path.cwd()), *paths]
    name = sha256(json.dumps(key).encode("utf-8", "backslashreplace")).hexdigest()[:32]
    return (folder or user_cache_path("loganalyzer") / "notices") / f"{name}.json"


def last(place: Path) -> str | None:
    """The verdict in a file; None where there is none, or the file is damaged."""
    try:
        if place.stat().st_size > _LARGEST:
            return None
        found = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    verdict = found.get("verdict") if isinstance(found, dict) else None
    return verdict if verdict in VERDICTS else None


def remember(place: Path, verdict: str) -> str | None:
    """Keep a verdict; returns a message where that fails."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        atomic_write.write(place, json.dumps({"verdict": verdict}))
    except (OSError, ReportError):
        return "the verdict is not kept for the next notice: the cache folder cannot be written"
    return None


def is_news(verdict: str, before: str | None) -> bool:
    """Whether a verdict is worth a notice: another one than before, or the first that is not a pass."""
    return verdict != (before or "pass")
