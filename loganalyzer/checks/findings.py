"""Rows of tables to findings: the shape that every rule's answer has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple, TypedDict

import polars as pl

from loganalyzer.checks.registry import Context, Outcome
from loganalyzer.runs.planned import is_unknown_mode
from loganalyzer.tables.frames import filter_mask, repeat_text
from loganalyzer.tables.schema import FINDINGS, NOT_CHECKED

FOUND: Final = pl.Schema({k: v for k, v in FINDINGS.items() if k not in ("rule", "name", "severity")})
SKIPPED: Final = pl.Schema({k: v for k, v in NOT_CHECKED.items() if k not in ("rule", "name")})
"""What a rule's function fills; the registry adds the rest."""
_NO_FINDINGS: Final = pl.DataFrame(schema=FOUND)
_NONE_SKIPPED: Final = pl.DataFrame(schema=SKIPPED)
_UNTOLD: Final = "the log does not tell the figures"
_UNKNOWN: Final = "unknown"


Kind = Literal["log", "configuration", "not-applicable"]
"""Why a rule did not judge: the log lacks something; nothing is configured to compare with; it is about other runs."""


class Need(NamedTuple):
    """What must hold of a run for a rule to judge it, and the reason and its kind where it does not.

    As with findings, words that hold figures are asked only where a run lacks what is needed.
    """

    met: pl.Expr
    reason: str | Callable[[], pl.Expr]
    kind: Kind = "log"


class Texts(TypedDict):
    """What a finding says."""

    message: pl.Expr
    observed: pl.Expr
    expected: pl.Expr
    fix: pl.Expr


def texts(*, message: pl.Expr, observed: pl.Expr, expected: pl.Expr, fix: pl.Expr) -> Texts:
    """What a finding says."""
    return Texts(message=message, observed=observed, expected=expected, fix=fix)


def findings(rows: pl.DataFrame, wording: Callable[[], Texts]) -> pl.DataFrame:
    """One finding per row; `rows` has source and line, and run_id where it is about a run.

    `wording` is asked only where there is a row: most rules find nothing, and it takes longer to put the words of a
    finding together than to see that there is none.
    """
    if rows.is_empty():
        return _NO_FINDINGS
    said = wording()
    run = pl.col("run_id") if "run_id" in rows.columns else pl.lit(None)
    return rows.select(
        run.cast(pl.String).alias("run_id"),
        pl.col("source").cast(pl.String),
        pl.col("line").cast(pl.Int64, strict=False),
        said["message"].fill_null(_UNTOLD).alias("message"),
        said["observed"].cast(pl.String).fill_null(_UNTOLD).alias("observed"),
        said["expected"].cast(pl.String).fill_null(_UNTOLD).alias("expected"),
        said["fix"].fill_null(_UNTOLD).alias("fix"),
    )


def at(rows: pl.DataFrame, place: str) -> pl.DataFrame:
    """`rows` with the line that shows the fault in place of the run's own, where it is known."""
    return rows if rows.is_empty() else rows.with_columns(pl.coalesce(place, "line").alias("line"))


def skipped(rows: pl.DataFrame, reason: str | pl.Expr, kind: Kind = "log") -> pl.DataFrame:
    """One row per run (or input) that could not be checked, with the reason and its kind."""
    if rows.is_empty():
        return _NONE_SKIPPED
    if isinstance(reason, str) and "run_id" in rows.columns:
        constant = [repeat_text(name, text, rows.height) for name, text in (("reason", reason), ("kind", kind))]
        return rows[:, ["run_id", "source"]].hstack(constant)
    run = "run_id" if "run_id" in rows.columns else pl.lit(None, pl.String).alias("run_id")
    text = pl.lit(reason) if isinstance(reason, str) else reason.fill_null(_UNTOLD)
    return rows.select(run, "source", text.alias("reason"), pl.lit(kind).alias("kind"))


def judged(runs: pl.DataFrame, *needs: Need) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The runs that meet every need, and the others as not checked, with the reason of the first that they do not meet.

    A need that is null is not met: what is unknown counts neither as judged nor as passed.
    """
    if runs.is_empty():
        return runs, _NONE_SKIPPED
    masks = runs.select_seq(need.met.fill_null(value=False).alias(str(place)) for place, need in enumerate(needs))
    left: pl.Series | None = None
    barred = []
    for need, met in zip(needs, masks.get_columns(), strict=True):
        if met.all():
            continue
        unmet = ~met if left is None else left & ~met
        if unmet.any():
            barred.append((unmet.arg_true(), skipped(filter_mask(runs, unmet), _text(need.reason), need.kind)))
            left = met if left is None else left & met
    return (runs if left is None else filter_mask(runs, left)), _in_the_order_of_runs(barred)


def _in_the_order_of_runs(barred: Sequence[tuple[pl.Series, pl.DataFrame]]) -> pl.DataFrame:
    """Rows that came with their places, in the order of these."""
    if not barred:
        return _NONE_SKIPPED
    if len(barred) == 1:
        return barred[0][1]
    places = pl.concat([place for place, _ in barred])
    return pl.concat([rows for _, rows in barred])[places.arg_sort()]


def _text(reason: str | Callable[[], pl.Expr]) -> str | pl.Expr:
    return reason if isinstance(reason, str) else reason()


def is_near(context: Context, *patterns: str) -> pl.Expr:
    """Whether a line of a run's input is a near miss of one of these patterns.

    Then nothing follows from the message's absence.
    """
    misses = context.near.filter(pl.col("pattern").is_in(patterns))
    return pl.col("source").is_in(misses["source"].unique().implode())


def worded(text: str, *parts: str | pl.Expr) -> pl.Expr:
    """`pl.format`, which is null where a single part is, with `unknown` in place of such a part."""
    exprs = (pl.col(part) if isinstance(part, str) else part for part in parts)
    return pl.format(text, *(expr.cast(pl.String).fill_null(_UNKNOWN) for expr in exprs))


def mode() -> pl.Expr:
    """A run's mode in words."""
    unknown = pl.when(is_unknown_mode()).then(pl.lit("the unknown ")).otherwise(pl.lit(""))
    return pl.concat_str([unknown, worded("mode {}", "mode")])


def size() -> pl.Expr:
    """A run's width and height in words."""
    return pl.coalesce(pl.format("{}x{}", "width", "height"), pl.lit("an unknown size"))


def outcome(found: pl.DataFrame | None = None, *not_checked: pl.DataFrame) -> Outcome:
    """An answer; absent parts are empty."""
    left = [rows for rows in not_checked if not rows.is_empty()]
    return Outcome(_NO_FINDINGS if found is None else found, pl.concat(left) if left else _NONE_SKIPPED)


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
