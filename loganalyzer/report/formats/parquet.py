"""The tables as Parquet files, written part by part: what a long log says need not be held to be written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

import polars as pl

from loganalyzer.common.errors import ReportError
from loganalyzer.tables.analysis import Analysis


class TableFiles:
    """One Parquet file per table in a folder; parts are written as they come, and joined at last.

    Raises:
        ReportError: the folder cannot be made or written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: Path | None = None
        self._parts = 0

    def whole(self, analysis: Analysis) -> None:
        """Everything at once."""
        with self._told():
            for name, frame in analysis.tables():
                frame.write_parquet(self._waiting_folder() / f"{name}.parquet")

    def part(self, analysis: Analysis) -> None:
        """The rows of a part."""
        with self._told():
            for name, frame in analysis.tables():
                if self._parts == 0 or not frame.is_empty():
                    frame.write_ipc(self._waiting_folder() / f"{name}-{self._parts:06}.arrow", compression="lz4")
            self._parts += 1

    def _waiting_folder(self) -> Path:
        if self._waiting is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._waiting = Path(mkdtemp(prefix=".parts-", dir=self._folder))
        return self._waiting

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
            for name in sorted({path.name.rpartition("-")[0] for path in self._waiting.glob("*.arrow")}):
                parts = sorted(self._waiting.glob(f"{name}-*.arrow"))
                pl.scan_ipc(parts).sink_parquet(self._waiting / f"{name}.parquet", maintain_order=True)
                for part in parts:
                    part.unlink()
            for path in self._waiting.glob("*.parquet"):
                path.replace(self._folder / path.name)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, pl.exceptions.PolarsError) as error:  # a full disk is either, as polars has it
            reason = getattr(error, "strerror", None) or error
            raise ReportError(
                f"{self._folder}: cannot be written: {reason}", "give a folder with room that you may write to"
            ) from None
