"""The schema of the main document, made from the columns of the tables."""

from __future__ import annotations

from dataclasses import fields
from typing import Final, get_args

import polars as pl

from loganalyzer.report.schemas.parts import (
    ANY_OBJECT,
    COUNT,
    FIGURE,
    FLAG,
    MOMENT,
    SEVERITY,
    TEXT,
    TEXTS,
    Schema,
    document,
    list_of,
    one_of,
    or_null,
    record,
    reference,
)
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Verdict
from loganalyzer.tables.column import Column
from loganalyzer.tables.columns import COLUMNS
from loganalyzer.tables.schema import SCHEMA_VERSION
from loganalyzer.tables.totals import COUNTS, FOUND, INCOMPLETE, SKIPPED

TABLE_TIME: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$"
"""Times in tables have no time zone: they are as the log prints them."""
TOOL: Final = record({"name": {"const": "loganalyzer"}, "version": TEXT})


def analysis_schema() -> Schema:
    """The schema of `loganalyze LOGS --json`, which is also the data in a report page."""
    body = record(
        {
            "tool": TOOL,
            "generated_at": MOMENT,
            "verdict": one_of(*get_args(Verdict)),
            "complete": FLAG,
            "problems": TEXTS,
            "notes": TEXTS,
            **{table: list_of(reference(table)) for table in COLUMNS},
        },
        optional={"settings": _settings(), "totals": _totals()},
    )
    return document("Result of loganalyze", SCHEMA_VERSION, body, table_definitions())


def table_definitions() -> dict[str, Schema]:
    """The schema of a row of each table."""
    return {
        table: record({column.name: _value(table, column) for column in columns}) for table, columns in COLUMNS.items()
    }


def _value(table: str, column: Column) -> Schema:
    schema = SEVERITY if (table, column.name) == ("findings", "severity") else or_null(value_schema(column.dtype))
    return {**schema, "description": column.meaning}


def value_schema(dtype: pl.DataType) -> Schema:
    """The schema of a value of a polars type."""
    if dtype.is_integer():
        return COUNT
    if dtype.is_float():
        return FIGURE
    if dtype.is_temporal():
        return {"type": "string", "pattern": TABLE_TIME}
    return {pl.Boolean(): FLAG, pl.String(): TEXT}.get(dtype, list_of(or_null(TEXT)))


def rows_of(schema: pl.Schema) -> Schema:
    """A list of rows of a table that is none of the contract's."""
    return list_of(record({name: or_null(value_schema(dtype)) for name, dtype in schema.items()}))


def _settings() -> Schema:
    return {**ANY_OBJECT, "properties": {item.name: {} for item in fields(Settings)}}


def _totals() -> Schema:
    counts = {name: or_null(COUNT) for name in COUNTS}
    return record(
        {**counts, "findings": rows_of(FOUND), "not_checked": rows_of(SKIPPED), "incomplete": rows_of(INCOMPLETE)}
    )
