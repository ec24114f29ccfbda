"""Defines the model of a template: nodes from which both of its forms are built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

When = Literal["prompt", "idle", "startup", "unclear"]
"""When a message is printed: while a prompt runs; at any time, as requests arrive; while the server starts; or unclear.
Only the first shows that a prompt runs."""

Value = int | float | str | None
"""The value of a field; samples have timestamps as strings."""


@dataclass(frozen=True, slots=True)
class Text:
    """Fixed text."""

    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """A typed field; `name` is None if its value is dropped."""

    name: str | None
    type: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A field whose value is one of several fixed texts."""

    name: str | None
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Skip:
    """Any text, as short as possible."""


@dataclass(frozen=True, slots=True)
class Optional:
    """A part that may be absent; used if it matches."""

    body: Nodes


@dataclass(frozen=True, slots=True)
class Alternatives:
    """The first of several parts that matches together with what follows."""

    options: tuple[Nodes, ...]


Node = Text | Field | Choice | Skip | Optional | Alternatives
Nodes = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A line that the pattern must match, and its values."""

    line: str
    values: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Producer:
    """A program that samples by itself and prints the messages of one pattern file.

    Attributes:
        name: the file's `project`, as in the column `producer` of the runs.
        title: its name for people.
        windows: `lines` if messages report windows and steps, `bars` if each bar without description is a window.
        mode: the mode of its runs; None if its messages do not state it.
        tail: `mirrored` if it repeats the end of short audio backwards; None if unknown or if nothing is missing.
        models: regex for the file names of models whose runs are analyzed; None for all.
        unquantized: what runs without quantization use; None if unknown.
    """

    name: str
    title: str
    windows: str
    mode: str | None = None
    tail: str | None = None
    models: str | None = None
    unquantized: str | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """One form of one message.

    Attributes:
        id: unique name, e.g. `window-header`.
        event: the meaning of the message; several forms share one event.
        project: who prints it: `wrapper` (whose revisions define the eras), `comfyui`, or another.
        title: what happened, for people.
        why: what the message tells a reader.
        stream: `stderr` or `stdout`, as upstream writes it.
        when: what upstream does when it prints the message, see `When`; None if a user's pattern does not say.
        since, until: the dates between which upstream printed this form; `until` is the first day without it.
        notation: the template as written.
        nodes: the template's model.
        signature: nodes that identify a line as this message even if the template does not match.
        starts_line: whether only blanks may precede it.
        ends_line: whether only blanks may follow, or a remark after an arrow.
        samples, near: lines that must match, and lines that must be near misses.
        file: the file that defines it, for messages.
        producer: the program that its file describes, if it samples by itself.
    """

    id: str
    event: str
    project: str
    title: str
    why: str
    stream: Literal["stderr", "stdout"]
    when: When | None
    since: date | None
    until: date | None
    notation: str
    nodes: Nodes
    signature: Nodes
    starts_line: bool
    ends_line: bool
    samples: tuple[Sample, ...]
    near: tuple[str, ...]
    file: str
    producer: Producer | None = None


def find_fields(nodes: Nodes) -> list[Field | Choice]:
    """All fields of a template in written order, including unnamed ones."""
    found: list[Field | Choice] = []
    for node in nodes:
        if isinstance(node, Field | Choice):
            found.append(node)
        elif isinstance(node, Optional):
            found += find_fields(node.body)
        elif isinstance(node, Alternatives):
            for option in node.options:
                found += find_fields(option)
    return found


def without_values(nodes: Nodes) -> Nodes:
    """The same template without names: it matches the same texts and drops the value of every field."""
    return tuple(_without_value(node) for node in nodes)


def _without_value(node: Node) -> Node:
    match node:
        case Field(_, kind):
            return Field(None, kind)
        case Choice(_, options):
            return Choice(None, options)
        case Optional(body):
            return Optional(without_values(body))
        case Alternatives(options):
            return Alternatives(tuple(without_values(option) for option in options))
        case _:
            return node


def find_anchors(nodes: Nodes) -> tuple[str, ...]:
    """Fixed texts, as long as possible; every line that the template matches contains at least one of them.

    Empty if the template has no mandatory fixed text.
    """
    best: tuple[str, ...] = ()
    for node in nodes:
        candidate: tuple[str, ...] = ()
        if isinstance(node, Text):
            candidate = (node.text,)
        elif isinstance(node, Choice):
            candidate = node.options
        elif isinstance(node, Alternatives):
            parts = [find_anchors(option) for option in node.options]
            candidate = tuple(text for part in parts for text in part) if all(parts) else ()
        if candidate and _weight(candidate) > _weight(best):
            best = candidate
    return best


def _weight(texts: tuple[str, ...]) -> int:
    return min((len(text.strip()) for text in texts), default=-1)
