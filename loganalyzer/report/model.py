"""What the templates see: frozen records of finished strings, with no table and no number left in them."""

from __future__ import annotations

from dataclasses import dataclass

Kind = str
"""`error`, `warning`, `info`, `ok` or `muted`: an icon, a word and a colour, never the colour alone."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A word with an icon."""

    word: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: what stands there.
        note: in small type below it.
        href: a place on this page.
        kind: an icon and colour, or nothing.
        code: whether it is foreign text or a name, set in the fixed-width face.
        svg: a small picture above the text.
    """

    text: str
    note: str = ""
    href: str = ""
    kind: Kind = ""
    code: bool = False
    svg: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column; numbers stand right."""

    title: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table in a container of its own, which scrolls where the page is narrow.

    Attributes:
        caption: said to screen readers: the container's name.
        rest: what was left out, or nothing.
        command: shows what was left out.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    rest: str = ""
    command: str = ""

    @property
    def numbers(self) -> bool:
        """Whether every column stands right: said once then, for the size's sake."""
        return all(column.number for column in self.columns)


@dataclass(frozen=True, slots=True)
class Pair:
    """A term and what it is."""

    term: str
    text: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing: finished SVG text, its title, the caption below, and whether it takes the page's whole width."""

    title: str
    svg: str
    caption: str
    wide: bool = False


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a log; `hit` marks the one that proves the finding, in which `begin` to `end` is the message."""

    number: str
    text: str
    hit: bool
    begin: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Some lines of one log."""

    source: str
    lines: tuple[LogLine, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding in full."""

    anchor: str
    mark: Mark
    message: str
    place: str
    run_href: str
    observed: str
    expected: str
    fix: str
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one rule; those beyond the first are rows of `more`."""

    anchor: str
    rule: str
    name: str
    mark: Mark
    count: str
    summary: str
    why: str
    findings: tuple[Finding, ...]
    more: Table | None


@dataclass(frozen=True, slots=True)
class First:
    """Something to do first."""

    mark: Mark
    message: str
    fix: str
    place: str
    href: str
    others: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The first screen."""

    mark: Mark
    headline: str
    lead: str
    counts: tuple[Pair, ...]
    notices: tuple[str, ...]
    first: tuple[First, ...]


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
    settings: tuple[Pair, ...]
    untold: str
    not_checked: tuple[Pair, ...]
    not_drawn: str


@dataclass(frozen=True, slots=True)
class Trends:
    """The runs among the earlier ones of a history."""

    table: Table
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

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
