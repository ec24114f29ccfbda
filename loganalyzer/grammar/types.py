"""Defines the types of fields: their regex, and how one text or a column of texts is converted."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import polars as pl

DIGITS: Final = frozenset("0123456789")
_BLANK: Final = frozenset(" \t")
ANY: Final = frozenset(map(chr, range(32, 127))) | {"\t"}
_GIB: Final = {"K": 2.0**-20, "M": 2.0**-10, "G": 1.0, "T": 2.0**10, "B": 2.0**-30}
_INT64: Final = 2**63
_INT64_DIGITS: Final = 19
"""Integers with more digits are rejected before conversion: Python refuses to convert thousands of digits."""
_MAX_SECONDS: Final = 1e9
"""Maximum seconds per item. A larger figure is damaged, and sums of such figures would exceed the number range."""

Columns = dict[str, pl.Expr]
"""Suffix of the column's name to its expression; the plain value has the suffix ``""``."""


class FieldType(NamedTuple):
    """One type of field.

    Attributes:
        regex: its form, without capturing groups, in the syntax that Python and Rust share.
        first: ASCII characters with which it can start.
        continues: characters that must not follow directly, since they could be part of the value.
        read: converts one text to values, by suffix.
        columns: the same for a column of texts.
        head: for a type that matches as little as possible, the one character that it needs; else empty.
        suffixes: suffixes of the columns that one value fills.
        dtype: type of these columns.
    """

    regex: str
    first: frozenset[str]
    continues: frozenset[str]
    read: Callable[[str], Mapping[str, object]]
    columns: Callable[[pl.Expr], Columns]
    head: str = ""
    suffixes: tuple[str, ...] = ("",)
    dtype: pl.DataType | type[pl.DataType] = pl.String

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.dtype in (pl.Int64, pl.Float64)

    @property
    def is_lazy(self) -> bool:
        """Whether it matches as little as possible rather than as much as possible."""
        return bool(self.head)


def _read_int(text: str) -> dict[str, object]:
    digits = text.lstrip("-0")
    if len(digits) > _INT64_DIGITS:
        return {"": None}
    value = int(digits or "0") * (-1 if text.startswith("-") else 1)
    return {"": value if -_INT64 <= value < _INT64 else None}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _read_float(text: str) -> dict[str, object]:
    return {"": _finite(float(text.replace(",", "")))}


def _float_columns(text: pl.Expr) -> Columns:
    value = text.str.replace_all(",", "", literal=True).cast(pl.Float64, strict=False)
    return {"": pl.when(value.is_finite()).then(value)}


def _read_clock(text: str) -> dict[str, object]:
    if text == "?":
        return {"": None}
    hours, minutes, seconds = ("0:" + text).split(":")[-3:]
    return {"": int(hours) * 3600.0 + int(minutes) * 60 + int(seconds)}


def _clock_columns(text: pl.Expr) -> Columns:
    """Converts `MM:SS` and `H:MM:SS` as one number of two-digit places, which is much faster than splitting."""
    digits = text.str.replace_all(":", "", literal=True).cast(pl.Int64, strict=False)
    seconds = digits % 100 + digits // 100 % 100 * 60 + digits // 10_000 * 3600
    return {"": seconds.cast(pl.Float64)}


_SIZE_PARTS = r"^([0-9.eE+-]+) ?([KMGTBb])"


def _read_size(text: str) -> dict[str, object]:
    parts = re.match(_SIZE_PARTS, text)
    if parts is None:
        raise ValueError(f"not a size: {text!r}")
    return {"": _finite(float(parts[1]) * _GIB[parts[2].upper()])}


def _size_columns(text: pl.Expr) -> Columns:
    number = text.str.strip_chars_end(" KMGTiBbytes").cast(pl.Float64, strict=False)
    unit = text.str.strip_chars_start("0123456789.eE+- ").str.head(1).str.to_uppercase()
    value = number * pl.coalesce(pl.when(unit == name).then(gib) for name, gib in _GIB.items())
    return {"": pl.when(value.is_finite()).then(value)}


def _read_bytes(text: str) -> dict[str, object]:
    return {"": _finite(float(text) * _GIB["B"])}


def _bytes_columns(text: pl.Expr) -> Columns:
    value = text.cast(pl.Float64, strict=False) * _GIB["B"]
    return {"": pl.when(value.is_finite()).then(value)}


def _read_rate(text: str) -> dict[str, object]:
    """Seconds per item, and the maximum error from rounding to two decimals."""
    number = float(re.sub(r"[a-z/?]+$", "", text) or "nan")
    per_item = re.search(r"[0-9?]s", text) is not None
    if per_item:
        usual = abs(number) < _MAX_SECONDS
        return {"": number if usual else None, "_error": 0.005 if usual else None}
    if not number > 0.005 or math.isinf(number):
        return {"": None, "_error": None}
    return {"": 1 / number, "_error": 1 / (number - 0.005) - 1 / number}


def _rate_columns(text: pl.Expr) -> Columns:
    """As `_read_rate`. Rates are the slowest values of a bar, so each condition is computed once."""
    number = text.str.strip_chars_end("ist/?").cast(pl.Float64, strict=False)
    per_item = ~text.str.contains("i", literal=True) | text.str.contains("s/", literal=True)
    is_usable = pl.when(per_item).then(number.abs() < _MAX_SECONDS).otherwise((number > 0.005) & number.is_finite())
    usable = pl.when(is_usable).then(number)
    rounding = pl.when(per_item).then(0.005).otherwise(1 / (usable - 0.005) - 1 / usable)
    return {
        "": pl.when(per_item).then(usable).otherwise(1 / usable),
        "_error": pl.when(usable.is_not_null()).then(rounding),
    }


_TIMESTAMP = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}"
    r"(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)


def _read_timestamp(text: str) -> dict[str, object]:
    """Naive date and time, in UTC if the text has a time zone; null for a date that does not exist."""
    parts = re.fullmatch(r"(.{10}).(.{5})(?::(..))?(?:[.,]([0-9]+))?(Z|[+-].*)?", text)
    if parts is None:
        raise ValueError(f"not a timestamp: {text!r}")
    try:
        moment = datetime.fromisoformat(f"{parts[1]}T{parts[2]}:{parts[3] or '00'}")
    except ValueError:
        return {"": None}
    moment += timedelta(microseconds=int((parts[4] or "0")[:6].ljust(6, "0")))
    zone = parts[5]
    if zone and zone != "Z":
        digits = zone[1:].replace(":", "")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        moment -= offset if zone[0] == "+" else -offset
    return {"": moment}


def _timestamp_columns(text: pl.Expr) -> Columns:
    parts = text.str.extract_groups(
        r"^([0-9-]{10}).([0-9:]{5})(?::([0-9]{2}))?(?:[.,]([0-9]{1,6})[0-9]*)?(?:([+-])([0-9]{2}):?([0-9]{2}))?"
    ).struct
    clock = pl.concat_str([parts[0], pl.lit("T"), parts[1], pl.lit(":"), parts[2].fill_null("00")])
    moment = clock.str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False)
    micros = parts[3].fill_null("0").str.pad_end(6, "0").cast(pl.Int64)
    minutes = parts[5].cast(pl.Int64).fill_null(0) * 60 + parts[6].cast(pl.Int64).fill_null(0)
    signed = pl.when(parts[4] == "-").then(-minutes).otherwise(minutes)
    return {"": moment + pl.duration(microseconds=micros) - pl.duration(minutes=signed)}


def _read_text(text: str) -> dict[str, object]:
    return {"": text}


def _text_columns(text: pl.Expr) -> Columns:
    return {"": text}


def _int_columns(text: pl.Expr) -> Columns:
    return {"": text.cast(pl.Int64, strict=False)}


_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_FLOAT = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"

TYPES: Final[Mapping[str, FieldType]] = {
    "int": FieldType(r"-?[0-9]+", DIGITS | {"-"}, DIGITS, _read_int, _int_columns, dtype=pl.Int64),
    "float": FieldType(
        rf"(?:{_FLOAT}|-?inf|nan)",
        DIGITS | set("-in"),
        DIGITS | set(".eE"),
        _read_float,
        _float_columns,
        dtype=pl.Float64,
    ),
    "number": FieldType(
        r"-?[0-9][0-9,]*(?:\.[0-9]+)?",
        DIGITS | {"-"},
        DIGITS | set(",."),
        _read_float,
        _float_columns,
        dtype=pl.Float64,
    ),
    "word": FieldType(r"[^ \t]+", ANY - _BLANK, ANY - _BLANK, _read_text, _text_columns),
    "name": FieldType(_NAME, DIGITS | _LETTERS, DIGITS | _LETTERS | set("_.-"), _read_text, _text_columns),
    "text": FieldType(r".+?", ANY, frozenset(), _read_text, _text_columns, head="."),
    "path": FieldType(r"[^ \t].*?", ANY - _BLANK, frozenset(), _read_text, _text_columns, head="[^ \t]"),
    "blanks": FieldType(r"[ \t]*", _BLANK, _BLANK, _read_text, _text_columns),
    "cells": FieldType(r"[^|]*", ANY - {"|"}, ANY - {"|"}, _read_text, _text_columns),
    "clock": FieldType(
        r"(?:[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?|\?)",
        DIGITS | {"?"},
        DIGITS | {":"},
        _read_clock,
        _clock_columns,
        dtype=pl.Float64,
    ),
    "hours": FieldType(
        r"[0-9]{2}:[0-9]{2}:[0-9]{2}", DIGITS, DIGITS | {":"}, _read_clock, _clock_columns, dtype=pl.Float64
    ),
    "size": FieldType(
        rf"{_FLOAT} ?(?:bytes|[KMGT]i?B|B|b)", DIGITS | {"-"}, _LETTERS, _read_size, _size_columns, dtype=pl.Float64
    ),
    "bytes": FieldType(r"[0-9]+", DIGITS, DIGITS, _read_bytes, _bytes_columns, dtype=pl.Float64),
    "rate": FieldType(
        r"(?:\?|[0-9]+(?:\.[0-9]+)?)(?:s(?:/(?:it?)?)?|i(?:t(?:/s?)?)?)",
        DIGITS | {"?"},
        frozenset("/ist"),
        _read_rate,
        _rate_columns,
        suffixes=("", "_error"),
        dtype=pl.Float64,
    ),
    "timestamp": FieldType(
        _TIMESTAMP, DIGITS, DIGITS | set(".,Z+-:"), _read_timestamp, _timestamp_columns, dtype=pl.Datetime("us")
    ),
}
