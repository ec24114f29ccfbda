"""Groups findings by cause: one group per fault, however many rules find it and however many runs have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from loganalyzer.checks.registry import leading_rules, rules
from loganalyzer.common.severity import RANK, SEVERE
from loganalyzer.tables.severity import rank

_LEADING: Final = "leading"


@dataclass(frozen=True, eq=False)
class Cause:
    """One cause with its findings.

    Attributes:
        rule: the rule that names it.
        title: the cause in a few words.
        severity: the highest severity of its findings.
        rules: every rule that finds it, the leading one first.
        first: the findings of the leading rule, in order: one per run, or one per place outside runs.
        findings: all its findings.
        runs: ids of the runs that have it, in the order of the findings.
    """

    rule: str
    title: str
    severity: str
    rules: tuple[str, ...]
    first: pl.DataFrame
    findings: pl.DataFrame
    runs: tuple[str, ...]


def group_by_cause(findings: pl.DataFrame) -> tuple[Cause, ...]:
    """Returns the causes of these findings, the most severe first, otherwise in the order of the findings."""
    if findings.is_empty():
        return ()
    parts = findings.with_columns(_leading_column(findings)).partition_by(_LEADING, maintain_order=True)
    return tuple(sorted(map(_build_cause, parts), key=lambda cause: _rank(cause.severity)))


def main_causes(findings: pl.DataFrame) -> pl.DataFrame:
    """Returns the most severe cause of each run: run_id, severity, text (the cause with its numbers), others.

    `others` counts the run's further causes that are errors or warnings.
    """
    grouped = findings.with_columns(_leading_column(findings), rank().alias("rank")).filter(
        pl.col("run_id").is_not_null()
    )
    texts = {item.id: item.cause for item in rules().values() if item.cause}
    words = pl.col("rule").replace_strict(texts, default=pl.col("name").str.replace_all("-", " ")).fill_null("unknown")
    figures = {name: pl.col(name).fill_null("?").str.split(" (").list.first() for name in ("observed", "expected")}
    for name, figure in figures.items():
        words = words.str.replace(f"{{{name}}}", figure, literal=True)
    by_cause = grouped.group_by("run_id", _LEADING, maintain_order=True).agg(
        pl.col("rank").min(),
        pl.col("severity").sort_by("rank").first(),
        words.filter(pl.col("rule") == pl.col(_LEADING)).first().alias("text"),
    )
    return (
        by_cause.sort("rank", maintain_order=True)
        .group_by("run_id", maintain_order=True)
        .agg(
            pl.col("severity", "text").first(),
            ((pl.col("rank") < len(SEVERE)).sum().cast(pl.Int64) - 1).clip(0).alias("others"),
        )
    )


def _leading_column(findings: pl.DataFrame) -> pl.Series:
    return leading_rules(findings).fill_null("").alias(_LEADING)


def _rank(severity: str) -> int:
    return RANK.get(severity, len(RANK))


def _build_cause(findings: pl.DataFrame) -> Cause:
    """The cause that these findings share."""
    rule = str(findings[_LEADING][0])
    members = findings.drop(_LEADING)
    own = pl.col("rule").fill_null("") == rule
    known = rules().get(rule)
    first = members.filter(own)
    others = sorted(set(members.filter(~own)["rule"].to_list()))
    name = first["name"][0] or "unknown"
    return Cause(
        rule,
        known.cause.split(":")[0] if known and known.cause else str(name).replace("-", " "),
        min(members["severity"].fill_null("").to_list(), key=_rank),
        (rule, *others),
        first,
        members,
        tuple(members["run_id"].drop_nulls().unique(maintain_order=True)),
    )
