"""The fields of a document: every list is a table of rows, and of its columns one carries the messages."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from loganalyzer.sources.exports import json_text
from loganalyzer.sources.exports.recognition import recognized

Path = tuple[str | int, ...]
Scalar = str | int | float | bool | None

EACH: Final = -1
"""Stands in a path for every element of a list."""
DEEPEST: Final = 40
"""Levels of a document that are looked into."""
MOST_ESCAPED: Final = 3
"""JSON inside of a JSON string that is unpacked."""
MOST_ROWS: Final = 2_000_000
"""Elements of all lists of a document, each of which is held as a row."""
MOST_COLUMNS: Final = 300
"""Columns whose texts are looked at, the largest first."""
LEAST_SHARE: Final = 0.05
"""Messages of a further column, as a share of those of the first, from which on it carries messages too."""
_STAMPED: Final = re.compile(r"\d{10,19}$|\d{10}\.\d|\d{4}-\d\d-\d\d")
_NUMBERED: Final = re.compile(r"\d{1,19}$|\d{4}-\d\d-\d\d[T ]\d\d:")
FEWEST_NUMBERED: Final = 5
"""Numbers or times as keys from which on an object is a list."""
_WIDEST_PAIR: Final = 8
"""Elements of a list that is one row: a stamp and a line, as Loki and asciinema write them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One element of a list.

    Attributes:
        number: its place among all rows of the document.
        values: the values inside it, but for those of lists inside it.
        parent: the row that holds the list.
    """

    number: int
    values: dict[Path, Scalar]
    parent: Row | None


@dataclass(slots=True)
class _Gathered:
    tables: dict[Path, list[Row]] = field(default_factory=lambda: defaultdict(list))
    count: int = 0


@dataclass(frozen=True, slots=True)
class Messages:
    """What the field that carries the messages holds.

    Attributes:
        rows, texts: each row with a message, in the document's order, and the message.
        path: the field, as jq writes it.
    """

    rows: Sequence[Row]
    texts: Sequence[str]
    path: str


def messages(values: Iterable[object]) -> Messages | None:
    """The messages in these values, found by what the patterns recognize; None where they recognize nothing."""
    gathered = _Gathered()
    _visit_all(list(values), (), None, gathered, 0)
    columns = _recognized_columns(gathered.tables)
    if not columns:
        return None
    site, _, best = columns[0]
    chosen: dict[Path, list[Path]] = {site: []}
    known = set(best)
    for place, path, lines in columns:
        if len(lines) < LEAST_SHARE * len(best):
            continue
        fresh = [line for line in lines if line not in known]
        if place in chosen:
            chosen[place].append(path)
        elif 2 * len(fresh) > len(lines):
            chosen[place] = [path]
            known.update(fresh)
    found = sorted(
        (
            (row, text)
            for place, paths in chosen.items()
            for row in gathered.tables[place]
            if (text := _first_text(row, paths)) is not None
        ),
        key=lambda pair: pair[0].number,
    )
    return Messages([row for row, _ in found], [text for _, text in found], shown(site + columns[0][1]))


def shown(path: Path) -> str:
    """A path as jq writes it."""
    return "".join("[]" if key == EACH else f"[{key}]" if isinstance(key, int) else f".{key}" for key in path) or "."


def _first_text(row: Row, paths: Sequence[Path]) -> str | None:
    """Of the fields that carry messages the first that this row has; they are the same message where it has several."""
    return next((text for path in paths if isinstance(text := row.values.get(path), str)), None)


def _recognized_columns(tables: dict[Path, list[Row]]) -> list[tuple[Path, Path, list[str]]]:
    """Table, column and recognized lines of each column that has any, most lines first."""
    texts: dict[tuple[Path, Path], list[str]] = defaultdict(list)
    for site, rows in tables.items():
        for row in rows:
            for path, value in row.values.items():
                if isinstance(value, str):
                    texts[site, path].append(value)
    largest = sorted(texts, key=lambda key: -sum(map(len, texts[key])))[:MOST_COLUMNS]
    found = [(site, path, _recognized(texts[site, path])) for site, path in largest]
    return sorted((column for column in found if column[2]), key=lambda column: -len(column[2]))


def _recognized(texts: list[str]) -> list[str]:
    """The recognized lines of a column; one that holds what a program wrote may have pieces of lines in its cells."""
    lines = recognized(texts)
    if not any("\n" in text for text in texts):
        return lines
    return max(lines, recognized(["".join(texts)]), key=len)


def _visit_all(items: list[object], site: Path, parent: Row | None, gathered: _Gathered, depth: int) -> None:
    """Make rows of the elements of a list."""
    place = (*site, EACH)
    if gathered.count + len(items) > MOST_ROWS:
        raise json_text.TooManyError("the document holds too many values")
    lengths = {len(item) for item in items if isinstance(item, list)}
    is_table = len(lengths) == 1 and (len(items) > 1 or _is_stamped(items[0]))
    for item in items:
        values: dict[Path, Scalar] = {}
        lists: list[tuple[Path, list[object]]] = []
        if isinstance(item, list) and is_table and _is_row(item):
            for column, value in enumerate(item):
                _flatten(value, (column,), values, lists, depth)
        else:
            _flatten(item, (), values, lists, depth)
        row = Row(gathered.count, values, parent)
        gathered.count += 1
        gathered.tables[place].append(row)
        if depth < DEEPEST:
            for path, inner in lists:
                _visit_all(inner, place + path, row, gathered, depth + 1)


def _is_row(item: list[object]) -> bool:
    return 1 < len(item) <= _WIDEST_PAIR and not any(isinstance(value, dict | list) for value in item)


def _is_stamped(item: object) -> bool:
    """Whether this is a time and something else."""
    return isinstance(item, list) and len(item) > 1 and _STAMPED.match(str(item[0])) is not None


def _is_mixed(item: list[object]) -> bool:
    return _is_row(item) and any(isinstance(value, str) for value in item) != all(
        isinstance(value, str) for value in item
    )


def _flatten(
    value: object, path: Path, values: dict[Path, Scalar], lists: list[tuple[Path, list[object]]], depth: int
) -> None:
    """Put the values inside `value` into `values`, and its lists into `lists`."""
    if isinstance(value, str):
        value = _unescaped(value)
    if isinstance(value, dict | list):
        members = _members(value)
        if members is None:
            lists.append((path, _elements(value)))
        elif len(path) + depth < DEEPEST:
            for key, inner in members:
                _flatten(inner, (*path, key), values, lists, depth)
    elif isinstance(value, str):
        values[path] = _clean(value)
    elif isinstance(value, int | float | bool | None):
        values[path] = value


def _members(value: dict[str, object] | list[object]) -> list[tuple[str | int, object]] | None:
    """The members of an object, or of a list that is one row; None for a list of rows."""
    if isinstance(value, list):
        return list(enumerate(value)) if _is_mixed(value) else None
    return None if _is_list(value) else [(_clean(key), inner) for key, inner in value.items()]


def _elements(value: dict[str, object] | list[object]) -> list[object]:
    """The elements of a list, or of an object that is used as one."""
    return value if isinstance(value, list) else [{"key": key, "value": inner} for key, inner in value.items()]


def _clean(text: str) -> str:
    """`text` without halves of surrogate pairs, which no encoding has."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _is_list(value: dict[str, object]) -> bool:
    """Whether the keys of an object are the numbers or the times of its elements."""
    return len(value) >= FEWEST_NUMBERED and all(_NUMBERED.match(key) for key in value)


def _unescaped(value: object) -> object:
    """A string that holds a JSON object, or a list of them, as that value."""
    for _ in range(MOST_ESCAPED):
        if (
            not isinstance(value, str)
            or not value.lstrip().startswith(("{", "["))
            or value.rstrip()[-1:] not in {"}", "]"}
        ):
            return value
        try:
            inner = json_text.loads(value)
        except ValueError:
            return value
        if not isinstance(inner, dict) and not (isinstance(inner, list) and inner and isinstance(inner[0], dict)):
            return value
        value = inner
    return value
