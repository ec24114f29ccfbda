"""Finds the line on which a key of a TOML document is written; tomllib itself does not say.

It follows table headers, skips comments and multi-line texts, and reads quoted and dotted keys. Inside of an inline
table or a multi-line list, the line of the outer key or the first line with the key counts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Final, NamedTuple

_HEADER: Final = re.compile(r"^\s*\[\[?\s*(?P<name>[^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_ASSIGNED: Final = re.compile(r"""^\s*(?P<key>(?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_QUOTES: Final = ('"""', "'''")


class _Written(NamedTuple):
    """A key with all tables around it, and its line."""

    path: tuple[str, ...]
    line: int
    text: str


def line_of(text: str, *path: str) -> int:
    """The line of a key, e.g. `line_of(text, "tool", "loganalyze", "fps")`; 1 if it is not found."""
    written = list(_written(text))
    for one in written:
        if one.path == path:
            return one.line
    for one in written:  # an inline table, or a table of which the key is the header
        outer = one.path
        if path[: len(outer)] == outer and re.search(rf"\b{re.escape(path[-1])}\b", one.text):
            return one.line
    return next((one.line for one in written if one.path[: len(path)] == path), 1)


def _written(text: str) -> Iterator[_Written]:
    table: tuple[str, ...] = ()
    inside: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if inside is not None:
            if inside in line:
                inside = None
            continue
        header, assigned = _HEADER.match(line), _ASSIGNED.match(line)
        if header and not assigned:
            table = _parts(header["name"])
            yield _Written(table, number, line)
        elif assigned:
            yield _Written((*table, *_parts(assigned["key"])), number, line)
        inside = next((quote for quote in _QUOTES if line.count(quote) % 2), None)


def _parts(key: str) -> tuple[str, ...]:
    """The names of a dotted key."""
    try:
        value: object = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return (key,)
    names: list[str] = []
    while isinstance(value, dict):
        ((name, value),) = value.items()
        names.append(name)
    return tuple(names)
