"""What caused an error and how to fix it, by the catalogue of failures."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

import polars as pl

from loganalyzer.grammar import model
from loganalyzer.grammar.failures import PIP_NAME, PLACEHOLDER, Failure, shipped_failures
from loganalyzer.grammar.lower import Lowered, lower

LONGEST_ERROR: Final = 4_000
"""Characters of an error that are looked at."""
LONGEST_VALUE: Final = 120
"""Characters of a log's own text within a cause or a fix."""

SCHEMA: Final = {"failure": pl.String, "cause": pl.String, "fix": pl.String}
_UNREADABLE = "?"
"""Stands for a number that is too large to be one."""


class _Form(NamedTuple):
    """One message of a failure; one of `anchors` stands in each text that it fits, if there are any."""

    failure: Failure
    lowered: Lowered
    anchors: tuple[str, ...]


def explained(errors: pl.Series) -> pl.DataFrame:
    """One row for each error (`{type}: {message}`, nullable): failure, cause and fix, null where none is known.

    Values from the error stand in causes and fixes as they are, cut to `LONGEST_VALUE`: whoever shows them escapes
    them.
    """
    texts = errors.cast(pl.String).alias("error")
    distinct = texts.drop_nulls().unique()
    if distinct.is_empty():
        return pl.DataFrame(schema=SCHEMA).clear(texts.len())
    known = distinct.to_frame().hstack(_explained(distinct))
    return texts.to_frame().join(known, on="error", how="left", maintain_order="left").select(*SCHEMA)


@cache
def _forms() -> tuple[_Form, ...]:
    """Every message of the catalogue, in its order."""
    return tuple(
        _Form(failure, lower(message.nodes), model.anchors(message.nodes))
        for failure in shipped_failures().failures
        for message in failure.messages
    )


def _explained(errors: pl.Series) -> pl.DataFrame:
    """The same for errors without nulls: each is read by the first message of the catalogue that fits it."""
    rows = errors.str.head(LONGEST_ERROR).str.replace_all(r"\s+", " ").alias("text").to_frame().with_row_index("row")
    rows = rows.with_columns(_first_form(rows["text"]).alias("form"))
    found = [pl.DataFrame(schema={"row": pl.UInt32, **SCHEMA})]
    for number in rows["form"].drop_nulls().unique().sort().to_list():
        form = _forms()[number]
        own = rows.filter(pl.col("form") == number)
        _, values = form.lowered.read(own["text"])
        found.append(own.select("row").hstack(values).select("row", *_advice(form.failure, values)))
    return rows.select("row").join(pl.concat(found), on="row", how="left", maintain_order="left").drop("row")


def _first_form(texts: pl.Series) -> pl.Expr:
    """The place of the first message that fits each `text`; only messages whose fixed text occurs are tried."""
    everything = "\n".join(texts.to_list())
    candidates = [
        pl.when(pl.col("text").str.contains(form.lowered.regex)).then(pl.lit(place, pl.Int32))
        for place, form in enumerate(_forms())
        if not form.anchors or any(anchor in everything for anchor in form.anchors)
    ]
    return pl.coalesce(pl.lit(None, pl.Int32), *candidates)


def _advice(failure: Failure, values: pl.DataFrame) -> list[pl.Expr]:
    shown = {name: _shown(name, dtype) for name, dtype in values.schema.items()}
    if "package" in shown:
        shown[PIP_NAME] = pl.col("package").replace(dict(shipped_failures().pip_names)).pipe(_cut)
    return [
        pl.lit(failure.id).alias("failure"),
        _filled(failure.cause, shown).alias("cause"),
        _filled(failure.fix, shown).alias("fix"),
    ]


def _filled(template: str, shown: dict[str, pl.Expr]) -> pl.Expr:
    """The template with its placeholders replaced."""
    parts = PLACEHOLDER.split(template)
    return pl.concat_str(shown[part] if place % 2 else pl.lit(part, pl.String) for place, part in enumerate(parts))


def _shown(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column of values as text."""
    column = pl.col(name)
    if dtype.is_float():
        column = column.round(2)
    return column.cast(pl.String).fill_null(_UNREADABLE).pipe(_cut)


def _cut(text: pl.Expr) -> pl.Expr:
    too_long = text.str.len_chars() > LONGEST_VALUE
    return pl.when(too_long).then(text.str.head(LONGEST_VALUE - 1) + "…").otherwise(text)
