"""Findings by cause: what is wrong once, however many rules see it and however many runs have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from loganalyzer.checks.registry import leading, rules

_ORDER: Final = {"error": 0, "warning": 1, "info": 2}
_LEADING: Final = "leading"


@dataclass(frozen=True, eq=False)
class Cause:
    """One cause.

    Attributes:
        rule: the rule that names it.
        title: the cause in a few words.
        severity: the most severe of its findings'.
        rules: every rule that sees it, the leading one first.
        first: the findings of the leading rule, in their order: one for each run, or for each place outside of runs.
        findings: all its findings.
        runs: the runs that have it, in the order of the findings.
    """

    rule: str
    title: str
    severity: str
    rules: tuple[str, ...]
    first: pl.DataFrame
    findings: pl.DataFrame
    runs: tuple[str, ...]


def causes(findings: pl.DataFrame) -> tuple[Cause, ...]:
    """The causes of these findings, the most severe first, else in the order of the findings."""
    if findings.is_empty():
        return ()
    parts = findings.with_columns(_led(findings)).partition_by(_LEADING, maintain_order=True)
    return tuple(sorted(map(_cause, parts), key=lambda cause: _rank(cause.severity)))


def main_causes(findings: pl.DataFrame) -> pl.DataFrame:
    """Of each run its most severe cause: run_id, severity, said (the cause in words with its figures), others.

    `others` counts the run's further causes that are errors or warnings.
    """
    led = findings.with_columns(_led(findings), _ranks().alias("rank")).filter(pl.col("run_id").is_not_null())
    texts = {item.id: item.cause for item in rules().values() if item.cause}
    words = pl.col("rule").replace_strict(texts, default=pl.col("name").str.replace_all("-", " ")).fill_null("unknown")
    figures = {name: pl.col(name).fill_null("?").str.split(" (").list.first() for name in ("observed", "expected")}
    for name, figure in figures.items():
        words = words.str.replace(f"{{{name}}}", figure, literal=True)
    by_cause = led.group_by("run_id", _LEADING, maintain_order=True).agg(
        pl.col("rank").min(),
        pl.col("severity").sort_by("rank").first(),
        words.filter(pl.col("rule") == pl.col(_LEADING)).first().alias("said"),
    )
    return (
        by_cause.sort("rank", maintain_order=True)
        .group_by("run_id", maintain_order=True)
        .agg(
            pl.col("severity", "said").first(),
            ((pl.col("rank") < _ORDER["info"]).sum().cast(pl.Int64) - 1).clip(0).alias("others"),
        )
    )


def _led(findings: pl.DataFrame) -> pl.Series:
    return leading(findings).fill_null("").alias(_LEADING)


def _ranks() -> pl.Expr:
    return pl.col("severity").replace_strict(_ORDER, default=len(_ORDER), return_dtype=pl.Int64)


def _rank(severity: str) -> int:
    return _ORDER.get(severity, len(_ORDER))


def _cause(findings: pl.DataFrame) -> Cause:
    """The cause that these findings share."""
    rule = str(findings[_LEADING][0])
    rest = findings.drop(_LEADING)
    own = pl.col("rule").fill_null("") == rule
    known = rules().get(rule)
    first = rest.filter(own)
    others = sorted(set(rest.filter(~own)["rule"].to_list()))
    name = first["name"][0] or "unknown"
    return Cause(
        rule,
        known.cause.split(":")[0] if known and known.cause else str(name).replace("-", " "),
        min(rest["severity"].fill_null("").to_list(), key=_rank),
        (rule, *others),
        first,
        rest,
        tuple(rest["run_id"].drop_nulls().unique(maintain_order=True)),
    )
