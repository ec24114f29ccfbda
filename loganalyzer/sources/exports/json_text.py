"""JSON text to values: one document, a stream of them, or one object on each line; bounded in size and depth."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from loganalyzer.common.errors import LogAnalyzerError

MOST_CONTAINERS: Final = 3_000_000
MOST_VALUES: Final = 12_000_000
"""Brackets and commas of one text: three bytes of them may cost a hundred of memory."""
MOST_FAILURES: Final = 100
"""Places at which no value begins that are tried one after the other in a damaged document."""
SHARE: Final = 0.8
"""Share of the first lines that must hold an object each, for a text to be read line by line."""
_OPENS: Final = re.compile(
    r'\s*(?:\{\s*["}]|\[\s*(?:[\[{"]|-?\d+(?:\.\d+)?\s*,)|"\s*[\[{]\s*[{\\]|"(?:[^"\\\n]|\\.)*\\n)'
)
_OBJECT: Final = re.compile(r'\{\s*"(?:[^"\\]|\\.)*"\s*:')
_VALUE: Final = re.compile(r'[\[{"]')
_LONGEST_PREFIX: Final = 200
"""Characters that a shipper puts in front of an object."""


class TooDeepError(LogAnalyzerError):
    """A document is nested deeper than anything that carries a log."""


class TooManyError(LogAnalyzerError):
    """A document holds more values than fit into memory."""


def begins(head: str) -> bool:
    """Whether a text that begins so may be JSON as a whole."""
    return _OPENS.match(head) is not None


def loads(text: str) -> object:
    """The value in `text`.

    Raises:
        ValueError: it is no JSON.
        TooDeepError, TooManyError: it is beyond the bounds.
    """
    refuse_too_many(text)
    try:
        return json.loads(text)
    except RecursionError:
        raise TooDeepError("the document is nested too deeply") from None


def refuse_too_many(text: str) -> None:
    """Raise TooManyError where the values of a text would not fit into memory."""
    if text.count("{") + text.count("[") > MOST_CONTAINERS or text.count(",") > MOST_VALUES:
        raise TooManyError("the document holds too many values")


def stream(text: str) -> list[object]:
    """The values that stand in `text` one behind the other; of a damaged document those inside it that are whole."""
    refuse_too_many(text)
    return list(_values(text))


def _values(text: str) -> Iterator[object]:
    decoder = json.JSONDecoder()
    place, failures = 0, 0
    while failures < MOST_FAILURES and (found := _VALUE.search(text, place)):
        try:
            value, place = decoder.raw_decode(text, found.start())
        except RecursionError:
            raise TooDeepError("the document is nested too deeply") from None
        except ValueError:
            place, failures = found.start() + 1, failures + 1
            continue
        if isinstance(value, dict | list):
            yield value


def is_by_line(head: str) -> bool:
    """Whether most of these lines hold one JSON object each, perhaps behind a shipper's prefix; the last may be cut."""
    if "{" not in head and not head.lstrip().startswith("["):
        return False
    lines = [line for line in (head if head.endswith("\n") else head + "\n").split("\n")[:-1] if line.strip()][:200]
    if sum("{" in line or line[:1] == "[" for line in lines) < SHARE * len(lines) or not lines:
        return False
    return sum(isinstance(by_line(line), dict | list) for line in lines) >= SHARE * len(lines)


def by_line(line: str) -> object:
    """The object or list on a line, what stands in front of it under the key `prefix`; else the line itself."""
    bare = line.strip().rstrip(",")
    start = 0
    if bare[:1] == "[" and bare[-1:] == "]":
        start = 0
    elif found := _OBJECT.search(bare[: _LONGEST_PREFIX * 2]):
        start = found.start()
    if bare[-1:] not in {"}", "]"} or start > _LONGEST_PREFIX or bare[start : start + 1] not in {"{", "["}:
        return line
    try:
        value = json.loads(bare[start:])
    except RecursionError:
        raise TooDeepError("a line is nested too deeply") from None
    except ValueError:
        return line
    if isinstance(value, dict) and bare[:start].strip():
        return {"prefix": bare[:start].strip(), **value}
    return value
