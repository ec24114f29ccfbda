"""Writes tables as Parquet files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl


class Parquet:
    """One Parquet file per table."""

    extension = ".parquet"

    def write(self, volumes: Iterable[Path], target: Path) -> None:
        """Writes the rows of one table, volume by volume."""
        pl.scan_ipc(list(volumes)).sink_parquet(target, maintain_order=True)
