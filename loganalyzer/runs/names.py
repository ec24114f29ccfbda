"""What the names of model files tell."""

from __future__ import annotations

import polars as pl

from loganalyzer.expectations.names import QUANTIZATION


def precision(name: str, words: tuple[str, ...]) -> pl.Expr:
    """The quantization in a file's name: of a GGUF file as in `expectations.names`, else the first of known words."""
    lower = pl.col(name).str.to_lowercase()
    told = [pl.when(lower.str.contains(word, literal=True)).then(pl.lit(word)) for word in words]
    return pl.coalesce(pl.col(name).str.extract(QUANTIZATION, 1).str.to_uppercase(), *told)
