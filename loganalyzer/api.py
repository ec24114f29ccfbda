"""The Python interface: `loganalyzer.analyze`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from loganalyzer import pipeline
from loganalyzer.report.result import Report
from loganalyzer.settings.model import Settings

if TYPE_CHECKING:
    from loganalyzer.engine.interface import Engine
    from loganalyzer.engine.read import Progress
    from loganalyzer.history.past import Past

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def analyze(
    paths: Paths,
    settings: Settings | None = None,
    *,
    progress: Progress | None = None,
    engine: Engine | None = None,
    past: Past | None = None,
) -> Report:
    """Checks logs and returns the tables with everything that was found.

    `paths` is one path or several: files, folders, patterns, URLs, or documents that the tool wrote before. An input
    that cannot be read becomes one entry of `problems`; other inputs are still processed. `engine` says where logs are
    read, `past` holds the figures of earlier runs.

    Raises:
        LogAnalyzerError: a setting, pattern, baselines or workflow file is refused, or the engine is out of reach.
    """
    chosen = settings or Settings()
    names = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    found = pipeline.analyze([os.fspath(name) for name in names], chosen, progress, engine, past)
    return Report.of(found, chosen)
