"""Defines the page model: frozen records of formatted strings, which the templates show as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loganalyzer.report.ways import Way

Kind = str
"""`error`, `warning`, `info`, `ok` or `muted`: selects an icon and a color. A word always comes with the color."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A word with an icon."""

    word: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: the content.
        note: small print below the text.
        href: a link target on this page.
        kind: selects an icon and a color; empty for neither.
        code: whether the text comes from a log or is a name, and is set in a fixed-width font.
        svg: a small figure above the text.
    """

    text: str
    note: str = ""
    href: str = ""
    kind: Kind = ""
    code: bool = False
    svg: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. Numbers are right-aligned."""

    title: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table in its own container, which scrolls on narrow screens.

    Attributes:
        caption: the container's name for screen readers.
        rest: a sentence about the rows that are left out, or empty.
        command: the command that shows those rows.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    rest: str = ""
    command: str = ""

    @property
    def numbers(self) -> bool:
        """Whether every column is right-aligned. One class on the table then replaces a class per cell."""
        return all(column.number for column in self.columns)


@dataclass(frozen=True, slots=True)
class Pair:
    """A term and its value or definition."""

    term: str
    text: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: SVG text, its title, the caption below it, and whether it takes the full width of the page."""

    title: str
    svg: str
    caption: str
    wide: bool = False


@dataclass(frozen=True, slots=True)
class LogLine:
    """A log line. `hit` marks the line that proves the finding; its message spans `begin` to `end`."""

    number: str
    text: str
    hit: bool
    begin: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Lines of one log that prove a finding, with their context."""

    source: str
    lines: tuple[LogLine, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding in full. `fix` has all ways in one text, `ways` one by one."""

    anchor: str
    rule: str
    mark: Mark
    message: str
    place: str
    run_href: str
    observed: str
    expected: str
    fix: str
    ways: tuple[Way, ...]
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one cause.

    Attributes:
        rule, name: the rule that names the cause.
        title: the cause in a few words.
        rules: every rule that sees it, the leading one first.
        findings: findings of the leading rule in full; those that are not are rows of `more`.
        others: findings of the other rules, which follow from the same cause.
    """

    anchor: str
    rule: str
    name: str
    title: str
    rules: tuple[str, ...]
    mark: Mark
    count: str
    summary: str
    why: str
    findings: tuple[Finding, ...]
    more: Table | None
    others: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class FirstStep:
    """An entry of the list "What to do first"."""

    mark: Mark
    title: str
    message: str
    way: Way
    place: str
    href: str
    others: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The first screen of the page."""

    mark: Mark
    headline: str
    lead: str
    counts: tuple[Pair, ...]
    notices: tuple[str, ...]
    first: tuple[FirstStep, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One run in full."""

    anchor: str
    title: str
    mark: Mark
    worst: Mark | None
    facts: tuple[str, ...]
    opened: bool
    findings: tuple[Cell, ...]
    figures: tuple[Figure, ...]
    windows: Table | None
    boundaries: Table | None
    steps: Table | None
    paddings: Table | None
    memory: Table | None
    nodes: Table | None
    events: Table | None
    settings: tuple[Pair, ...]
    not_in_log: str
    not_checked: tuple[Pair, ...]
    not_drawn: str


@dataclass(frozen=True, slots=True)
class Trends:
    """How the metrics of these runs compare with earlier runs of the history."""

    table: Table
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The complete page."""

    title: str
    generated_at: str
    overview: Overview
    runs: Table | None
    groups: tuple[Group, ...]
    details: tuple[Run, ...]
    details_rest: str
    trends: Trends | None
    not_checked: Table | None
    not_configured: Table | None
    not_applicable: Table | None
    near_misses: Table | None
    inputs: Table | None
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    masked: Table | None
    unmasked: str
    parameters: tuple[Pair, ...]
    legend: tuple[Pair, ...]
    ticket: str
