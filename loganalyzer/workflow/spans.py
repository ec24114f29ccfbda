"""Finds a value's position in a JSON text, to replace it without changing any other byte."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from loganalyzer.common.errors import WorkflowError
from loganalyzer.workflow.graph import Pointer

_BLANKS: Final = re.compile(r"[ \t\r\n\ufeff]*")
_PIECE: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_SCALAR: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s,\]}]+', re.DOTALL)


def find_span(text: str, at: Pointer) -> tuple[int, int]:
    """Start and end of the value at a pointer. Of duplicate keys the last one counts, as in JSON readers.

    Raises:
        WorkflowError: the text has no such value.
    """
    start = _skip_blanks(text, 0)
    for step in at:
        members = _find_members(text, start)
        if step not in members:
            raise WorkflowError(f"the document has no value at {'/'.join(map(str, at))}")
        start = members[step]
    return start, _find_end(text, start)


def find_line(text: str, at: Pointer) -> int:
    """The line number of a value, from 1."""
    return text.count("\n", 0, find_span(text, at)[0]) + 1


def replace_values(text: str, values: Mapping[Pointer, object]) -> str:
    """The text with new values at these pointers; every other byte stays the same.

    Raises:
        WorkflowError: the text has no value at one of the pointers.
    """
    places = sorted((find_span(text, at), value) for at, value in values.items())
    for (start, end), value in reversed(places):
        text = text[:start] + _to_json(value, like=text[start:end]) + text[end:]
    return text


def _to_json(value: object, like: str) -> str:
    """The value as JSON in the style of the old text: floats keep a point, non-ASCII text stays escaped or not."""
    if isinstance(value, int) and not isinstance(value, bool) and re.fullmatch(r"-?\d+\.\d+", like):
        value = float(value)
    return json.dumps(value, ensure_ascii=like.isascii())


def _find_members(text: str, start: int) -> dict[str | int, int]:
    """Key or index to the start of its value, for an object or a list; empty for anything else."""
    found: dict[str | int, int] = {}
    if text[start : start + 1] not in ("{", "["):
        return found
    is_object = text[start] == "{"
    position = _skip_blanks(text, start + 1)
    while position < len(text) and text[position] not in "]}":
        key: str | int = len(found)
        if is_object:
            end = _find_end(text, position)
            key = json.loads(text[position:end])
            position = _skip_blanks(text, _skip_blanks(text, end) + 1)
        found[key] = position
        position = _skip_blanks(text, _find_end(text, position))
        if text[position : position + 1] == ",":
            position = _skip_blanks(text, position + 1)
    return found


def _skip_blanks(text: str, position: int) -> int:
    found = _BLANKS.match(text, position)
    return found.end() if found else position


def _find_end(text: str, start: int) -> int:
    """The end of the value that starts at `start`."""
    if text[start] not in "{[":
        found = _SCALAR.match(text, start)
        return found.end() if found else start
    depth = 0
    for piece in _PIECE.finditer(text, start):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(piece[0], 0)
        if depth == 0:
            return piece.end()
    return len(text)
