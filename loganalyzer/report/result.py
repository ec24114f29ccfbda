"""An analysis that shows itself: in a Python prompt, in a notebook, as an HTML or Markdown report."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup, escape

from loganalyzer.common import atomic_write, clock
from loganalyzer.common.formatting import plural
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loganalyzer.report.terminal.layout import Grid

MOST_ROWS: Final = 30
_COLORS: Final = {"pass": "#1a7f37", "warn": "#9a6700", "fail": "#cf222e", "no-runs": "#57606a"}


@dataclass(frozen=True, eq=False, repr=False)
class Report(Analysis):
    """The tables of an analysis, and the settings they were made with."""

    settings: Settings = field(default_factory=Settings)

    @classmethod
    def of(cls, found: Analysis, settings: Settings) -> Report:
        """The same analysis with its settings."""
        return cls(**{item.name: getattr(found, item.name) for item in fields(found)}, settings=settings)

    def __repr__(self) -> str:
        """Five lines: verdict, counts, main causes, tables, what to do next."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        from loganalyzer.checks.causes import group_by_cause

        totals = self.totals
        found = group_by_cause(self.findings)
        names = ", ".join(f"{cause.title} ({plural(len(cause.runs), 'run')})" for cause in found[:3])
        tables = ", ".join(f"{name} {frame.height}" for name, frame in self.tables() if not frame.is_empty())
        yield f"<loganalyzer report: {self.verdict}{'' if self.complete else ' (incomplete)'}>"
        problems = plural(len(self.problems), "problem")
        yield f"  {plural(totals.runs, 'run')} in {plural(totals.inputs, 'file')}, {problems}"
        yield f"  causes: {names or 'no problems found'}"
        yield f"  tables: {tables or 'empty'}"
        yield "  .findings, .runs and other tables are polars DataFrames; .to_html(PATH) writes the report"

    def _repr_html_(self) -> str:
        """The verdict and the run table, for notebooks."""
        from loganalyzer.report.facts import Places
        from loganalyzer.report.terminal.layout import Grid
        from loganalyzer.report.terminal.run_grid import run_grid

        incomplete = "" if self.complete else " (incomplete)"
        head = Markup('<p><b style="color:{}">{}</b> {}</p>').format(
            _COLORS[self.verdict],
            f"{self.verdict.upper()}{incomplete}",
            f"{plural(self.totals.runs, 'run')} in {plural(self.totals.inputs, 'file')}",
        )
        if self.runs.is_empty():
            return str(head)
        places = Places([*self.sources["source"].drop_nulls(), *self.runs["source"].drop_nulls()])
        grids = [block for block in run_grid(self, places) if isinstance(block, Grid)]
        return str(head + Markup().join(map(_table, grids)))

    def to_html(self, path: str | Path) -> Path:
        """Writes the HTML report and returns its path.

        Raises:
            ReportError: the file cannot be written.
        """
        from loganalyzer.report.page import html

        target = Path(path)
        atomic_write.write(target, html.render_analysis(self, self.settings, generated_at=clock.now()))
        return target

    def to_markdown(self) -> str:
        """The findings as Markdown, for a ticket."""
        from loganalyzer.report.formats import markdown

        return markdown.render_analysis(self, self.settings)

    def summary(self, *, verbose: bool = False) -> str:
        """The text that the command prints."""
        from loganalyzer.report.terminal import summary

        out = io.StringIO()
        summary.write(self, out, verbose=verbose)
        return out.getvalue()


def _table(grid: Grid) -> Markup:
    """The grid of runs as an HTML table; every text is escaped."""
    heads = Markup().join(Markup("<th>{}</th>").format(column.name) for column in grid.columns)
    rows = Markup().join(_row(row) for row in grid.rows[:MOST_ROWS])
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(heads, rows)


def _row(cells: Any) -> Markup:  # noqa: ANN401 -- words with their styles
    return Markup("<tr>{}</tr>").format(Markup().join(Markup("<td>{}</td>").format(escape(text)) for text, _ in cells))
