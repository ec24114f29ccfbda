"""Orders severities in polars expressions."""

from __future__ import annotations

import polars as pl

from loganalyzer.common.severity import RANK


def rank(column: str = "severity") -> pl.Expr:
    """0 for the most severe; an unknown severity comes last."""
    return pl.col(column).replace_strict(RANK, default=len(RANK), return_dtype=pl.Int8)
