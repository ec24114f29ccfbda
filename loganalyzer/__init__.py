"""Reads ComfyUI logs of WanVideo InfiniteTalk runs and says what went wrong, with the lines that prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loganalyzer.common.version import __version__

if TYPE_CHECKING:
    from loganalyzer.api import analyze
    from loganalyzer.report.result import Report
    from loganalyzer.settings.model import Settings
    from loganalyzer.tables.analysis import Analysis

__all__ = ["Analysis", "Report", "Settings", "__version__", "analyse", "analyze"]

_HOMES = {
    "Analysis": "loganalyzer.tables.analysis",
    "Settings": "loganalyzer.settings.model",
    "Report": "loganalyzer.report.result",
    "analyze": "loganalyzer.api",
}
_SPELLINGS = {"analyse": "analyze"}


def __getattr__(name: str) -> object:
    """Imports a public name when it is first used: `--help` must not wait for polars."""
    public = _SPELLINGS.get(name, name)
    if public not in _HOMES:
        raise AttributeError(f"module 'loganalyzer' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[public]), public)


def __dir__() -> list[str]:
    """Public names, also those that are not imported yet."""
    return sorted({*globals(), *__all__})
