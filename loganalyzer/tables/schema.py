"""Every table's column names and types, and empty tables."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from loganalyzer.tables.columns import COLUMNS
from loganalyzer.tables.frames import with_schema

SCHEMA_VERSION: Final = 1

SEPARATOR: Final = ", "
"""Joins the entries of lists that the table `runs` holds as one text: `packages`, `custom_nodes`."""

SCHEMAS: Final[dict[str, pl.Schema]] = {
    table: pl.Schema({column.name: column.dtype for column in columns}) for table, columns in COLUMNS.items()
}
FOREIGN: Final[dict[str, tuple[str, ...]]] = {
    table: names
    for table, columns in COLUMNS.items()
    if (names := tuple(column.name for column in columns if column.is_foreign))
}
"""Per table the columns that may hold words of a log, or a path."""

EXCERPTS: Final = SCHEMAS["excerpts"]
FINDINGS: Final = SCHEMAS["findings"]
MASKED: Final = SCHEMAS["masked"]
NOT_CHECKED: Final = SCHEMAS["not_checked"]
PADDINGS: Final = SCHEMAS["paddings"]
RUNS: Final = SCHEMAS["runs"]
STEPS: Final = SCHEMAS["steps"]
TRENDS: Final = SCHEMAS["trends"]


@cache
def _blank(table: str) -> pl.DataFrame:
    return pl.DataFrame(schema=SCHEMAS[table])


def empty(table: str) -> pl.DataFrame:
    """A table of the contract without rows."""
    return _blank(table).clear()  # a twentieth of the time that reading the schema takes


def conform(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """`frame` with exactly the contract's columns, in its order and types; absent columns become null.

    Raises:
        polars.exceptions.InvalidOperationError: where a column cannot be cast, which is a fault of ours.
    """
    schema = SCHEMAS[table]
    if frame.is_empty():
        return empty(table)
    return with_schema(frame, schema)
