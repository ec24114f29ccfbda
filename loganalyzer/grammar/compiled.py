"""Compiles patterns so that they can run over columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from loganalyzer.grammar import model
from loganalyzer.grammar.lower import Lowered, lower

BAR_MARKS = ("%|", "it [")
"""Every progress bar contains one of these; segments with a bar are not matched against patterns of plain messages."""


@dataclass(frozen=True, eq=False)
class CompiledPattern:
    """A compiled pattern.

    Attributes:
        anchors: fixed texts; each line that matches or nearly matches contains one of them.
        is_bar: whether the pattern parses progress bars.
        has_values: whether its values are used, rather than only its position.
        lists_values: whether its values become rows of the table `events`.
    """

    pattern: model.Pattern
    anchors: tuple[str, ...]
    is_bar: bool
    has_values: bool
    lists_values: bool = False

    @cached_property
    def lowered(self) -> Lowered:
        """The regex that parses it, built on first use: a log needs few of all patterns."""
        if self.has_values:
            return self.value_form
        nodes = model.without_values(self.pattern.nodes)
        return lower(nodes, starts_line=self.pattern.starts_line, ends_line=self.pattern.ends_line)

    @cached_property
    def value_form(self) -> Lowered:
        """The regex that also captures the values, whether or not they are used."""
        return lower(self.pattern.nodes, starts_line=self.pattern.starts_line, ends_line=self.pattern.ends_line)

    @cached_property
    def signature(self) -> str:
        """The regex of near misses."""
        return lower(self.pattern.signature, starts_line=self.pattern.starts_line).regex


class Grammars(NamedTuple):
    """All patterns of a call, compiled, and the fixed texts with which their lines are found."""

    compiled: tuple[CompiledPattern, ...]
    anchors: tuple[str, ...]

    @property
    def by_id(self) -> dict[str, model.Pattern]:
        """The patterns by id."""
        return {item.pattern.id: item.pattern for item in self.compiled}


def compile_all(
    patterns: Sequence[model.Pattern], used_events: Collection[str] | None = None, added: Collection[str] = ()
) -> Grammars:
    """Compiles patterns; `used_events` are the events whose values are used, by default all.

    `added` are the ids of patterns that users and other packages added. The values of their other events are listed.
    """
    others = () if used_events is None else [one for one in patterns if one.event not in used_events]
    listed = {one.id for one in others if one.id in added}
    forms = Counter(pattern.event for pattern in patterns)
    # If several forms match, the one with the most values counts, so their values are needed in any case.
    parsed = {event for event, count in forms.items() if used_events is None or event in used_events or count > 1}
    compiled = tuple(
        _compile(one, has_values=one.event in parsed and one.id not in listed, lists_values=one.id in listed)
        for one in patterns
    )
    anchors = {text for item in compiled for text in item.anchors}
    needed = tuple(sorted(text for text in anchors if not any(o != text and o in text for o in anchors)))
    return Grammars(compiled, needed)


def _compile(pattern: model.Pattern, *, has_values: bool, lists_values: bool) -> CompiledPattern:
    is_bar = any(mark in text for mark in BAR_MARKS for text in _fixed_texts(pattern.nodes))
    return CompiledPattern(pattern, model.find_anchors(pattern.signature), is_bar, has_values, lists_values)


def _fixed_texts(nodes: model.Nodes) -> Iterable[str]:
    for node in nodes:
        match node:
            case model.Text(text):
                yield text
            case model.Optional(body):
                yield from _fixed_texts(body)
            case model.Alternatives(options):
                for option in options:
                    yield from _fixed_texts(option)
            case _:
                continue
