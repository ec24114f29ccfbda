"""The stages in their order: the only place that names them all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from loganalyzer import excerpts, tables
from loganalyzer.analysis import Analysis
from loganalyzer.checks.registry import run_all
from loganalyzer.collecting import Lines, Tables, named
from loganalyzer.engine import Engine
from loganalyzer.engine.local import Local
from loganalyzer.expectations import baselines
from loganalyzer.runs.quantization import with_declared
from loganalyzer.settings import Settings
from loganalyzer.sources import Input, find
from loganalyzer.tabulate import Progress, tabulate
from loganalyzer.workflow import reading as workflow


def analyse(
    paths: Iterable[str],
    settings: Settings | None = None,
    progress: Progress | None = None,
    engine: Engine | None = None,
) -> Analysis:
    """Everything there is to say about these inputs: files, folders, patterns, `-`.

    An input that cannot be read becomes one entry of `problems`; the others keep their results. `engine` says where
    logs are read; in this process by default.

    Raises:
        LogAnalyzerError: a pattern, schedule, baselines or workflow file is refused, or the engine is out of reach.
    """
    settings = settings or Settings()
    return judged((engine or Local()).tables(find(paths), settings, progress), settings)


def analyse_sources(inputs: Iterable[Input], settings: Settings | None = None) -> Analysis:
    """The same for inputs already opened."""
    settings = settings or Settings()
    return judged(tabulate(inputs, settings), settings)


def judged(found: Tables, settings: Settings) -> Analysis:
    """Tables of logs held against what was to be expected."""
    shelf = baselines.load(settings.baselines)
    frames = dict(found.frames)
    frames["memory"] = tables.conform(frames["memory"], "memory")
    asked = workflow.load(settings.workflow).first.asked if settings.workflow else None
    frames["runs"] = with_declared(frames["runs"], shelf, settings, asked)
    analysis = run_all(Analysis(**frames, problems=found.problems, notes=found.notes), shelf, settings, asked)
    return replace(analysis, excerpts=pl.concat([analysis.excerpts, _cited(found, analysis.findings)]))


def _cited(found: Tables, findings: pl.DataFrame) -> pl.DataFrame:
    """The log lines that findings name."""
    return pl.concat([tables.empty("excerpts"), *(_cited_of(lines, findings) for lines in found.lines)])


def _cited_of(lines: Lines, findings: pl.DataFrame) -> pl.DataFrame:
    places = findings.join(lines.numbers, left_on="source", right_on="name").select(
        pl.col("number").alias("source"), "line"
    )
    return named(excerpts.cited(lines.packs, places.unique()), lines.numbers, "excerpts")
