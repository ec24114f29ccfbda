"""What is written of an analysis: outputs that hold every row, whether it comes at once or volume by volume."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from loganalyzer.cli.output import STDOUT, put
from loganalyzer.common.errors import ReportError
from loganalyzer.common.version import __version__

if TYPE_CHECKING:
    from datetime import datetime

    from loganalyzer.bounded import Sink
    from loganalyzer.settings.model import Settings
    from loganalyzer.tables.analysis import Analysis

Document = tuple[str, Callable[[], str | Iterable[str]]]
"""Where a document goes, and what makes its text."""


class Outputs:
    """Tables, the JSON document and JUnit cases, as far as they are asked for; each room is imported by who asks."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        from loganalyzer.tables.spool import Spool

        self._options = options
        self._spool = Spool()
        self._sinks: list[Sink] = []

    def __enter__(self) -> Self:
        self._spool.__enter__()
        if self._options["json_file"]:
            from loganalyzer.report.formats.json_file import DocumentFile

            self._document = DocumentFile(self._spool)
            self._sinks.append(self._document)
        if self._options["junit_file"]:
            from loganalyzer.report.formats.junit_file import JunitFile

            self._cases = JunitFile(self._spool)
            self._sinks.append(self._cases)
        return self

    def __exit__(self, *failure: object) -> None:
        self._spool.__exit__(*failure)

    @contextmanager
    def filling(self) -> Iterator[Self]:
        """Is given an analysis inside of the block; behind it, tables are in their places.

        Raises:
            ReportError: they cannot be written.
        """
        if self._options["tables"] is None:
            yield self
            return
        from loganalyzer.report.formats.parquet import TableFiles

        with TableFiles(self._options["tables"]) as files:
            self._sinks.append(files)
            yield self

    def whole(self, analysis: Analysis) -> None:
        """Everything."""
        for sink in self._sinks:
            sink.whole(analysis)

    def part(self, analysis: Analysis) -> None:
        """Some volume."""
        for sink in self._sinks:
            sink.part(analysis)

    def documents(self, analysis: Analysis, chosen: Settings, moment: datetime) -> Iterator[Document]:
        """The documents asked for; of an analysis in parts, `analysis` has what holds of all."""
        if target := self._options["json_file"]:
            texts = self._document.texts
            yield target, lambda: texts(analysis, generated_at=moment, version=__version__, settings=chosen)
        if target := self._options["junit_file"]:
            cases, fail_on = self._cases.texts, self._options["fail_on"]
            yield target, lambda: cases(analysis, chosen, fail_on)


def write(documents: Iterable[Document]) -> None:
    """Write each document; what goes to standard output comes last, where a reader may stop reading (`| head`).

    Raises:
        ReportError: a file cannot be written; the others are.
    """
    failure: ReportError | None = None
    for target, text in sorted(documents, key=lambda document: document[0] == STDOUT):
        try:
            put(target, text())
        except ReportError as error:
            failure = failure or error
    if failure is not None:
        raise failure
