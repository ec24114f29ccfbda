"""How one line is read, said in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import nlargest

from loganalyzer.grammar.meaning import Parsed, Stopped, read
from loganalyzer.grammar.model import Pattern

_NEAREST = 3
_FEWEST_CHARACTERS = 4
"""A pattern that fits less of a line than this came no nearer than any other."""


def explain_line(line: str, patterns: Sequence[Pattern]) -> Iterator[str]:
    """Lines of text: each pattern that fits with its values; else the nearest ones and where they stop.

    Only the first refresh of a bar's line is read: a carriage return begins another.
    """
    text = next((part for part in line.split("\r") if part.strip()), "").rstrip()
    results = [(pattern, read(pattern, text)) for pattern in patterns]
    fits = [(pattern, result) for pattern, result in results if isinstance(result, Parsed)]
    for pattern, result in fits:
        yield f"{pattern.id} ({pattern.file}): {pattern.title}"
        yield f"  {pattern.why}"
        for name, value in result.values.items():
            yield f"  {name} = {value!r}"
    if fits:
        return
    stops = [(pattern, result) for pattern, result in results if isinstance(result, Stopped)]
    stops = [stop for stop in stops if stop[1].fitted >= _FEWEST_CHARACTERS]
    nearest = nlargest(_NEAREST, stops, key=lambda stop: stop[1].fitted)
    if not nearest:
        yield "no pattern fits this line, and none comes near"
        return
    yield "no pattern fits this line; the nearest:"
    for pattern, stop in nearest:
        yield f"{pattern.id} ({pattern.file}) stops at column {stop.column}: expected {stop.expected}"
        yield f"  {text}"
        yield f"  {' ' * (stop.column - 1)}^"
