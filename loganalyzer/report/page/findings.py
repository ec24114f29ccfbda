"""The findings by rule, each with what was seen, what was expected, what to change, and the lines that prove it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from loganalyzer.checks.registry import rules
from loganalyzer.common import formatting
from loganalyzer.report import words
from loganalyzer.report.facts import gravity
from loganalyzer.report.model import Cell, Column, Finding, First, Group, Mark, Table
from loganalyzer.report.page.evidence import Excerpts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from loganalyzer.report.facts import Places, Row
    from loganalyzer.tables.analysis import Analysis

MOST_IN_FULL: Final = {"error": 8, "warning": 8, "info": 2}
MOST_IN_ROWS: Final = 100
MOST_FIRST: Final = 4
"""Rules named on the first screen."""
_RULE = re.compile(r"[A-Z]{3}[0-9]{3}")


class Links(NamedTuple):
    """Where findings lead: to their run's part of the page, to their place in a log, to the log's lines."""

    runs: Mapping[str, str]
    places: Places
    excerpts: Excerpts


def mark(severity: str) -> Mark:
    """A severity as an icon and a word."""
    known = severity if severity in MOST_IN_FULL else "info"
    return Mark({"info": "note"}.get(known, known), known)


def groups(
    analysis: Analysis, runs: Mapping[str, str], places: Places, folders: tuple[Path, ...] = ()
) -> tuple[Group, ...]:
    """One group per rule, the gravest first.

    `runs` has the link of each run that has a part of its own; `folders` hold further message patterns.
    """
    found: dict[str, list[Row]] = {}
    for row in analysis.findings.iter_rows(named=True):
        found.setdefault(words.told(row["rule"]), []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: gravity(row["severity"]))
    ordered = [found[rule] for rule in sorted(found, key=lambda rule: (gravity(found[rule][0]["severity"]), rule))]
    shown = [row for rows in ordered for row in rows[: _most(rows)]]
    cited = [(row["source"], row["line"]) for row in shown if None not in (row["source"], row["line"])]
    links = Links(runs, places, Excerpts(analysis.excerpts, analysis.near_misses, cited, folders))
    anchors = _anchors([words.told(rows[0]["rule"]) for rows in ordered])
    numbers = [analysis.totals.rule(rows[0]["rule"]) for rows in ordered]
    return tuple(
        _group(anchor, rows, number, links) for anchor, rows, number in zip(anchors, ordered, numbers, strict=True)
    )


def _anchors(rules: Sequence[str]) -> list[str]:
    """The rules' ids as places on the page, so that a link says what it leads to; numbers where an id is no rule's."""
    return [rule if _RULE.fullmatch(rule) else f"rule-{number}" for number, rule in enumerate(rules, 1)]


def first(groups: Sequence[Group]) -> tuple[First, ...]:
    """What to do first: the gravest finding of each rule, with how many more are like it."""
    grave = [group for group in groups if group.mark.kind != "info"]
    return tuple(
        First(
            group.mark,
            group.findings[0].message,
            group.findings[0].fix,
            group.findings[0].place,
            f"#{group.anchor}",
            _others(group),
        )
        for group in grave[:MOST_FIRST]
    )


def _others(group: Group) -> str:
    more = len(group.findings) - 1 + (len(group.more.rows) if group.more else 0)
    if group.more and group.more.rest:
        return f"{group.count} of this rule"
    return f"and {more:,} more of this rule" if more else ""


def _most(rows: Sequence[Row]) -> int:
    return MOST_IN_FULL.get(rows[0]["severity"], 2)


def _group(anchor: str, rows: Sequence[Row], number: int, links: Links) -> Group:
    """A rule's findings, of which there are so many; `rows` are those that are held."""
    most = _most(rows)
    known = rules().get(rows[0]["rule"])
    return Group(
        anchor,
        words.told(rows[0]["rule"]),
        words.told(rows[0]["name"]),
        mark(rows[0]["severity"]),
        formatting.plural(number, "finding"),
        known.summary.replace("`", "") if known else "",
        known.why.replace("`", "") if known else "",
        tuple(_finding(f"{anchor}-{index}", row, links) for index, row in enumerate(rows[:most], 1)),
        _more(rows[most:], number - most, links) if len(rows) > most else None,
    )


def _finding(anchor: str, row: Row, links: Links) -> Finding:
    return Finding(
        anchor,
        mark(row["severity"]),
        words.told(row["message"]),
        links.places(row["source"], row["line"]),
        links.runs.get(row["run_id"], ""),
        words.told(row["observed"]),
        words.told(row["expected"]),
        words.told(row["fix"]),
        links.excerpts.of(row["source"], row["line"]),
    )


def _command(rule: object, *, all_held: bool) -> str:
    """Shows every finding of a rule."""
    command = words.ALL if all_held else words.FROM_LOGS
    return f"{command} --select {rule}" if _RULE.fullmatch(str(rule)) else command


def _more(rows: Sequence[Row], number: int, links: Links) -> Table:
    """The others, of which there are so many."""
    shown = rows[:MOST_IN_ROWS]
    return Table(
        f"Further findings of {words.told(rows[0]['rule'])}",
        (Column("Where"), Column("What")),
        tuple(
            (
                Cell(links.places(row["source"], row["line"]), href=links.runs.get(row["run_id"], ""), code=True),
                Cell(words.told(row["message"]), kind=mark(row["severity"]).kind),
            )
            for row in shown
        ),
        words.left_out(number - len(shown), "finding"),
        _command(rows[0]["rule"], all_held=number <= len(rows)),
    )
