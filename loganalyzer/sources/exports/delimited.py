"""Parses a log service's tables (CSV, TSV and similar, with or without a header) and `key=value` lines into rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Final

from loganalyzer.sources.exports.recognition import count_values, recognized_lines

DELIMITERS: Final = (",", "\t", ";")
MIN_SHARE: Final = 0.9
"""Minimum share of the first rows that must have as many cells as the first for a text to be a table."""
MIN_ROWS: Final = 3
MAX_CELL: Final = 64 << 20
_FIRST: Final = 4096
_SAMPLE: Final = 200
_RETURN: Final = "\x1d"
"""Stands for a carriage return while a table is read, since the CSV reader would end the row there."""
_HEADER: Final = re.compile(r"[^\x00-\x1f]{0,80}")
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_CLOCK: Final = re.compile(r".{0,20}?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d,\d{3}\b")
"""A timestamp of Python's logging, which contains a comma, at the beginning of a line."""
_PAIR: Final = r'[A-Za-z_@][\w.@/-]*=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)'
_PAIRS: Final = re.compile(rf"\s*{_PAIR}(?:\s+{_PAIR})+\s*")
_EACH_PAIR: Final = re.compile(r'([A-Za-z_@][\w.@/-]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))')
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}


def detect_delimiter(head: str) -> str | None:
    """The delimiter of a table that starts with `head`; None if it is not a table."""
    first = [line for line in head[:_FIRST].split("\n") if line][:MIN_ROWS]
    if not first or _CLOCK.match(first[0]):
        return None
    for delimiter in DELIMITERS:
        is_open = delimiter + '"' in first[-1] or delimiter + '"' in first[min(1, len(first) - 1)]
        if not (is_open or all(delimiter in line or line[:1] == '"' for line in first)):
            continue
        rows = list(_sample_rows(head, delimiter))
        if len(rows) < MIN_ROWS - any("\n" in cell for row in rows for cell in row):
            continue
        width = len(rows[0])
        if width == 1 and not all(_QUOTED.fullmatch(line) for line in head.split("\n")[:_SAMPLE][:-1] if line):
            continue
        if sum(len(row) == width for row in rows) < MIN_SHARE * len(rows) or (width == 1 and delimiter != ","):
            continue
        if all(map(_HEADER.fullmatch, rows[0])) and _has_message_column(rows, delimiter):
            return delimiter
    return None


def _sample_rows(head: str, delimiter: str) -> Iterator[list[str]]:
    """The first rows. The last line of the head may be incomplete and is skipped."""
    lines = head.split("\n")
    lines = lines[:-1] if len(lines) > 1 else lines
    try:
        yield from (row for row in _read_csv("\n".join(lines[:_SAMPLE]), delimiter) if row)
    except csv.Error:
        return


def _has_message_column(rows: Sequence[Sequence[str]], delimiter: str) -> bool:
    """Whether one column alone yields as many values as complete rows: each line of a log may contain a comma, too."""
    columns = [[row[place] for row in rows if len(row) > place] for place in range(len(rows[0]))]
    column = max(columns, key=lambda cells: len(recognized_lines(cells)))
    if not recognized_lines(column):
        return False
    return sum(count_values(column)) >= sum(count_values([delimiter.join(row) for row in rows]))


def _read_csv(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_CELL)
    shown = text.replace("\r\n", "\n").replace("\r", _RETURN)
    for row in csv.reader(StringIO(shown, newline="\n"), delimiter=delimiter):
        yield [cell.replace(_RETURN, "\r") for cell in row]


def parse_rows(text: str, delimiter: str) -> tuple[list[object], int] | None:
    """The rows of a table as objects, and the number of header lines; None if the table is damaged."""
    try:
        table = list(_read_csv(text, delimiter))
    except csv.Error:
        return None
    while table and not table[-1]:
        table.pop()
    if not table:
        return None
    has_header = not recognized_lines(table[0]) and not any(
        re.match(r"\d{4}-\d\d-\d\d|\d{10}", cell) for cell in table[0]
    )
    names = [has_header * name or f"column {place}" for place, name in enumerate(table[0], 1)]
    last = len(names) - 1
    objects: list[object] = [
        dict(zip(names, [*row[:last], delimiter.join(row[last:])] if len(row) > len(names) else row, strict=False))
        for row in table[has_header:]
    ]
    return objects, int(has_header)


def is_pairs(head: str) -> bool:
    """Whether most of these lines are `key=value` pairs; the last may be incomplete."""
    if "=" not in head[: head.find("\n")]:
        return False
    lines = [line for line in head.split("\n")[:-1] if line.strip()][:_SAMPLE]
    return len(lines) >= MIN_ROWS and sum(_PAIRS.fullmatch(line) is not None for line in lines) >= MIN_SHARE * len(
        lines
    )


def parse_pairs(text: str) -> list[object]:
    """Lines of `key=value` pairs as objects; other lines unchanged."""
    return [_parse_pairs_line(line) for line in text.removesuffix("\n").split("\n")]


def _parse_pairs_line(line: str) -> object:
    if not _PAIRS.fullmatch(line):
        return line
    return {
        name: bare or _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), quoted)
        for name, quoted, bare in _EACH_PAIR.findall(line)
    }
