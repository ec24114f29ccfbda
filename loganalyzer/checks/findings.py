"""Builds the findings and the rows of `not_checked` that a rule returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple

import polars as pl

from loganalyzer.checks.rule import Context, Outcome
from loganalyzer.runs.planned import is_unknown_mode
from loganalyzer.tables.frames import filter_mask, repeat_text
from loganalyzer.tables.schema import FINDINGS, NOT_CHECKED

FOUND: Final = pl.Schema({k: v for k, v in FINDINGS.items() if k not in ("rule", "name", "severity")})
SKIPPED: Final = pl.Schema({k: v for k, v in NOT_CHECKED.items() if k not in ("rule", "name")})
"""The columns that a check fills; the registry adds those of the rule."""
_NO_FINDINGS: Final = pl.DataFrame(schema=FOUND)
_NONE_SKIPPED: Final = pl.DataFrame(schema=SKIPPED)
_NO_FIGURES: Final = "the figures are not in the log"
_UNKNOWN: Final = "unknown"


Kind = Literal["log", "configuration", "not-applicable"]
"""Why a rule did not judge a run: the log lacks data, no expectation is configured, or the rule is for other runs."""


class Need(NamedTuple):
    """A condition on the runs that a rule can judge, with the reason (and its kind) for runs that do not meet it.

    A reason with figures is a function: it is called only if a run does not meet the condition.
    """

    met: pl.Expr
    reason: str | Callable[[], pl.Expr]
    kind: Kind = "log"


class Texts(NamedTuple):
    """The texts of a finding. Without a fix of its own (None, or null in a row) a finding has its rule's `fix`."""

    message: pl.Expr
    observed: pl.Expr
    expected: pl.Expr
    fix: pl.Expr | None = None


def make_findings(rows: pl.DataFrame, wording: Callable[[], Texts]) -> pl.DataFrame:
    """Returns one finding per row; `rows` has source and line, and run_id if the finding is about a run.

    `wording` is called only if there is a row: most rules find nothing, and building the expressions takes longer
    than the check itself.
    """
    if rows.is_empty():
        return _NO_FINDINGS
    wanted = wording()
    fix = pl.lit(None) if wanted.fix is None else wanted.fix
    run = pl.col("run_id") if "run_id" in rows.columns else pl.lit(None)
    return rows.select(
        run.cast(pl.String).alias("run_id"),
        pl.col("source").cast(pl.String),
        pl.col("line").cast(pl.Int64, strict=False),
        wanted.message.fill_null(_NO_FIGURES).alias("message"),
        wanted.observed.cast(pl.String).fill_null(_NO_FIGURES).alias("observed"),
        wanted.expected.cast(pl.String).fill_null(_NO_FIGURES).alias("expected"),
        fix.cast(pl.String).alias("fix"),
    )


def at_line(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Returns `rows` with `line` taken from `column` (the line that shows the fault) where that is not null."""
    return rows if rows.is_empty() else rows.with_columns(pl.coalesce(column, "line").alias("line"))


def skip(rows: pl.DataFrame, reason: str | pl.Expr, kind: Kind = "log") -> pl.DataFrame:
    """Returns a row of `not_checked` for each run (or input), with the reason and its kind."""
    if rows.is_empty():
        return _NONE_SKIPPED
    if isinstance(reason, str) and "run_id" in rows.columns:
        constant = [repeat_text(name, text, rows.height) for name, text in (("reason", reason), ("kind", kind))]
        return rows[:, ["run_id", "source"]].hstack(constant)
    run = "run_id" if "run_id" in rows.columns else pl.lit(None, pl.String).alias("run_id")
    text = pl.lit(reason) if isinstance(reason, str) else reason.fill_null(_NO_FIGURES)
    return rows.select(run, "source", text.alias("reason"), pl.lit(kind).alias("kind"))


def split_by_needs(runs: pl.DataFrame, *needs: Need) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Returns the runs that meet every need, and rows of `not_checked` for the others.

    The reason is that of the first need that a run does not meet. A need that is null is not met: an unknown value
    counts neither as judged nor as passed.
    """
    if runs.is_empty():
        return runs, _NONE_SKIPPED
    masks = runs.select_seq(need.met.fill_null(value=False).alias(str(number)) for number, need in enumerate(needs))
    left: pl.Series | None = None
    unchecked = []
    for need, met in zip(needs, masks.get_columns(), strict=True):
        if met.all():
            continue
        unmet = ~met if left is None else left & ~met
        if unmet.any():
            unchecked.append((unmet.arg_true(), skip(filter_mask(runs, unmet), _reason_text(need.reason), need.kind)))
            left = met if left is None else left & met
    return (runs if left is None else filter_mask(runs, left)), _in_run_order(unchecked)


def _in_run_order(unchecked: Sequence[tuple[pl.Series, pl.DataFrame]]) -> pl.DataFrame:
    """Concatenates frames that come with their runs' row numbers, sorted by these."""
    if not unchecked:
        return _NONE_SKIPPED
    if len(unchecked) == 1:
        return unchecked[0][1]
    row_numbers = pl.concat([numbers for numbers, _ in unchecked])
    return pl.concat([rows for _, rows in unchecked])[row_numbers.arg_sort()]


def _reason_text(reason: str | Callable[[], pl.Expr]) -> str | pl.Expr:
    return reason if isinstance(reason, str) else reason()


def has_near_miss(context: Context, *patterns: str) -> pl.Expr:
    """Whether a run's input has a near miss of one of these patterns.

    If so, the absence of the message proves nothing.
    """
    misses = context.near.filter(pl.col("pattern").is_in(patterns))
    return pl.col("source").is_in(misses["source"].unique().implode())


def format_or_unknown(text: str, *parts: str | pl.Expr) -> pl.Expr:
    """Like `pl.format`, but a null part becomes `unknown` instead of making the text null."""
    exprs = (pl.col(part) if isinstance(part, str) else part for part in parts)
    return pl.format(text, *(expr.cast(pl.String).fill_null(_UNKNOWN) for expr in exprs))


def describe_mode() -> pl.Expr:
    """A run's mode as text: `mode infinitetalk`, or `the unknown mode …`."""
    unknown = pl.when(is_unknown_mode()).then(pl.lit("the unknown ")).otherwise(pl.lit(""))
    return pl.concat_str([unknown, format_or_unknown("mode {}", "mode")])


def describe_size() -> pl.Expr:
    """A run's width and height as text: `1280x720`, or `an unknown size`."""
    return pl.coalesce(pl.format("{}x{}", "width", "height"), pl.lit("an unknown size"))


def make_outcome(found: pl.DataFrame | None = None, *not_checked: pl.DataFrame) -> Outcome:
    """Returns an `Outcome`; absent parts are empty frames."""
    parts = [rows for rows in not_checked if not rows.is_empty()]
    return Outcome(_NO_FINDINGS if found is None else found, pl.concat(parts) if parts else _NONE_SKIPPED)


def format_number(value: str | pl.Expr, digits: int = 2) -> pl.Expr:
    """A number as text with a fixed count of decimals; `?` where it is null."""
    expr = pl.col(value) if isinstance(value, str) else value
    scaled = expr.cast(pl.Float64).round(digits)
    if digits == 0:
        return scaled.cast(pl.Int64, strict=False).cast(pl.String).fill_null("?")
    integer = scaled.abs().floor().cast(pl.Int64, strict=False)
    decimals = (
        ((scaled.abs() - integer) * 10**digits)
        .round(0)
        .cast(pl.Int64, strict=False)
        .cast(pl.String)
        .str.pad_start(digits, "0")
    )
    sign = pl.when(scaled < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.concat_str([sign, integer.cast(pl.String), pl.lit("."), decimals]).fill_null("?")
