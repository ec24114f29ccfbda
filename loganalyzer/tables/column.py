"""What a column of a table is: its type, its meaning, and whether it holds text of strangers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

TEXT: Final[pl.DataType] = pl.String()
TEXTS: Final[pl.DataType] = pl.List(pl.String)
COUNT: Final[pl.DataType] = pl.Int64()
FIGURE: Final[pl.DataType] = pl.Float64()
FLAG: Final[pl.DataType] = pl.Boolean()
TIME: Final[pl.DataType] = pl.Datetime("us")


@dataclass(frozen=True)
class Column:
    """One column. `docs/tables.md` and the masking of secrets are made from it.

    Attributes:
        name: its name in every output. The suffix `_gib` means 1024**3 bytes, `_s` seconds.
        dtype: its polars type.
        meaning: what a value says, in Markdown.
        is_foreign: whether it may hold words of a log or a path, so that secrets must be masked in it.
    """

    name: str
    dtype: pl.DataType
    meaning: str
    is_foreign: bool = False


def foreign(name: str, meaning: str, dtype: pl.DataType = TEXT) -> Column:
    """A column with words of a log, or a path."""
    return Column(name, dtype, meaning, is_foreign=True)


def text(name: str, meaning: str) -> Column:
    """A column with words of our own."""
    return Column(name, TEXT, meaning)


def count(name: str, meaning: str) -> Column:
    """A column of whole numbers."""
    return Column(name, COUNT, meaning)


def figure(name: str, meaning: str) -> Column:
    """A column of measurements."""
    return Column(name, FIGURE, meaning)


def flag(name: str, meaning: str) -> Column:
    """A column of true and false."""
    return Column(name, FLAG, meaning)


def moment(name: str, meaning: str) -> Column:
    """A column of times."""
    return Column(name, TIME, meaning)


SOURCE: Final = foreign("source", "the input's name, as in `sources`")
STREAM: Final = foreign("stream", "container or worker that printed the lines; null if the file has a single one")
LINE: Final = count("line", "where, counted in physical lines from 1")
END_LINE: Final = count("end_line", "its last line")
RUN_ID: Final = text("run_id", "the run, as in `runs`")
PROMPT_ID: Final = text("prompt_id", "the prompt, as in `prompts`")
WINDOW: Final = count("window", "number of the window, from 1")
