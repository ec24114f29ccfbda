"""Tables of a log service to rows: CSV, TSV and the like, with any header or none; and `key=value` lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Final

from loganalyzer.sources.exports.recognition import recognized, values_told

DELIMITERS: Final = (",", "\t", ";")
SHARE: Final = 0.9
"""Share of the first rows that must have as many cells as the first, for a text to be a table."""
FEWEST_ROWS: Final = 3
LONGEST_CELL: Final = 64 << 20
_FIRST: Final = 4096
_SAMPLE: Final = 200
_RETURN: Final = "\x1d"
"""Stands for a carriage return while a table is read: to the reader of CSV it would end the row."""
_HEADER: Final = re.compile(r"[^\x00-\x1f]{0,80}")
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_CLOCK: Final = re.compile(r".{0,20}?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d,\d{3}\b")
"""A stamp of Python's logging, which has a comma in it, at the beginning of a line."""
_PAIR: Final = r'[A-Za-z_@][\w.@/-]*=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)'
_PAIRS: Final = re.compile(rf"\s*{_PAIR}(?:\s+{_PAIR})+\s*")
_EACH_PAIR: Final = re.compile(r'([A-Za-z_@][\w.@/-]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))')
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}


def delimiter(head: str) -> str | None:
    """What stands between the cells of a table that begins so; None where it begins no table."""
    first = [line for line in head[:_FIRST].split("\n") if line][:FEWEST_ROWS]
    if not first or _CLOCK.match(first[0]):
        return None
    for one in DELIMITERS:
        is_open = one + '"' in first[-1] or one + '"' in first[min(1, len(first) - 1)]
        if not (is_open or all(one in line or line[:1] == '"' for line in first)):
            continue
        rows = list(_sample(head, one))
        if len(rows) < FEWEST_ROWS - any("\n" in cell for row in rows for cell in row):
            continue
        width = len(rows[0])
        if width == 1 and not all(_QUOTED.fullmatch(line) for line in head.split("\n")[:_SAMPLE][:-1] if line):
            continue
        if sum(len(row) == width for row in rows) < SHARE * len(rows) or (width == 1 and one != ","):
            continue
        if all(map(_HEADER.fullmatch, rows[0])) and _tells_more(rows, one):
            return one
    return None


def _sample(head: str, one: str) -> Iterator[list[str]]:
    """The first rows; the last line of the head may be cut."""
    lines = head.split("\n")
    lines = lines[:-1] if len(lines) > 1 else lines
    try:
        yield from (row for row in _rows("\n".join(lines[:_SAMPLE]), one) if row)
    except csv.Error:
        return


def _tells_more(rows: Sequence[Sequence[str]], one: str) -> bool:
    """Whether the cells of a column tell what whole rows do not: lines of a log may have a comma each, too."""
    columns = [[row[place] for row in rows if len(row) > place] for place in range(len(rows[0]))]
    column = max(columns, key=lambda cells: len(recognized(cells)))
    if not recognized(column):
        return False
    return sum(values_told(column)) >= sum(values_told([one.join(row) for row in rows]))


def _rows(text: str, one: str) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_CELL)
    shown = text.replace("\r\n", "\n").replace("\r", _RETURN)
    for row in csv.reader(StringIO(shown, newline="\n"), delimiter=one):
        yield [cell.replace(_RETURN, "\r") for cell in row]


def rows(text: str, one: str) -> tuple[list[object], int] | None:
    """The rows of a table as objects, and how many lines its header takes; None where it is damaged."""
    try:
        every = list(_rows(text, one))
    except csv.Error:
        return None
    while every and not every[-1]:
        every.pop()
    if not every:
        return None
    has_header = not recognized(every[0]) and not any(re.match(r"\d{4}-\d\d-\d\d|\d{10}", cell) for cell in every[0])
    names = [has_header * name or f"column {place}" for place, name in enumerate(every[0], 1)]
    last = len(names) - 1
    made: list[object] = [
        dict(zip(names, [*row[:last], one.join(row[last:])] if len(row) > len(names) else row, strict=False))
        for row in every[has_header:]
    ]
    return made, int(has_header)


def is_pairs(head: str) -> bool:
    """Whether most of these lines are `key=value` pairs; the last may be cut."""
    if "=" not in head[: head.find("\n")]:
        return False
    lines = [line for line in head.split("\n")[:-1] if line.strip()][:_SAMPLE]
    return len(lines) >= FEWEST_ROWS and sum(_PAIRS.fullmatch(line) is not None for line in lines) >= SHARE * len(lines)


def pairs(text: str) -> list[object]:
    """The lines of `key=value` pairs as objects, others as they are."""
    return [_pairs_of(line) for line in text.removesuffix("\n").split("\n")]


def _pairs_of(line: str) -> object:
    if not _PAIRS.fullmatch(line):
        return line
    return {
        name: bare or _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), quoted)
        for name, quoted, bare in _EACH_PAIR.findall(line)
    }
