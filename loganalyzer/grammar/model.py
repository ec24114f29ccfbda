"""What a template is, once its notation has been read; both of its forms are made from these nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

When = Literal["prompt", "idle", "startup", "unclear"]
"""While what a message is printed: a prompt runs; anything or nothing runs (requests come in); the server starts;
or it is not clear which. Only the first shows that a prompt runs."""

Value = int | float | str | None
"""What a hole holds; timestamps are held as text by samples."""


@dataclass(frozen=True, slots=True)
class Text:
    """Fixed text."""

    text: str


@dataclass(frozen=True, slots=True)
class Hole:
    """A typed hole; `name` is None where the value is dropped."""

    name: str | None
    type: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A hole that takes one of several fixed texts."""

    name: str | None
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Skip:
    """Any text, as short as possible."""


@dataclass(frozen=True, slots=True)
class Optional:
    """A part that may be absent; taken where it fits."""

    body: Nodes


@dataclass(frozen=True, slots=True)
class Alternatives:
    """The first of several parts that fits together with what follows."""

    options: tuple[Nodes, ...]


Node = Text | Hole | Choice | Skip | Optional | Alternatives
Nodes = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A line that the pattern must read, and the values it must find there."""

    line: str
    values: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Producer:
    """What is known of a program that samples by itself and prints the messages of one pattern file.

    Attributes:
        name: the file's `project`, as the column `producer` of the runs shows it.
        title: its name for people.
        windows: `lines` where messages tell windows and steps, `bars` where each bar without description is a window.
        mode: the mode of its runs; None where its messages do not tell it.
        tail: `mirrored` where it repeats the end of short audio backwards; None where nothing is known or missing.
        models: expression for the file names of models whose runs are analyzed; None for all.
        unquantized: what runs without quantization use; None where nothing is known.
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
        event: what the message means; several forms share one event.
        project: who prints it: `wrapper` (whose revisions make the eras), `comfyui`, or another.
        title: what happened, for people.
        why: what the message tells a reader.
        stream: `stderr` or `stdout`, as upstream writes it.
        when: while what upstream prints it, see `When`; None where a user's pattern does not say.
        since, until: the days between which upstream printed this form; `until` is the first day without it.
        notation: the template as written.
        nodes: the template's model.
        signature: nodes that mark a line as meant to be this message, even where the template fails.
        starts_line: whether only blanks may stand in front.
        ends_line: whether only blanks may follow, or a remark behind an arrow.
        samples, near: lines that must parse, and lines that must be near misses.
        file: the file that defines it, for messages.
        producer: the program that its file is about, if it samples by itself.
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


def holes(nodes: Nodes) -> list[Hole | Choice]:
    """All holes of a template, in the order in which they are written, unnamed ones included."""
    found: list[Hole | Choice] = []
    for node in nodes:
        if isinstance(node, Hole | Choice):
            found.append(node)
        elif isinstance(node, Optional):
            found += holes(node.body)
        elif isinstance(node, Alternatives):
            for option in node.options:
                found += holes(option)
    return found


def without_values(nodes: Nodes) -> Nodes:
    """The same template, which fits the same texts and drops the value of every hole."""
    return tuple(_without_value(node) for node in nodes)


def _without_value(node: Node) -> Node:
    match node:
        case Hole(_, kind):
            return Hole(None, kind)
        case Choice(_, options):
            return Choice(None, options)
        case Optional(body):
            return Optional(without_values(body))
        case Alternatives(options):
            return Alternatives(tuple(without_values(option) for option in options))
        case _:
            return node


def anchors(nodes: Nodes) -> tuple[str, ...]:
    """Fixed texts of which at least one stands in every line that the template fits; as long as possible.

    Empty where the template has no fixed text that must be there.
    """
    best: tuple[str, ...] = ()
    for node in nodes:
        candidate: tuple[str, ...] = ()
        if isinstance(node, Text):
            candidate = (node.text,)
        elif isinstance(node, Choice):
            candidate = node.options
        elif isinstance(node, Alternatives):
            parts = [anchors(option) for option in node.options]
            candidate = tuple(text for part in parts for text in part) if all(parts) else ()
        if candidate and _weight(candidate) > _weight(best):
            best = candidate
    return best


def _weight(texts: tuple[str, ...]) -> int:
    return min((len(text.strip()) for text in texts), default=-1)
