"""Tables as CSV files, for spreadsheets.

UTF-8 with a header line. Lists become one text with `; ` between the items. A text that a spreadsheet would run as a
formula (it starts with `=`, `+`, `-`, `@`, a tab or a carriage return) gets an apostrophe in front: logs and workflows
come from strangers.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import polars as pl
from polars import selectors

_FORMULA: Final = r"^[=+\-@\t\r]"
_BETWEEN: Final = "; "


class Csv:
    """One CSV file per table."""

    extension = ".csv"

    def write(self, volumes: Iterable[Path], target: Path) -> None:
        """Writes the rows of one table, volume by volume."""
        rows = pl.scan_ipc(list(volumes)).with_columns(selectors.list().list.join(_BETWEEN, ignore_nulls=True))
        texts = selectors.string()
        safe = pl.when(texts.str.contains(_FORMULA)).then("'" + texts).otherwise(texts).name.keep()
        rows.with_columns(safe).sink_csv(target, maintain_order=True)
