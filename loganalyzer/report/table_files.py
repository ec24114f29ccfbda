"""The tables as Parquet files, written part by part: what a long log says need not be held to be written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

import polars as pl

from loganalyzer.analysis import Analysis
from loganalyzer.errors import ReportError


class TableFiles:
    """One Parquet file per table in a folder; of several parts, each is written as it comes and all are joined at last.

    Raises:
        ReportError: the folder cannot be made or written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: Path | None = None
        self._parts = 0

    def add(self, analysis: Analysis) -> None:
        """The rows of a part."""
        with self._told():
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._waiting is None:
                self._waiting = Path(mkdtemp(prefix=".parts-", dir=self._folder))
            for name, frame in analysis.tables():
                if self._parts == 0 or not frame.is_empty():
                    frame.write_parquet(self._waiting / f"{name}-{self._parts:06}.parquet")
            self._parts += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        """The files in their places, where those of an earlier call are replaced; nothing stays of a failed call."""
        try:
            if failure is None:
                self._close()
        finally:
            if self._waiting is not None:
                shutil.rmtree(self._waiting, ignore_errors=True)

    def _close(self) -> None:
        if self._waiting is None:
            return
        with self._told():
            names = {path.name.rpartition("-")[0] for path in self._waiting.iterdir()}
            for name in sorted(names):
                self._join(name, sorted(self._waiting.glob(f"{name}-*.parquet")))

    def _join(self, name: str, parts: list[Path]) -> None:
        place = self._folder / f"{name}.parquet"
        if len(parts) == 1:
            parts[0].replace(place)
            return
        joined = parts[0].with_name(f"{name}.parquet")
        pl.scan_parquet(parts).sink_parquet(joined, maintain_order=True)
        joined.replace(place)
        for part in parts:
            part.unlink()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ReportError(
                f"{self._folder}: cannot be written: {error.strerror or error}", "give a folder you may write to"
            ) from None


def write_tables(analysis: Analysis, folder: Path) -> None:
    """All tables at once.

    Raises:
        ReportError: as `TableFiles`.
    """
    with TableFiles(folder) as files:
        files.add(analysis)
