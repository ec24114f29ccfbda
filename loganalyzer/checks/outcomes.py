"""Rows of tables to findings: the shape that every rule's answer has."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.checks.registry import Outcome
from loganalyzer.tables import FINDINGS, NOT_CHECKED

FOUND: Final = pl.Schema({k: v for k, v in FINDINGS.items() if k not in ("rule", "name", "severity")})
SKIPPED: Final = pl.Schema({k: v for k, v in NOT_CHECKED.items() if k not in ("rule", "name")})
"""What a rule's function fills; the registry adds the rest."""
_UNTOLD: Final = "the log does not tell the figures"


def findings(
    rows: pl.DataFrame, *, message: pl.Expr, observed: pl.Expr, expected: pl.Expr, fix: pl.Expr
) -> pl.DataFrame:
    """One finding per row; `rows` has source and line, and run_id where it is about a run."""
    if rows.is_empty():
        return pl.DataFrame(schema=FOUND)
    run = pl.col("run_id") if "run_id" in rows.columns else pl.lit(None)
    return rows.select(
        run.cast(pl.String).alias("run_id"),
        pl.col("source").cast(pl.String),
        pl.col("line").cast(pl.Int64, strict=False),
        message.fill_null(_UNTOLD).alias("message"),
        observed.cast(pl.String).fill_null(_UNTOLD).alias("observed"),
        expected.cast(pl.String).fill_null(_UNTOLD).alias("expected"),
        fix.fill_null(_UNTOLD).alias("fix"),
    )


def at(rows: pl.DataFrame, place: str) -> pl.DataFrame:
    """`rows` with the line that shows the fault in place of the run's own, where it is known."""
    return rows.with_columns(pl.coalesce(place, "line").alias("line"))


def skipped(rows: pl.DataFrame, reason: str | pl.Expr) -> pl.DataFrame:
    """One row per run (or input) that could not be checked, with the reason."""
    if rows.is_empty():
        return pl.DataFrame(schema=SKIPPED)
    run = pl.col("run_id") if "run_id" in rows.columns else pl.lit(None)
    text = pl.lit(reason) if isinstance(reason, str) else reason
    return rows.select(run.cast(pl.String).alias("run_id"), pl.col("source").cast(pl.String), text.alias("reason"))


def outcome(found: pl.DataFrame | None = None, *not_checked: pl.DataFrame) -> Outcome:
    """An answer; absent parts are empty."""
    return Outcome(
        found if found is not None else pl.DataFrame(schema=FOUND),
        pl.concat(not_checked) if not_checked else pl.DataFrame(schema=SKIPPED),
    )


def number(value: str | pl.Expr, digits: int = 2) -> pl.Expr:
    """A figure as text with a fixed number of decimals; `?` where it is null."""
    expr = pl.col(value) if isinstance(value, str) else value
    scaled = expr.cast(pl.Float64).round(digits)
    if digits == 0:
        return scaled.cast(pl.Int64, strict=False).cast(pl.String).fill_null("?")
    whole = scaled.abs().floor().cast(pl.Int64, strict=False)
    part = (
        ((scaled.abs() - whole) * 10**digits)
        .round(0)
        .cast(pl.Int64, strict=False)
        .cast(pl.String)
        .str.pad_start(digits, "0")
    )
    sign = pl.when(scaled < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.concat_str([sign, whole.cast(pl.String), pl.lit("."), part]).fill_null("?")
