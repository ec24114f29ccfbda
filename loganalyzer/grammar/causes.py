"""Looks up the cause of an error and its fix in the catalog of failures."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

import polars as pl

from loganalyzer.grammar import model
from loganalyzer.grammar.failures import PIP_NAME, PLACEHOLDER, Failure, load_shipped_failures
from loganalyzer.grammar.lower import Lowered, lower

MAX_ERROR_LENGTH: Final = 4_000
"""Maximum characters of an error that are examined."""
MAX_VALUE_LENGTH: Final = 120
"""Maximum characters of a log's own text within a cause or a fix."""

SCHEMA: Final = {"failure": pl.String, "cause": pl.String, "fix": pl.String}
_UNREADABLE = "?"
"""Stands for a number that is too large to parse."""


class _MessageForm(NamedTuple):
    """One message of a failure. Each text that it matches contains one of `anchors`, if there are any."""

    failure: Failure
    lowered: Lowered
    anchors: tuple[str, ...]


def explain_errors(errors: pl.Series) -> pl.DataFrame:
    """One row per error (`{type}: {message}`, nullable): failure, cause and fix; null if the failure is unknown.

    Causes and fixes contain values from the error unescaped, cut to `MAX_VALUE_LENGTH`. Callers must escape them.
    """
    texts = errors.cast(pl.String).alias("error")
    distinct = texts.drop_nulls().unique()
    if distinct.is_empty():
        return pl.DataFrame(schema=SCHEMA).clear(texts.len())
    known = distinct.to_frame().hstack(_explain_distinct(distinct))
    return texts.to_frame().join(known, on="error", how="left", maintain_order="left").select(*SCHEMA)


@cache
def _message_forms() -> tuple[_MessageForm, ...]:
    """All messages of the catalog, in order."""
    return tuple(
        _MessageForm(failure, lower(message.nodes), model.find_anchors(message.nodes))
        for failure in load_shipped_failures().failures
        for message in failure.messages
    )


def _explain_distinct(errors: pl.Series) -> pl.DataFrame:
    """The same for errors without nulls. The first message of the catalog that matches an error applies."""
    rows = errors.str.head(MAX_ERROR_LENGTH).str.replace_all(r"\s+", " ").alias("text").to_frame().with_row_index("row")
    rows = rows.with_columns(_first_form(rows["text"]).alias("form"))
    found = [pl.DataFrame(schema={"row": pl.UInt32, **SCHEMA})]
    for number in rows["form"].drop_nulls().unique().sort().to_list():
        form = _message_forms()[number]
        own = rows.filter(pl.col("form") == number)
        _, values = form.lowered.read(own["text"])
        found.append(own.select("row").hstack(values).select("row", *_advice_columns(form.failure, values)))
    return rows.select("row").join(pl.concat(found), on="row", how="left", maintain_order="left").drop("row")


def _first_form(texts: pl.Series) -> pl.Expr:
    """The index of the first message that matches each `text`; only messages whose fixed text occurs are tried."""
    everything = "\n".join(texts.to_list())
    candidates = [
        pl.when(pl.col("text").str.contains(form.lowered.regex)).then(pl.lit(place, pl.Int32))
        for place, form in enumerate(_message_forms())
        if not form.anchors or any(anchor in everything for anchor in form.anchors)
    ]
    return pl.coalesce(pl.lit(None, pl.Int32), *candidates)


def _advice_columns(failure: Failure, values: pl.DataFrame) -> list[pl.Expr]:
    shown = {name: _format_value(name, dtype) for name, dtype in values.schema.items()}
    if "package" in shown:
        shown[PIP_NAME] = pl.col("package").replace(dict(load_shipped_failures().pip_names)).pipe(_shorten_value)
    return [
        pl.lit(failure.id).alias("failure"),
        _fill_template(failure.cause, shown).alias("cause"),
        _fill_template(failure.fix, shown).alias("fix"),
    ]


def _fill_template(template: str, shown: dict[str, pl.Expr]) -> pl.Expr:
    """The template with its placeholders replaced."""
    parts = PLACEHOLDER.split(template)
    return pl.concat_str(shown[part] if place % 2 else pl.lit(part, pl.String) for place, part in enumerate(parts))


def _format_value(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column of values as text."""
    column = pl.col(name)
    if dtype.is_float():
        column = column.round(2)
    return column.cast(pl.String).fill_null(_UNREADABLE).pipe(_shorten_value)


def _shorten_value(text: pl.Expr) -> pl.Expr:
    too_long = text.str.len_chars() > MAX_VALUE_LENGTH
    return pl.when(too_long).then(text.str.head(MAX_VALUE_LENGTH - 1) + "…").otherwise(text)
