"""One file per table in a folder: rows wait in Arrow files, volume by volume, until a format writes them."""

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
    """The tables as files of one format. Files of an earlier call are replaced once all are complete.

    Raises:
        ReportError: the folder cannot be made or written.
    """

    def __init__(self, folder: Path, form: TableFormat) -> None:
        self._folder = folder
        self._format = form
        self._waiting: Path | None = None
        self._volumes = 0

    def add(self, part: Analysis) -> None:
        """Takes the rows of one volume."""
        with self._explained():
            for name, frame in part.tables():
                if self._volumes == 0 or not frame.is_empty():
                    frame.write_ipc(self._waiting_folder() / f"{name}-{self._volumes:06}.arrow", compression="lz4")
            self._volumes += 1

    def _waiting_folder(self) -> Path:
        if self._waiting is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._waiting = Path(mkdtemp(prefix=".parts-", dir=self._folder))
        return self._waiting

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        """Moves the files to their places. A failed call leaves nothing behind."""
        try:
            if failure is None:
                self._close()
        finally:
            if self._waiting is not None:
                shutil.rmtree(self._waiting, ignore_errors=True)

    def _close(self) -> None:
        if self._waiting is None:
            return
        with self._explained():
            done: list[Path] = []
            for name in sorted({path.name.rpartition("-")[0] for path in self._waiting.glob("*.arrow")}):
                target = self._waiting / f"{name}{self._format.extension}"
                self._format.write(sorted(self._waiting.glob(f"{name}-*.arrow")), target)
                done.append(target)
            for path in done:
                path.replace(self._folder / path.name)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, pl.exceptions.PolarsError) as error:  # polars reports a full disk as either
            reason = getattr(error, "strerror", None) or error
            raise ReportError(
                f"{self._folder}: cannot be written: {reason}", "give a folder with room that you may write to"
            ) from None
