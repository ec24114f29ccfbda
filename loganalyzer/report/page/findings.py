"""Builds the findings section: per rule, each finding with observed and expected values, the fix and its log lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from loganalyzer.checks.registry import rules
from loganalyzer.common import formatting
from loganalyzer.report import words
from loganalyzer.report.facts import severity_rank
from loganalyzer.report.model import Cell, Column, Finding, FirstStep, Group, Mark, Table
from loganalyzer.report.page.evidence import Excerpts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from loganalyzer.report.facts import Places, Row
    from loganalyzer.tables.analysis import Analysis

MOST_IN_FULL: Final = {"error": 8, "warning": 8, "info": 2}
MOST_IN_ROWS: Final = 100
MOST_FIRST_STEPS: Final = 4
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
    """One group per rule, the most severe first.

    `runs` has a link for each run with its own details section. `folders` contain additional message patterns.
    """
    found: dict[str, list[Row]] = {}
    for row in analysis.findings.iter_rows(named=True):
        found.setdefault(words.or_dash(row["rule"]), []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: severity_rank(row["severity"]))
    ordered = [
        found[rule] for rule in sorted(found, key=lambda rule: (severity_rank(found[rule][0]["severity"]), rule))
    ]
    shown = [row for rows in ordered for row in rows[: _most_in_full(rows)]]
    cited = [(row["source"], row["line"]) for row in shown if None not in (row["source"], row["line"])]
    links = Links(runs, places, Excerpts(analysis.excerpts, analysis.near_misses, cited, folders))
    anchors = _rule_anchors([words.or_dash(rows[0]["rule"]) for rows in ordered])
    numbers = [analysis.totals.rule(rows[0]["rule"]) for rows in ordered]
    return tuple(
        _build_group(anchor, rows, number, links)
        for anchor, rows, number in zip(anchors, ordered, numbers, strict=True)
    )


def _rule_anchors(rules: Sequence[str]) -> list[str]:
    """Anchors of the rules' groups: the rule id, or a number if a document contains something else as its id."""
    return [rule if _RULE_ID.fullmatch(rule) else f"rule-{number}" for number, rule in enumerate(rules, 1)]


def first_steps(groups: Sequence[Group]) -> tuple[FirstStep, ...]:
    """What to do first: the most severe finding of each rule except notes, with the number of similar ones."""
    severe = [group for group in groups if group.mark.kind != "info"]
    return tuple(
        FirstStep(
            group.mark,
            group.findings[0].message,
            group.findings[0].fix,
            group.findings[0].place,
            f"#{group.anchor}",
            _count_others(group),
        )
        for group in severe[:MOST_FIRST_STEPS]
    )


def _count_others(group: Group) -> str:
    more = len(group.findings) - 1 + (len(group.more.rows) if group.more else 0)
    if group.more and group.more.rest:
        return f"{group.count} of this rule"
    return f"and {more:,} more of this rule" if more else ""


def _most_in_full(rows: Sequence[Row]) -> int:
    return MOST_IN_FULL.get(rows[0]["severity"], 2)


def _build_group(anchor: str, rows: Sequence[Row], number: int, links: Links) -> Group:
    """The group of one rule. `rows` are the findings in the analysis, `number` counts all of them."""
    most = _most_in_full(rows)
    known = rules().get(rows[0]["rule"])
    return Group(
        anchor,
        words.or_dash(rows[0]["rule"]),
        words.or_dash(rows[0]["name"]),
        severity_mark(rows[0]["severity"]),
        formatting.plural(number, "finding"),
        known.summary.replace("`", "") if known else "",
        known.why.replace("`", "") if known else "",
        tuple(_build_finding(f"{anchor}-{index}", row, links) for index, row in enumerate(rows[:most], 1)),
        _rest_table(rows[most:], number - most, links) if len(rows) > most else None,
    )


def _build_finding(anchor: str, row: Row, links: Links) -> Finding:
    return Finding(
        anchor,
        severity_mark(row["severity"]),
        words.or_dash(row["message"]),
        links.places(row["source"], row["line"]),
        links.runs.get(row["run_id"], ""),
        words.or_dash(row["observed"]),
        words.or_dash(row["expected"]),
        words.or_dash(row["fix"]),
        links.excerpts.find(row["source"], row["line"]),
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
