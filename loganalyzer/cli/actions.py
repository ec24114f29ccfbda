"""In GitHub Actions, and only there: annotations and the step summary, without being asked."""

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
    """Annotations go to standard error, which GitHub reads as well, so that standard output stays a document's."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in annotations():
            streams.command(line)
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if file:
        _append(Path(file), markdown)


def of_analysis(analysis: Analysis) -> list[str]:
    """The annotations of the main job."""
    from loganalyzer.report.formats import github

    return github.analysis_annotations(analysis)


def of_comparison(comparison: Comparison) -> list[str]:
    """The annotations of a comparison."""
    from loganalyzer.report.formats import github

    return github.comparison_annotations(comparison)


def _append(file: Path, markdown: Callable[[], str]) -> None:
    """Other calls of the same step write into the file too: the limit holds for all of it."""
    from loganalyzer.report.formats import github

    try:
        taken = file.stat().st_size if file.exists() else 0
        with file.open("a", encoding="utf-8", newline="\n") as out:
            out.write(github.limit_summary(markdown(), github.MOST_SUMMARY_BYTES - taken))
    except OSError as error:
        click.echo(f"loganalyze: the step summary cannot be written: {error.strerror or error}", err=True)
