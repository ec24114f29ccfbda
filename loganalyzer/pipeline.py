"""The stages in their order: the only place that names them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import polars as pl

from loganalyzer import excerpts
from loganalyzer.analysis import Analysis
from loganalyzer.checks.registry import run_all
from loganalyzer.collecting import Tables, named
from loganalyzer.errors import SourceError
from loganalyzer.expectations import baselines
from loganalyzer.runs.quantization import with_quantization
from loganalyzer.settings import Settings
from loganalyzer.sources import Input, find, read
from loganalyzer.tabulate import Progress, tabulate


def analyse(paths: Iterable[str], settings: Settings | None = None, progress: Progress | None = None) -> Analysis:
    """Everything there is to say about these inputs: files, folders, patterns, `-`.

    An input that cannot be read becomes one entry of `problems`; the others keep their results.

    Raises:
        LogAnalyzerError: a pattern, schedule or baselines file is refused.
    """
    settings = settings or Settings()
    return judged(tabulate(_opened(paths), settings, progress=progress), settings)


def analyse_sources(inputs: Iterable[Input], settings: Settings | None = None) -> Analysis:
    """The same for inputs already opened."""
    settings = settings or Settings()
    return judged(tabulate(inputs, settings), settings)


def judged(found: Tables, settings: Settings) -> Analysis:
    """Tables of logs held against what was to be expected."""
    shelf = baselines.load(settings.baselines)
    frames = dict(found.frames)
    frames["runs"] = with_quantization(frames["runs"], shelf, settings)
    analysis = run_all(Analysis(**frames, problems=found.problems, notes=found.notes), shelf, settings)
    return replace(analysis, excerpts=pl.concat([analysis.excerpts, _cited(found, analysis.findings)]))


def _opened(paths: Iterable[str]) -> Iterator[Input | SourceError]:
    for name in find(paths):
        if isinstance(name, SourceError):
            yield name
            continue
        try:
            yield from read(name)
        except SourceError as error:
            yield error


def _cited(found: Tables, findings: pl.DataFrame) -> pl.DataFrame:
    """The log lines that findings name."""
    places = findings.join(found.numbers, left_on="source", right_on="name").select(
        pl.col("number").alias("source"), "line"
    )
    return named(excerpts.cited(found.lines, places.unique()), found.numbers, "excerpts")
