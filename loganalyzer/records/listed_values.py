"""Lists the values of records of patterns that users and other packages added: the rows of the table `events`."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.grammar.lower import Lowered
from loganalyzer.grammar.types import FieldType
from loganalyzer.redact.cutting import shorten_texts
from loganalyzer.tables.listed_values import VALUES, VALUES_TYPE

LONGEST_VALUE: Final = 1000
"""Maximum characters of a value. Records wait in memory, and a pattern may capture lines of any length."""


def list_values(form: Lowered, texts: pl.Series) -> pl.Series:
    """The fields of each text, which `form` matches: a list of field, value as printed, and number.

    A template without fields gives a single entry of nulls, so that each record has a row.
    """
    groups = form.value_groups
    if not groups:
        blank = pl.Series(VALUES, [[dict.fromkeys(("field", "value", "number"))]], dtype=VALUES_TYPE)
        return blank.new_from_index(0, len(texts))
    found = texts.alias("text").to_frame().select(pl.col("text").str.extract_groups(form.regex).alias("groups"))
    entries = [_entry(name, kind, numbers) for name, kind, numbers in groups]
    return found.select(pl.concat_list(entries).cast(VALUES_TYPE).alias(VALUES)).to_series()


def _entry(name: str, kind: FieldType, numbers: list[str]) -> pl.Expr:
    """One field's entry. Of several groups for a field, one is filled."""
    text = pl.coalesce(pl.col("groups").struct.field(number) for number in numbers)
    number = kind.columns(text)[""].cast(pl.Float64) if kind.is_number else pl.lit(None, pl.Float64)
    value = shorten_texts(text, LONGEST_VALUE)
    return pl.struct(pl.lit(name).alias("field"), value.alias("value"), number.alias("number"))


def count_values() -> pl.Expr:
    """How many values each record has."""
    return pl.col(VALUES).list.eval(pl.element().struct.field("value").is_not_null()).list.sum().fill_null(0)
