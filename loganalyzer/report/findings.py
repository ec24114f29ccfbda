"""The findings by rule, each with what was seen, what was expected, what to change, and the lines that prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from loganalyzer import units
from loganalyzer.checks.registry import rules
from loganalyzer.report import words
from loganalyzer.report.evidence import Excerpts
from loganalyzer.report.facts import gravity
from loganalyzer.report.model import Cell, Column, Finding, First, Group, Mark, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loganalyzer.analysis import Analysis
    from loganalyzer.report.facts import Places, Row

MOST_IN_FULL: Final = {"error": 8, "warning": 8, "info": 2}
MOST_IN_ROWS: Final = 100
MOST_FIRST: Final = 4
"""Rules named on the first screen."""


class Links(NamedTuple):
    """Where findings lead: to their run's part of the page, to their place in a log, to the log's lines."""

    runs: Mapping[str, str]
    places: Places
    excerpts: Excerpts


def mark(severity: str) -> Mark:
    """A severity as an icon and a word."""
    known = severity if severity in MOST_IN_FULL else "info"
    return Mark({"info": "note"}.get(known, known), known)


def groups(analysis: Analysis, runs: Mapping[str, str], places: Places) -> tuple[Group, ...]:
    """One group per rule, the gravest first; `runs` has the link of each run that has a part of its own."""
    found: dict[str, list[Row]] = {}
    for row in analysis.findings.iter_rows(named=True):
        found.setdefault(words.told(row["rule"]), []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: gravity(row["severity"]))
    ordered = [found[rule] for rule in sorted(found, key=lambda rule: (gravity(found[rule][0]["severity"]), rule))]
    shown = [row["source"] for rows in ordered for row in rows[: _most(rows)] if row["source"] is not None]
    links = Links(runs, places, Excerpts(analysis.excerpts, shown))
    return tuple(_group(number, rows, links) for number, rows in enumerate(ordered, 1))


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


def _group(number: int, rows: Sequence[Row], links: Links) -> Group:
    anchor = f"rule-{number}"
    most = _most(rows)
    known = rules().get(rows[0]["rule"])
    return Group(
        anchor,
        words.told(rows[0]["rule"]),
        words.told(rows[0]["name"]),
        mark(rows[0]["severity"]),
        units.plural(len(rows), "finding"),
        known.summary.replace("`", "") if known else "",
        known.why.replace("`", "") if known else "",
        tuple(_finding(f"{anchor}-{index}", row, links) for index, row in enumerate(rows[:most], 1)),
        _more(rows[most:], links) if len(rows) > most else None,
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


def _more(rows: Sequence[Row], links: Links) -> Table:
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
        words.left_out(len(rows) - len(shown), "finding"),
    )
