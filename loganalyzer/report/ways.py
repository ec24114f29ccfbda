"""Splits a fix into its ways out, each with the commands that belong to it."""

from __future__ import annotations

from dataclasses import dataclass

from loganalyzer.report import words


@dataclass(frozen=True, slots=True)
class Way:
    """A way to fix a finding, and the commands that it takes."""

    text: str
    commands: tuple[str, ...] = ()


def split_fix(fix: str | None) -> tuple[Way, ...]:
    """The ways out of a fix, the cheapest first.

    A fix has one way per line. An indented line in backticks is a command of the way above it.
    """
    ways: list[tuple[str, list[str]]] = []
    for line in (fix or "").split("\n"):
        if ways and line.startswith(" "):
            ways[-1][1].append(words.visible(line.strip().strip("`")))
        else:
            ways.append((words.or_dash(line.removesuffix(":")), []))
    return tuple(Way(text, tuple(commands)) for text, commands in ways)
