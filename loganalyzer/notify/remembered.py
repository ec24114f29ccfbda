"""Stores the last verdict in the user's cache folder, so that only a change of the verdict sends a notice."""

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
_MOST_BYTES: Final = 1000
"""Maximum size of the file. A larger one was not written by this tool."""


def verdict_file(history: str | None, paths: Sequence[str], folder: Path | None = None) -> Path:
    """The file for calls with this history; without a history, for calls with these inputs in this directory."""
    key = ["history", history] if history else ["inputs", str(Path.cwd()), *paths]
    name = sha256(json.dumps(key).encode("utf-8", "backslashreplace")).hexdigest()[:32]
    return (folder or user_cache_path("loganalyzer") / "notices") / f"{name}.json"


def last_verdict(place: Path) -> str | None:
    """The verdict in a file; None if the file is missing or damaged."""
    try:
        if place.stat().st_size > _MOST_BYTES:
            return None
        found = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    verdict = found.get("verdict") if isinstance(found, dict) else None
    return verdict if verdict in VERDICTS else None


def save_verdict(place: Path, verdict: str) -> str | None:
    """Saves a verdict; returns a message if that fails, otherwise None."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        atomic_write.write(place, json.dumps({"verdict": verdict}))
    except (OSError, ReportError):
        return "the verdict was not saved, so the next notice may repeat it: the cache folder is not writable"
    return None


def needs_notice(verdict: str, before: str | None) -> bool:
    """Whether a verdict needs a notice: it changed, or it is the first one and not a pass."""
    return verdict != (before or "pass")
