"""Patterns made ready to run over columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from loganalyzer.grammar import model
from loganalyzer.grammar.lower import Lowered, lower

BAR_MARKS = ("%|", "it [")
"""What every progress bar holds; segments with a bar are kept away from the patterns of plain messages."""


@dataclass(frozen=True, eq=False)
class Compiled:
    """A pattern made ready to run over columns.

    Attributes:
        anchors: fixed texts of which one stands in each line that it fits, or almost.
        is_bar: whether it reads progress bars.
        is_told: whether its values are asked for, rather than only where it stands.
    """

    pattern: model.Pattern
    anchors: tuple[str, ...]
    is_bar: bool
    is_told: bool

    @cached_property
    def lowered(self) -> Lowered:
        """What reads it; of all patterns a log needs a few."""
        nodes = self.pattern.nodes if self.is_told else model.without_values(self.pattern.nodes)
        return lower(nodes, starts_line=self.pattern.starts_line, ends_line=self.pattern.ends_line)

    @cached_property
    def signature(self) -> str:
        """The regular expression of near misses."""
        return lower(self.pattern.signature, starts_line=self.pattern.starts_line).regex


class Grammars(NamedTuple):
    """All patterns of a call, compiled, and the fixed texts by which their lines are found."""

    compiled: tuple[Compiled, ...]
    anchors: tuple[str, ...]

    @property
    def by_id(self) -> dict[str, model.Pattern]:
        """The patterns by their ids."""
        return {item.pattern.id: item.pattern for item in self.compiled}


def compile_all(patterns: Sequence[model.Pattern], told: Collection[str] | None = None) -> Grammars:
    """Patterns made ready, once per call; `told` are the events whose values are asked for, by default all."""
    forms = Counter(pattern.event for pattern in patterns)
    # Of several forms that fit, the one with the most values counts, whoever asks for them.
    kept = {event for event, count in forms.items() if told is None or event in told or count > 1}
    compiled = tuple(_compile(pattern, is_told=pattern.event in kept) for pattern in patterns)
    anchors = {text for item in compiled for text in item.anchors}
    needed = tuple(sorted(text for text in anchors if not any(o != text and o in text for o in anchors)))
    return Grammars(compiled, needed)


def _compile(pattern: model.Pattern, *, is_told: bool) -> Compiled:
    is_bar = any(mark in text for mark in BAR_MARKS for text in _texts(pattern.nodes))
    return Compiled(pattern, model.anchors(pattern.signature), is_bar, is_told)


def _texts(nodes: model.Nodes) -> Iterable[str]:
    for node in nodes:
        match node:
            case model.Text(text):
                yield text
            case model.Optional(body):
                yield from _texts(body)
            case model.Alternatives(options):
                for option in options:
                    yield from _texts(option)
            case _:
                continue
