"""Reads the quantization from the name of a model file."""

from __future__ import annotations

import polars as pl

from loganalyzer.expectations.names import QUANTIZATION


def quantization_in_name(name: str, words: tuple[str, ...]) -> pl.Expr:
    """The quantization in the file names of column `name`: a GGUF type, else the first known word."""
    lower = pl.col(name).str.to_lowercase()
    matches = [pl.when(lower.str.contains(word, literal=True)).then(pl.lit(word)) for word in words]
    return pl.coalesce(pl.col(name).str.extract(QUANTIZATION, 1).str.to_uppercase(), *matches)
