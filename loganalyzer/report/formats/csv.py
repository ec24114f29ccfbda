"""Writes tables as CSV files, for spreadsheets.

The files are UTF-8 with a header line. The items of a list are joined with `; `. A text that a spreadsheet would run as
a formula (it starts with `=`, `+`, `-`, `@`, a tab or a carriage return) gets an apostrophe in front, because logs and
workflows are untrusted.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import polars as pl
from polars import selectors

_FORMULA_START: Final = r"^[=+\-@\t\r]"
_SEPARATOR: Final = "; "


class Csv:
    """One CSV file per table."""

    extension = ".csv"

    def write(self, volumes: Iterable[Path], target: Path) -> None:
        """Writes the rows of one table, volume by volume."""
        rows = pl.scan_ipc(list(volumes)).with_columns(selectors.list().list.join(_SEPARATOR, ignore_nulls=True))
        texts = selectors.string()
        safe = pl.when(texts.str.contains(_FORMULA_START)).then("'" + texts).otherwise(texts).name.keep()
        rows.with_columns(safe).sink_csv(target, maintain_order=True)
