"""Flattens a document into tables of rows, one per list, and finds the columns that contain the messages."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from loganalyzer.sources.exports import json_text
from loganalyzer.sources.exports.recognition import recognized_lines

Path = tuple[str | int, ...]
Scalar = str | int | float | bool | None

EACH: Final = -1
"""Stands for every element of a list in a path."""
MAX_DEPTH: Final = 40
"""Maximum depth of a document that is searched."""
MAX_NESTED_JSON: Final = 3
"""Maximum nesting of JSON in JSON strings that is unpacked."""
MAX_ROWS: Final = 2_000_000
"""Maximum number of elements of all lists of a document: each becomes a row in memory."""
MAX_COLUMNS: Final = 300
"""Maximum number of columns that are searched, the largest first."""
MIN_SHARE: Final = 0.05
"""Minimum messages of a further column, as a share of those of the first, for it to count as a message column."""
_STAMPED: Final = re.compile(r"\d{10,19}$|\d{10}\.\d|\d{4}-\d\d-\d\d")
_NUMBERED: Final = re.compile(r"\d{1,19}$|\d{4}-\d\d-\d\d[T ]\d\d:")
MIN_NUMBERED_KEYS: Final = 5
"""Minimum number of keys that are numbers or times for an object to count as a list."""
_MAX_ROW_WIDTH: Final = 8
"""Maximum elements of a list that is one row: a timestamp and a line, as Loki and asciinema write them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One element of a list.

    Attributes:
        number: its index among all rows of the document.
        values: the values inside it, except those of nested lists.
        parent: the row that contains the list.
    """

    number: int
    values: dict[Path, Scalar]
    parent: Row | None


@dataclass(slots=True)
class _Tables:
    tables: dict[Path, list[Row]] = field(default_factory=lambda: defaultdict(list))
    count: int = 0


@dataclass(frozen=True, slots=True)
class Messages:
    """The content of the field that contains the messages.

    Attributes:
        rows, texts: each row with a message, in the document's order, and the message.
        path: the field in jq's notation.
    """

    rows: Sequence[Row]
    texts: Sequence[str]
    path: str


def find_messages(values: Iterable[object]) -> Messages | None:
    """The messages in these values: the fields that the patterns recognize; None if they recognize nothing."""
    tables = _Tables()
    _collect_rows(list(values), (), None, tables, 0)
    columns = _recognized_columns(tables.tables)
    if not columns:
        return None
    site, _, best = columns[0]
    chosen: dict[Path, list[Path]] = {site: []}
    known = set(best)
    for place, path, lines in columns:
        if len(lines) < MIN_SHARE * len(best):
            continue
        new = [line for line in lines if line not in known]
        if place in chosen:
            chosen[place].append(path)
        elif 2 * len(new) > len(lines):
            chosen[place] = [path]
            known.update(new)
    found = sorted(
        (
            (row, text)
            for place, paths in chosen.items()
            for row in tables.tables[place]
            if (text := _first_text(row, paths)) is not None
        ),
        key=lambda pair: pair[0].number,
    )
    return Messages([row for row, _ in found], [text for _, text in found], format_path(site + columns[0][1]))


def format_path(path: Path) -> str:
    """A path in jq's notation."""
    return "".join("[]" if key == EACH else f"[{key}]" if isinstance(key, int) else f".{key}" for key in path) or "."


def _first_text(row: Row, paths: Sequence[Path]) -> str | None:
    """The first message field that this row has. If it has several, they contain the same message."""
    return next((text for path in paths if isinstance(text := row.values.get(path), str)), None)


def _recognized_columns(tables: dict[Path, list[Row]]) -> list[tuple[Path, Path, list[str]]]:
    """Table, column and recognized lines of each column that has any, most lines first."""
    texts: dict[tuple[Path, Path], list[str]] = defaultdict(list)
    for site, rows in tables.items():
        for row in rows:
            for path, value in row.values.items():
                if isinstance(value, str):
                    texts[site, path].append(value)
    largest = sorted(texts, key=lambda key: -sum(map(len, texts[key])))[:MAX_COLUMNS]
    found = [(site, path, _recognized_in_column(texts[site, path])) for site, path in largest]
    return sorted((column for column in found if column[2]), key=lambda column: -len(column[2]))


def _recognized_in_column(texts: list[str]) -> list[str]:
    """The recognized lines of a column. If a program's writes are its cells, they may contain parts of lines."""
    lines = recognized_lines(texts)
    if not any("\n" in text for text in texts):
        return lines
    return max(lines, recognized_lines(["".join(texts)]), key=len)


def _collect_rows(items: list[object], site: Path, parent: Row | None, tables: _Tables, depth: int) -> None:
    """Turns the elements of a list into rows."""
    place = (*site, EACH)
    if tables.count + len(items) > MAX_ROWS:
        raise json_text.TooManyError("the document has too many values")
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
        row = Row(tables.count, values, parent)
        tables.count += 1
        tables.tables[place].append(row)
        if depth < MAX_DEPTH:
            for path, inner in lists:
                _collect_rows(inner, place + path, row, tables, depth + 1)


def _is_row(item: list[object]) -> bool:
    return 1 < len(item) <= _MAX_ROW_WIDTH and not any(isinstance(value, dict | list) for value in item)


def _is_stamped(item: object) -> bool:
    """Whether this is a list of a time and something else."""
    return isinstance(item, list) and len(item) > 1 and _STAMPED.match(str(item[0])) is not None


def _is_mixed(item: list[object]) -> bool:
    return _is_row(item) and any(isinstance(value, str) for value in item) != all(
        isinstance(value, str) for value in item
    )


def _flatten(
    value: object, path: Path, values: dict[Path, Scalar], lists: list[tuple[Path, list[object]]], depth: int
) -> None:
    """Adds the values inside `value` to `values`, and its lists to `lists`."""
    if isinstance(value, str):
        value = _unpack_nested_json(value)
    if isinstance(value, dict | list):
        members = _members(value)
        if members is None:
            lists.append((path, _elements(value)))
        elif len(path) + depth < MAX_DEPTH:
            for key, inner in members:
                _flatten(inner, (*path, key), values, lists, depth)
    elif isinstance(value, str):
        values[path] = _drop_surrogates(value)
    elif isinstance(value, int | float | bool | None):
        values[path] = value


def _members(value: dict[str, object] | list[object]) -> list[tuple[str | int, object]] | None:
    """The members of an object, or of a list that is one row; None for a list of rows."""
    if isinstance(value, list):
        return list(enumerate(value)) if _is_mixed(value) else None
    return None if _is_list(value) else [(_drop_surrogates(key), inner) for key, inner in value.items()]


def _elements(value: dict[str, object] | list[object]) -> list[object]:
    """The elements of a list, or of an object that is used as a list."""
    return value if isinstance(value, list) else [{"key": key, "value": inner} for key, inner in value.items()]


def _drop_surrogates(text: str) -> str:
    """`text` without unpaired surrogates, which cannot be encoded."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _is_list(value: dict[str, object]) -> bool:
    """Whether the keys of an object are the numbers or times of its elements."""
    return len(value) >= MIN_NUMBERED_KEYS and all(_NUMBERED.match(key) for key in value)


def _unpack_nested_json(value: object) -> object:
    """A string that contains a JSON object, or a list of objects, as that value."""
    for _ in range(MAX_NESTED_JSON):
        if (
            not isinstance(value, str)
            or not value.lstrip().startswith(("{", "["))
            or value.rstrip()[-1:] not in {"}", "]"}
        ):
            return value
        try:
            inner = json_text.parse(value)
        except ValueError:
            return value
        if not isinstance(inner, dict) and not (isinstance(inner, list) and inner and isinstance(inner[0], dict)):
            return value
        value = inner
    return value
