"""Lists the output formats of `loganalyze LOGS…` with their options. A new format is a module and an entry here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from loganalyzer.report.formats.interface import DocumentFormat, TableFormat
    from loganalyzer.tables.spool import Spool


@dataclass(frozen=True)
class Entry:
    """A format by name. Its module is imported on demand, because most calls write one format or none.

    Attributes:
        name: the name of its option, without the dashes.
        module, factory: the class that writes it; that of a document takes a spool.
        help: the option's help text.
    """

    name: str
    module: str
    factory: str
    help: str

    def _make(self, *arguments: Any) -> Any:  # noqa: ANN401
        return getattr(import_module(f"loganalyzer.report.formats.{self.module}"), self.factory)(*arguments)

    def document(self, spool: Spool) -> DocumentFormat:
        """A new document of this format."""
        made: DocumentFormat = self._make(spool)
        return made

    def tables(self) -> TableFormat:
        """A new writer of tables in this format."""
        made: TableFormat = self._make()
        return made


DOCUMENTS: Final = (
    Entry("json", "json_file", "JsonDocument", "Write the JSON document."),
    Entry("markdown", "markdown", "MarkdownDocument", "Write the findings as Markdown."),
    Entry("junit", "junit_file", "JunitDocument", "Write JUnit XML: one case per run and rule."),
    Entry("html", "page", "HtmlDocument", "Write the HTML report."),
)
TABLES: Final = (
    Entry("tables", "parquet", "Parquet", "Write each table as a Parquet file."),
    Entry("csv", "csv", "Csv", "Write each table as a CSV file."),
)
