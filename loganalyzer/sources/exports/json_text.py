"""Parses JSON text within limits of size and depth: one document, a stream of values, or one object per line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from loganalyzer.common.errors import LogAnalyzerError

MAX_CONTAINERS: Final = 3_000_000
MAX_VALUES: Final = 12_000_000
"""Maximum brackets and commas of one text: three bytes of them may need a hundred bytes of memory."""
MAX_FAILURES: Final = 100
"""Maximum failed attempts to find the start of a value in a damaged document."""
MIN_SHARE: Final = 0.8
"""Minimum share of the first lines that must contain an object each for a text to be read line by line."""
_OPENS: Final = re.compile(
    r'\s*(?:\{\s*["}]|\[\s*(?:[\[{"]|-?\d+(?:\.\d+)?\s*,)|"\s*[\[{]\s*[{\\]|"(?:[^"\\\n]|\\.)*\\n)'
)
_OBJECT: Final = re.compile(r'\{\s*"(?:[^"\\]|\\.)*"\s*:')
_VALUE: Final = re.compile(r'[\[{"]')
_LONGEST_PREFIX: Final = 200
"""Maximum characters that a log shipper puts before an object."""


class TooDeepError(LogAnalyzerError):
    """A document is nested deeper than any export of a log."""


class TooManyError(LogAnalyzerError):
    """A document has more values than fit into memory."""


def may_be_json(head: str) -> bool:
    """Whether a text that starts with `head` may be JSON."""
    return _OPENS.match(head) is not None


def parse(text: str) -> object:
    """Parses `text`.

    Raises:
        ValueError: it is not JSON.
        TooDeepError, TooManyError: it exceeds the limits.
    """
    check_size(text)
    try:
        return json.loads(text)
    except RecursionError:
        raise TooDeepError("the document is nested too deeply") from None


def check_size(text: str) -> None:
    """Raises TooManyError if the values of a text would not fit into memory."""
    if text.count("{") + text.count("[") > MAX_CONTAINERS or text.count(",") > MAX_VALUES:
        raise TooManyError("the document has too many values")


def parse_stream(text: str) -> list[object]:
    """Consecutive values in `text`; of a damaged document the complete values inside it."""
    check_size(text)
    return list(_iter_values(text))


def _iter_values(text: str) -> Iterator[object]:
    decoder = json.JSONDecoder()
    place, failures = 0, 0
    while failures < MAX_FAILURES and (found := _VALUE.search(text, place)):
        try:
            value, place = decoder.raw_decode(text, found.start())
        except RecursionError:
            raise TooDeepError("the document is nested too deeply") from None
        except ValueError:
            place, failures = found.start() + 1, failures + 1
            continue
        if isinstance(value, dict | list):
            yield value


def is_json_lines(head: str) -> bool:
    """Whether most of these lines contain one JSON object each, perhaps after a prefix; the last may be incomplete."""
    if "{" not in head and not head.lstrip().startswith("["):
        return False
    lines = [line for line in (head if head.endswith("\n") else head + "\n").split("\n")[:-1] if line.strip()][:200]
    if sum("{" in line or line[:1] == "[" for line in lines) < MIN_SHARE * len(lines) or not lines:
        return False
    return sum(isinstance(parse_line(line), dict | list) for line in lines) >= MIN_SHARE * len(lines)


def parse_line(line: str) -> object:
    """The object or list on a line, with text before it under the key `prefix`; else the line itself."""
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
