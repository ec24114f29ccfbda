"""Writes one file per table to a folder. Rows are buffered in Arrow files until a format writes them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

import polars as pl

from loganalyzer.common.errors import ReportError
from loganalyzer.report.formats.interface import TableFormat
from loganalyzer.tables.analysis import Analysis


class TableFiles:
    """Writes the tables as files of one format. They replace the files of an earlier call once all are complete.

    Raises:
        ReportError: the folder cannot be created or written to.
    """

    def __init__(self, folder: Path, form: TableFormat) -> None:
        self._folder = folder
        self._format = form
        self._buffer: Path | None = None
        self._volumes = 0

    def add(self, part: Analysis) -> None:
        """Takes the rows of one volume."""
        with self._translate_errors():
            for name, frame in part.tables():
                if self._volumes == 0 or not frame.is_empty():
                    frame.write_ipc(self._buffer_folder() / f"{name}-{self._volumes:06}.arrow", compression="lz4")
            self._volumes += 1

    def _buffer_folder(self) -> Path:
        if self._buffer is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._buffer = Path(mkdtemp(prefix=".parts-", dir=self._folder))
        return self._buffer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        """Moves the files to their places. A failed call leaves nothing behind."""
        try:
            if failure is None:
                self._close()
        finally:
            if self._buffer is not None:
                shutil.rmtree(self._buffer, ignore_errors=True)

    def _close(self) -> None:
        if self._buffer is None:
            return
        with self._translate_errors():
            done: list[Path] = []
            for name in sorted({path.name.rpartition("-")[0] for path in self._buffer.glob("*.arrow")}):
                target = self._buffer / f"{name}{self._format.extension}"
                self._format.write(sorted(self._buffer.glob(f"{name}-*.arrow")), target)
                done.append(target)
            for path in done:
                path.replace(self._folder / path.name)

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, pl.exceptions.PolarsError) as error:  # polars reports a full disk as either
            reason = getattr(error, "strerror", None) or error
            raise ReportError(
                f"{self._folder}: cannot write tables: {reason}", "choose a writable folder with enough free space"
            ) from None
