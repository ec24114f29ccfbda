"""Writes an analysis to files in the formats that the options request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from loganalyzer.cli.output import STDOUT, put
from loganalyzer.common.errors import ReportError
from loganalyzer.report.formats import registry

if TYPE_CHECKING:
    from loganalyzer.report.formats.interface import DocumentFormat, Result
    from loganalyzer.tables.analysis import Analysis

Document = tuple[str, Callable[[], str | Iterable[str]]]
"""A document's target, and a function that returns its text."""


class Outputs:
    """Passes all rows, volume by volume, to every requested format.

    `options` has the target of each format under the option's name.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        from loganalyzer.tables.spool import Spool

        self._spool = Spool()
        self._documents: list[tuple[str, str, DocumentFormat]] = [
            (entry.name, options[entry.name], entry.document(self._spool))
            for entry in registry.DOCUMENTS
            if options.get(entry.name)
        ]
        self._tables: list[tuple[Path, registry.Entry]] = [
            (options[entry.name], entry) for entry in registry.TABLES if options.get(entry.name)
        ]
        self._writers: list[Callable[[Analysis], None]] = [form.add for _, _, form in self._documents]

    def __enter__(self) -> Self:
        self._spool.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        self._spool.__exit__(*failure)

    @contextmanager
    def filling(self) -> Iterator[Self]:
        """Accepts rows inside the block; at its end, moves table files to their final names.

        Raises:
            ReportError: they cannot be written.
        """
        if not self._tables:
            yield self
            return
        from loganalyzer.report.formats.table_files import TableFiles

        with ExitStack() as stack:
            for folder, entry in self._tables:
                self._writers.append(stack.enter_context(TableFiles(folder, entry.tables())).add)
            yield self

    def add(self, part: Analysis) -> None:
        """Adds the rows of one volume."""
        for write_rows in self._writers:
            write_rows(part)

    def documents(self, result: Result, without: Iterable[str] = ()) -> Iterator[Document]:
        """Yields the requested documents, except those of the formats `without`."""
        for name, target, form in self._documents:
            if name not in without:
                yield target, _text(form, result)


def _text(form: DocumentFormat, result: Result) -> Callable[[], Iterable[str]]:
    return lambda: form.finish(result)


def write(documents: Iterable[Document]) -> None:
    """Writes each document. Standard output comes last, because its reader may stop reading (`| head`).

    Raises:
        ReportError: a file cannot be written; the other files are written.
    """
    failure: ReportError | None = None
    for target, text in sorted(documents, key=lambda document: document[0] == STDOUT):
        try:
            put(target, text())
        except ReportError as error:
            failure = failure or error
    if failure is not None:
        raise failure
