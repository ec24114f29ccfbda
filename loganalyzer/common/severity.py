"""Defines severities and their order, the most severe first."""

from __future__ import annotations

from typing import Final, Literal, get_args

Severity = Literal["error", "warning", "info"]

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
SEVERE: Final[tuple[Severity, ...]] = ("error", "warning")
"""Severities that decide a verdict."""
RANK: Final[dict[str, int]] = {name: rank for rank, name in enumerate(SEVERITIES)}
"""0 for the most severe."""
