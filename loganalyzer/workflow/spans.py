"""Where a value stands in a JSON text, so that it can be replaced and every other byte left alone."""

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


def span(text: str, at: Pointer) -> tuple[int, int]:
    """Start and end of the value behind a pointer; of keys that stand twice the last counts, as for every reader.

    Raises:
        WorkflowError: the text has no such value.
    """
    start = _skip_blanks(text, 0)
    for step in at:
        members = _members(text, start)
        if step not in members:
            raise WorkflowError(f"the document has no value at {'/'.join(map(str, at))}")
        start = members[step]
    return start, _end(text, start)


def line(text: str, at: Pointer) -> int:
    """The line on which a value stands, from 1."""
    return text.count("\n", 0, span(text, at)[0]) + 1


def replaced(text: str, values: Mapping[Pointer, object]) -> str:
    """The text with other values in their places; everything between them stays as it is, to the byte.

    Raises:
        WorkflowError: the text has no value in one of the places.
    """
    places = sorted((span(text, at), value) for at, value in values.items())
    for (start, end), value in reversed(places):
        text = text[:start] + _spelled(value, like=text[start:end]) + text[end:]
    return text


def _spelled(value: object, like: str) -> str:
    """In the spelling of the value before: floats with a point, other scripts escaped or not."""
    if isinstance(value, int) and not isinstance(value, bool) and re.fullmatch(r"-?\d+\.\d+", like):
        value = float(value)
    return json.dumps(value, ensure_ascii=like.isascii())


def _members(text: str, start: int) -> dict[str | int, int]:
    """Key or place to the start of the value, of an object or a list; empty for anything else."""
    found: dict[str | int, int] = {}
    if text[start : start + 1] not in ("{", "["):
        return found
    is_object = text[start] == "{"
    position = _skip_blanks(text, start + 1)
    while position < len(text) and text[position] not in "]}":
        key: str | int = len(found)
        if is_object:
            end = _end(text, position)
            key = json.loads(text[position:end])
            position = _skip_blanks(text, _skip_blanks(text, end) + 1)
        found[key] = position
        position = _skip_blanks(text, _end(text, position))
        if text[position : position + 1] == ",":
            position = _skip_blanks(text, position + 1)
    return found


def _skip_blanks(text: str, position: int) -> int:
    found = _BLANKS.match(text, position)
    return found.end() if found else position


def _end(text: str, start: int) -> int:
    """The end of the value that starts here."""
    if text[start] not in "{[":
        found = _SCALAR.match(text, start)
        return found.end() if found else start
    depth = 0
    for piece in _PIECE.finditer(text, start):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(piece[0], 0)
        if depth == 0:
            return piece.end()
    return len(text)
