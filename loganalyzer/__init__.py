"""Reads ComfyUI logs of WanVideo InfiniteTalk runs and says what went wrong, with the lines that prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loganalyzer.common.version import __version__

if TYPE_CHECKING:
    from loganalyzer.pipeline import analyse
    from loganalyzer.settings.model import Settings
    from loganalyzer.tables.analysis import Analysis

__all__ = ["Analysis", "Settings", "__version__", "analyse"]

_HOMES = {
    "Analysis": "loganalyzer.tables.analysis",
    "Settings": "loganalyzer.settings.model",
    "analyse": "loganalyzer.pipeline",
}


def __getattr__(name: str) -> object:
    """The public names, imported when first asked for: `--help` must not wait for polars."""
    if name not in _HOMES:
        raise AttributeError(f"module 'loganalyzer' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
