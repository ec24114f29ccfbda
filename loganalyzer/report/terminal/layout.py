"""Lines and grids of words, laid out as text: what a summary says, before anybody knows where it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

Words = tuple[str, str]
"""A text and its style, which may be empty."""

_GAP: Final = 2
"""Blanks between the columns of a grid."""
_NARROW: Final = frozenset("–…→×‹›“”’")
"""Characters beyond the Latin ones that take one cell; of others, the terminal's own library knows."""
_FIRST_WIDE: Final = "\u0300"


class Line(NamedTuple):
    """Words behind one another, on as many rows as they need, all of them indented."""

    words: tuple[Words, ...] = ()
    indent: int = 0


class Grid(NamedTuple):
    """Rows of cells below the columns' names; columns named in `left` begin alike, the others end alike."""

    columns: tuple[str, ...]
    left: tuple[str, ...]
    rows: tuple[Sequence[Words], ...]
    indent: int = 2


Block = Line | Grid


def plain(blocks: Iterable[Block], width: int) -> str | None:
    """The blocks as text without styles; None where a text holds characters of other widths, or a grid is too wide."""
    rows: list[str] = []
    for block in blocks:
        laid = _line(block, width) if isinstance(block, Line) else _grid(block, width)
        if laid is None:
            return None
        rows += laid
    return "".join(f"{row}\n" for row in rows)


def _is_narrow(text: str) -> bool:
    if text.isascii():
        return text.isprintable()
    return text.isprintable() and all(mark < _FIRST_WIDE or mark in _NARROW for mark in text)


def _line(line: Line, width: int) -> list[str] | None:
    text = "".join(text for text, _ in line.words)
    if not _is_narrow(text):
        return None
    if not line.indent:
        return list(_wrapped(text, width)) or [""]
    room = min(len(text), width - line.indent)
    return [" " * line.indent + row.ljust(room) for row in _wrapped(text, room)] or [" " * line.indent]


def _wrapped(text: str, width: int) -> Iterator[str]:
    """`text` broken between words, and inside of words that are too long for a row."""
    row = ""
    for word in re.findall(r"\s*\S+\s*", text):
        if len(row) + len(word.rstrip()) <= width:
            row += word
            continue
        if row:
            yield _ended(row, width)
        *full, row = _folded(word, width)
        yield from full
    if row:
        yield _ended(row, width)


def _folded(word: str, width: int) -> list[str]:
    if len(word.rstrip()) <= width:
        return [word]
    return [word[start : start + width] for start in range(0, len(word), width)]


def _ended(row: str, width: int) -> str:
    """`row` without the blanks that no longer fit."""
    return row[: max(width, len(row.rstrip()))]


def _grid(grid: Grid, width: int) -> list[str] | None:
    rows = [grid.columns, *([text for text, _ in row] for row in grid.rows)]
    if not all(_is_narrow(text) for row in rows for text in row):
        return None
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if grid.indent + sum(widths) + _GAP * (len(widths) - 1) > width:
        return None
    aligned = [str.ljust if name in grid.left else str.rjust for name in grid.columns]
    return [
        " " * grid.indent
        + (" " * _GAP).join(align(text, size) for align, text, size in zip(aligned, row, widths, strict=True))
        for row in rows
    ]
