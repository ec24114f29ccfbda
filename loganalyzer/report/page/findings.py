"""Builds the findings section: per cause, each finding with observed and expected values, the fix and its log lines."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from loganalyzer.checks.causes import Cause, group_by_cause
from loganalyzer.checks.registry import rules
from loganalyzer.common import formatting
from loganalyzer.report import words
from loganalyzer.report.model import Cell, Column, Finding, FirstStep, Group, Mark, Table
from loganalyzer.report.page.evidence import Excerpts
from loganalyzer.report.ways import split_fix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from loganalyzer.report.facts import Places, Row
    from loganalyzer.tables.analysis import Analysis

MOST_IN_FULL: Final = {"error": 5, "warning": 5, "info": 2}
MOST_IN_ROWS: Final = 100
MOST_OTHERS: Final = 10
"""Findings of other rules that a cause lists."""
MOST_FIRST_STEPS: Final = 3
"""Entries of the list "What to do first"."""
_RULE_ID = re.compile(r"[A-Z]{3}[0-9]{3}")


class Links(NamedTuple):
    """Link targets by run_id, names of places in logs, and evidence."""

    runs: Mapping[str, str]
    places: Places
    excerpts: Excerpts


def severity_mark(severity: str) -> Mark:
    """The icon and word of a severity. An unknown severity counts as a note."""
    known = severity if severity in MOST_IN_FULL else "info"
    return Mark({"info": "note"}.get(known, known), known)


def group_findings(
    analysis: Analysis, runs: Mapping[str, str], places: Places, folders: tuple[Path, ...] = ()
) -> tuple[Group, ...]:
    """One group per cause, the most severe first.

    `runs` has a link for each run with its own details section. `folders` contain additional message patterns.
    """
    found = group_by_cause(analysis.findings)
    leading = [cause.first.to_dicts() for cause in found]
    shown = [row for rows in leading for row in rows[: _most_in_full(rows)]]
    cited = [(row["source"], row["line"]) for row in shown if None not in (row["source"], row["line"])]
    links = Links(runs, places, Excerpts(analysis.excerpts, analysis.near_misses, cited, folders))
    anchors = _rule_anchors([words.or_dash(rows[0]["rule"]) for rows in leading])
    numbers: Counter[str] = Counter()
    return tuple(
        _build_group(anchor, cause, rows, _count_findings(analysis, rows), links, numbers)
        for anchor, cause, rows in zip(anchors, found, leading, strict=True)
    )


def _count_findings(analysis: Analysis, rows: Sequence[Row]) -> int:
    """How many findings of the leading rule there are under this cause, also if the page holds a part of them."""
    rule = rows[0]["rule"]
    held = analysis.findings.filter(pl.col("rule").eq_missing(pl.lit(rule, pl.String))).height
    return len(rows) + max(analysis.totals.rule(rule) - held, 0)


def _rule_anchors(rules: Sequence[str]) -> list[str]:
    """Anchors of the groups: the rule id, or a number if a document contains something else as its id."""
    return [rule if _RULE_ID.fullmatch(rule) else f"rule-{number}" for number, rule in enumerate(rules, 1)]


def first_steps(groups: Sequence[Group]) -> tuple[FirstStep, ...]:
    """What to do first: the first finding of each cause except notes, with its cheapest fix."""
    severe = [group for group in groups if group.mark.kind != "info"]
    return tuple(
        FirstStep(
            group.mark,
            group.title,
            group.findings[0].message,
            group.findings[0].ways[0],
            group.findings[0].place,
            f"#{group.anchor}",
            _count_others(group),
        )
        for group in severe[:MOST_FIRST_STEPS]
    )


def _count_others(group: Group) -> str:
    more = len(group.findings) - 1 + (len(group.more.rows) if group.more else 0)
    if group.more and group.more.rest:
        return f"first of {group.count}"
    return f"and {more:,} more" if more else ""


def _most_in_full(rows: Sequence[Row]) -> int:
    return MOST_IN_FULL.get(rows[0]["severity"], 2)


def _build_group(
    anchor: str, cause: Cause, rows: Sequence[Row], number: int, links: Links, numbers: Counter[str]
) -> Group:
    """The group of one cause.

    `rows` are the findings of its leading rule in the analysis, `number` counts all of them. `numbers` counts the
    findings of each rule that have an anchor.
    """
    most = _most_in_full(rows)
    known = rules().get(rows[0]["rule"])
    others = cause.findings.filter(pl.col("rule").fill_null("") != cause.rule).head(MOST_OTHERS)
    return Group(
        anchor,
        words.or_dash(rows[0]["rule"]),
        words.or_dash(rows[0]["name"]),
        words.visible(cause.title[:1].upper() + cause.title[1:]),
        tuple(words.or_dash(rule) for rule in cause.rules),
        severity_mark(cause.severity),
        formatting.plural(number, "finding"),
        known.summary.replace("`", "") if known else "",
        known.why.replace("`", "") if known else "",
        tuple(_build_finding(_next_anchor(anchor, numbers), row, links) for row in rows[:most]),
        _rest_table(rows[most:], number - most, links) if len(rows) > most else None,
        tuple(
            _build_finding(
                _next_anchor(_rule_anchors([words.or_dash(row["rule"])])[0], numbers), row, links, cite=False
            )
            for row in others.iter_rows(named=True)
        ),
    )


def _next_anchor(anchor: str, numbers: Counter[str]) -> str:
    """`AUD001-1`, `AUD001-2`, … in the order of the page."""
    numbers[anchor] += 1
    return f"{anchor}-{numbers[anchor]}"


def _build_finding(anchor: str, row: Row, links: Links, *, cite: bool = True) -> Finding:
    ways = split_fix(row["fix"])
    return Finding(
        anchor,
        words.or_dash(row["rule"]),
        severity_mark(row["severity"]),
        words.or_dash(row["message"]),
        links.places(row["source"], row["line"]),
        links.runs.get(row["run_id"], ""),
        words.or_dash(row["observed"]),
        words.or_dash(row["expected"]),
        " ".join(" ".join((f"{way.text}:" if way.commands else way.text, *way.commands)) for way in ways),
        ways,
        links.excerpts.find(row["source"], row["line"]) if cite else None,
    )


def _list_command(rule: object, *, is_complete: bool) -> str:
    """The command that shows every finding of a rule; `is_complete` if the report contains them all."""
    command = words.ALL_ROWS_COMMAND if is_complete else words.FROM_LOGS_COMMAND
    return f"{command} --select {rule}" if _RULE_ID.fullmatch(str(rule)) else command


def _rest_table(rows: Sequence[Row], number: int, links: Links) -> Table:
    """The findings that are not shown in full. `number` counts them all; the table has at most 100."""
    shown = rows[:MOST_IN_ROWS]
    return Table(
        f"More findings of {words.or_dash(rows[0]['rule'])}",
        (Column("Where"), Column("Message")),
        tuple(
            (
                Cell(links.places(row["source"], row["line"]), href=links.runs.get(row["run_id"], ""), code=True),
                Cell(words.or_dash(row["message"]), kind=severity_mark(row["severity"]).kind),
            )
            for row in shown
        ),
        words.describe_rest(number - len(shown), "finding"),
        _list_command(rows[0]["rule"], is_complete=number <= len(rows)),
    )
