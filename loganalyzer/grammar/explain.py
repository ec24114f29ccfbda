"""Explains which patterns match a line, in plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import nlargest

from loganalyzer.grammar.meaning import Parsed, Stopped, parse_line
from loganalyzer.grammar.model import Pattern

_MAX_NEAREST = 3
_MIN_MATCHED = 4
"""A pattern that matches fewer characters of a line is not considered near."""


def explain_line(line: str, patterns: Sequence[Pattern]) -> Iterator[str]:
    """Lines of text: each matching pattern with its values; else the nearest ones and where they stop matching.

    Of a bar's line, only the first refresh is parsed: a carriage return starts the next one.
    """
    text = next((part for part in line.split("\r") if part.strip()), "").rstrip()
    results = [(pattern, parse_line(pattern, text)) for pattern in patterns]
    fits = [(pattern, result) for pattern, result in results if isinstance(result, Parsed)]
    for pattern, result in fits:
        yield f"{pattern.id} ({pattern.file}): {pattern.title}"
        yield f"  {pattern.why}"
        for name, value in result.values.items():
            yield f"  {name} = {value!r}"
    if fits:
        return
    stops = [(pattern, result) for pattern, result in results if isinstance(result, Stopped)]
    stops = [stop for stop in stops if stop[1].fitted >= _MIN_MATCHED]
    nearest = nlargest(_MAX_NEAREST, stops, key=lambda stop: stop[1].fitted)
    if not nearest:
        yield "no pattern matches this line or comes near it"
        return
    yield "no pattern matches this line; the nearest are:"
    for pattern, stop in nearest:
        yield f"{pattern.id} ({pattern.file}) stops at column {stop.column}: expected {stop.expected}"
        yield f"  {text}"
        yield f"  {' ' * (stop.column - 1)}^"
