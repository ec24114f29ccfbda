"""Checks the rows of a store value by value and converts them to tables: the database may be damaged or edited."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NoReturn

import polars as pl
import sqlalchemy as sa

from loganalyzer.common.errors import HistoryError
from loganalyzer.common.formatting import one_line

LONGEST_TEXT: Final = 20_000
"""Maximum characters of a text, except `facts`."""
LONGEST_FACTS: Final = 1 << 20
"""Maximum characters of the `facts` of one row."""
_RUN_ID: Final = re.compile(r"[!-~]{1,200}")
_HINT: Final = "Restore a backup, or start a new history with --history."


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def _is_integer(value: object) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63


_VALIDATORS: Final[Mapping[type, Callable[[object], bool]]] = {
    pl.String: _is_text,
    pl.Int64: _is_integer,
    pl.Float64: _is_number,
    pl.Boolean: lambda value: isinstance(value, bool | int) and value in (0, 1),
    pl.Datetime: lambda value: isinstance(value, datetime) and value.tzinfo is None,
}
"""The validity check per column type. Polars checks the other types."""


def fetch_rows(connection: sa.Connection, statement: sa.Select[Any]) -> list[tuple[Any, ...]]:
    """The rows of a query.

    Raises:
        HistoryError: a value cannot be read as its column's type.
    """
    try:
        return [tuple(row) for row in connection.execute(statement).all()]
    except (ValueError, TypeError, OverflowError, ArithmeticError, LookupError) as error:
        _refuse("a value", str(error))


def to_table(rows: Sequence[Sequence[Any]], schema: pl.Schema, required: Sequence[str] = ()) -> pl.DataFrame:
    """The rows as a table. `required` columns must not have nulls.

    Raises:
        HistoryError: a value is of another type, or missing.
    """
    for (name, dtype), values in zip(schema.items(), zip(*rows, strict=True), strict=bool(rows)):
        _check_column(name, values, dtype, is_required=name in required)
    booleans = [name for name, dtype in schema.items() if dtype == pl.Boolean]
    by_name = [dict(zip(schema, row, strict=True)) for row in rows]
    return _to_frame([{**row, **{name: _to_bool(row[name]) for name in booleans}} for row in by_name], schema)


def facts_table(texts: Sequence[Any], schema: pl.Schema, ids: Sequence[str] = ()) -> pl.DataFrame:
    """JSON objects as rows of a table. Unknown keys are ignored, missing ones are null. `ids` replace each `run_id`.

    Raises:
        HistoryError: a text is not a JSON object, or a value is of another type.
    """
    rows = [parse_facts(text) for text in texts]
    if ids:
        rows = [{**row, "run_id": run_id} for row, run_id in zip(rows, ids, strict=True)]
    for name, dtype in schema.items():
        _check_column(name, [row.get(name) for row in rows], dtype)
    return _to_frame([{name: row.get(name) for name in schema} for row in rows], schema)


def parse_facts(text: object) -> dict[str, Any]:
    """The object in a JSON text.

    Raises:
        HistoryError: it is too large, or not an object.
    """
    if not isinstance(text, str) or len(text) > LONGEST_FACTS:
        _refuse("facts", "not a JSON text of at most 1 MiB")
    try:
        found = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        _refuse("facts", f"invalid JSON: {error}")
    if not isinstance(found, dict):
        _refuse("facts", "not a JSON object")
    return found


def check_run_id(value: object) -> str:
    """The value, if it is a run id.

    Raises:
        HistoryError: it is not a run id.
    """
    if not isinstance(value, str) or not _RUN_ID.fullmatch(value):
        _refuse("run_id", f"{value!r} is not a run id")
    return value


def _check_column(name: str, values: Sequence[object], dtype: pl.DataType, *, is_required: bool = False) -> None:
    """Checks the values of a column. Equal values are checked once."""
    fits = _VALIDATORS.get(dtype.base_type(), _accept_any)
    try:
        different = dict.fromkeys(zip(map(type, values), values, strict=True))
    except TypeError:
        _refuse(name, "a list or an object is not a valid value")
    for _, value in different:
        if value is None:
            if is_required:
                _refuse(name, "the value is missing")
        elif not fits(value):
            _refuse(name, f"{value!r} is not a valid value")
        elif name == "run_id":
            check_run_id(value)


def _accept_any(_value: object) -> bool:
    return True


def _to_bool(value: object) -> bool | None:
    """The value as a boolean; SQLite stores 0 and 1."""
    return None if value is None else bool(value)


def _to_frame(rows: list[dict[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    try:
        return pl.DataFrame(rows, schema=schema, infer_schema_length=None)
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
        _refuse("a value", str(error))


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _refuse(name: str, reason: str) -> NoReturn:
    shown = one_line(reason)
    shown = f"{shown[:200]}…" if len(shown) > 200 else shown
    raise HistoryError(f"the history is damaged: {name}: {shown}", _HINT) from None
