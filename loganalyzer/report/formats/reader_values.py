"""Checks the values of a JSON document against the types of their columns and converts them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from loganalyzer.common.errors import SourceError
from loganalyzer.common.formatting import encodable
from loganalyzer.settings.model import Settings
from loganalyzer.tables.schema import SCHEMAS
from loganalyzer.tables.totals import COUNTS, FOUND, INCOMPLETE, SKIPPED, Totals

MOST_COUNTED: Final = 10**12
"""Larger counts are clipped, so that sums cannot overflow."""
MOST_TEXTS: Final = 10_000
"""Maximum number of entries of `problems` and of `notes`."""
HINT: Final = "use the unmodified report, or analyze the log itself"


def _to_int(value: Any) -> int:  # noqa: ANN401
    number = int(value) if type(value) is float and value.is_integer() else value
    if type(number) is not int or not -(2**63) <= number < 2**63:
        raise TypeError("a whole number of 64 bits")
    return number


def _to_float(value: Any) -> float:  # noqa: ANN401
    if type(value) not in (int, float) or not math.isfinite(value):
        raise TypeError("a number")
    return float(value)


def _to_text(value: Any) -> str:  # noqa: ANN401
    if type(value) is not str:
        raise TypeError("a text")
    return encodable(value)


def _to_bool(value: Any) -> bool:  # noqa: ANN401
    if type(value) is not bool:
        raise TypeError("true or false")
    return value


def _to_texts(value: Any) -> list[str]:  # noqa: ANN401
    if type(value) is not list or not all(type(item) is str for item in value):
        raise TypeError("a list of texts")
    return [encodable(item) for item in value]


def _to_time(value: Any) -> datetime:  # noqa: ANN401
    try:
        moment = datetime.fromisoformat(_to_text(value))
    except ValueError:
        raise TypeError("a time such as 2025-11-22T06:30:00") from None
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _to_file_name(value: Any) -> Path:  # noqa: ANN401
    return Path(_to_text(value))


_COLUMN_CONVERTERS: Final[dict[type[pl.DataType], Callable[[Any], Any]]] = {
    pl.Int64: _to_int, pl.Float64: _to_float, pl.String: _to_text, pl.Boolean: _to_bool, pl.Datetime: _to_time,
    pl.List: _to_texts,
}  # fmt: skip
_SETTING_CONVERTERS: Final[dict[str, Callable[[Any], Any]]] = {
    "int": _to_int, "float": _to_float, "str": _to_text, "bool": _to_bool, "Path": _to_file_name,
}  # fmt: skip


class ValueReader:
    """Converts members to the expected types. Errors name the first member of another type."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _wrong(self, member: str, wanted: object) -> SourceError:
        return SourceError(f"{self._name}: {member} must be {wanted}", HINT)

    def table(self, table: str, rows: object) -> pl.DataFrame:
        """The rows as a table with exactly the columns of its schema."""
        return self._rows(table, rows, SCHEMAS[table])

    def totals(self, given: object) -> Totals | None:
        """The counts of all runs, if the tables contain only the worst; None if there are none."""
        if given is None:
            return None
        if not isinstance(given, dict):
            raise self._wrong("totals", "an object")
        numbers = {name: self._number(f"totals.{name}", given.get(name)) for name in COUNTS}
        findings = self._rows("totals.findings", given.get("findings", []), FOUND)
        not_checked = self._rows("totals.not_checked", given.get("not_checked", []), SKIPPED)
        incomplete = self._rows("totals.incomplete", given.get("incomplete", []), INCOMPLETE)
        counts = pl.col("count").fill_null(0).clip(0, MOST_COUNTED)
        return Totals(
            numbers["inputs"] or 0,
            numbers["runs"] or 0,
            numbers["completed"] or 0,
            numbers["touched"],
            findings.with_columns(counts),
            not_checked.with_columns(counts),
            numbers["runless"] or 0,
            numbers["incomplete_runs"] or 0,
            incomplete.with_columns(counts),
        )

    def _number(self, member: str, value: object) -> int | None:
        if value is None:
            return None
        try:
            return min(max(_to_int(value), 0), MOST_COUNTED)
        except TypeError:
            raise self._wrong(member, "a whole number of 64 bits") from None

    def _rows(self, table: str, rows: object, schema: pl.Schema) -> pl.DataFrame:
        if not isinstance(rows, list):
            raise self._wrong(table, "a list of rows")
        for number, row in enumerate(rows):
            if not isinstance(row, dict):
                raise self._wrong(f"{table}[{number}]", "an object")
        columns = [self._column(f"{table}[{{}}].{name}", name, dtype, rows) for name, dtype in schema.items()]
        return pl.DataFrame(columns)

    def _column(self, member: str, name: str, dtype: pl.DataType, rows: Sequence[dict[str, Any]]) -> pl.Series:
        convert = _COLUMN_CONVERTERS[dtype.base_type()]
        values = []
        for number, row in enumerate(rows):
            value = row.get(name)
            try:
                values.append(None if value is None else convert(value))
            except (TypeError, OverflowError) as error:
                raise self._wrong(member.format(number), error) from None
        return pl.Series(name, values, dtype=dtype)

    def texts(self, member: str, values: object) -> tuple[str, ...]:
        """A list of texts, cut after the first `MOST_TEXTS`."""
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self._wrong(member, "a list of texts")
        return tuple(encodable(value) for value in values[:MOST_TEXTS])

    def settings(self, given: object) -> Settings:
        """The settings. Names that this version does not know are ignored."""
        if not isinstance(given, dict):
            raise self._wrong("settings", "an object")
        known = {item.name: str(item.type) for item in fields(Settings)}
        values = {
            name: self._setting(f"settings.{name}", kind, given[name])
            for name, kind in known.items()
            if given.get(name) is not None
        }
        return Settings(**values)

    def _setting(self, member: str, kind: str, value: object) -> Any:  # noqa: ANN401
        single = kind.removesuffix(" | None")
        try:
            if single in _SETTING_CONVERTERS:
                return _SETTING_CONVERTERS[single](value)
            if single.startswith("tuple[") and isinstance(value, list):
                return tuple(_SETTING_CONVERTERS[single[6:].split(",")[0]](item) for item in value)
            if single.startswith("dict[") and isinstance(value, dict):
                return {_to_text(key): _to_text(item) for key, item in value.items()}
        except (TypeError, OverflowError) as error:
            raise self._wrong(member, error) from None
        raise self._wrong(member, f"of the type {single}")
