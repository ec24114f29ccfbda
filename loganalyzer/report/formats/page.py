"""Writes the HTML report as an output format."""

from __future__ import annotations

from collections.abc import Iterator

from loganalyzer.report.formats.interface import Result
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.spool import Spool


class HtmlDocument:
    """The HTML report of the worst runs."""

    def __init__(self, _spool: Spool) -> None:
        """Needs no spool: the result has everything."""

    def add(self, part: Analysis) -> None:
        """Needs no rows: the result has everything."""

    def finish(self, result: Result) -> Iterator[str]:
        """The text of the page."""
        from loganalyzer.report.page import html  # imports matplotlib, which is slow

        yield html.render_analysis(result.analysis, result.settings, generated_at=result.generated_at)
