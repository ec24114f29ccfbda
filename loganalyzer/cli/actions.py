"""Writes annotations and the step summary when it runs in GitHub Actions."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from loganalyzer.cli import streams

if TYPE_CHECKING:
    from loganalyzer.comparison.model import Comparison
    from loganalyzer.tables.analysis import Analysis


def report(annotations: Callable[[], list[str]], markdown: Callable[[], str]) -> None:
    """Writes annotations to stderr, which GitHub also reads, so that stdout has only the document."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in annotations():
            streams.command(line)
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if file:
        _append(Path(file), markdown)


def of_analysis(analysis: Analysis) -> list[str]:
    """Returns the annotations of an analysis."""
    from loganalyzer.report.formats import github

    return github.analysis_annotations(analysis)


def of_comparison(comparison: Comparison) -> list[str]:
    """Returns the annotations of a comparison."""
    from loganalyzer.report.formats import github

    return github.comparison_annotations(comparison)


def _append(file: Path, markdown: Callable[[], str]) -> None:
    """Appends to the step summary; the limit includes what other calls in the same step wrote."""
    from loganalyzer.report.formats import github

    try:
        taken = file.stat().st_size if file.exists() else 0
        with file.open("a", encoding="utf-8", newline="\n") as out:
            out.write(github.limit_summary(markdown(), github.MOST_SUMMARY_BYTES - taken))
    except OSError as error:
        click.echo(f"loganalyze: cannot write the step summary: {error.strerror or error}", err=True)
