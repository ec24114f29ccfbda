"""The column with which records carry the values of users' events to the table `events`."""

from __future__ import annotations

from typing import Final

import polars as pl

VALUES: Final = "listed values"
"""One column for all fields of a record, with a name that no field can have: a user may give a field any other name."""
VALUES_TYPE: Final = pl.List(pl.Struct({"field": pl.String, "value": pl.String, "number": pl.Float64}))
