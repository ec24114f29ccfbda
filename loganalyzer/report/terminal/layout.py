"""Lays out lines and grids of styled text in rows of a given width, independent of the output."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

Words = tuple[str, str]
"""A text and its style (may be empty)."""
Row = list[Words]
"""One row on the screen."""
Measure = Callable[[str], int]
"""Returns the number of cells that a text takes."""
Cut = Literal["", "middle", "end"]
"""Where a text may be shortened; empty: nowhere."""

_GAP: Final = 2
"""Spaces between the columns of a grid."""
EXTRA: Final = 3
"""Columns of this rank and higher are dropped before any cell is shortened."""
_ELLIPSIS: Final = "…"
_FILE_WIDTH: Final = 120
_NARROWEST: Final = 40
_MOST_DIGITS: Final = 4
_NARROW: Final = frozenset("–…→×‹›“”’·")
"""Non-Latin characters that take one cell; only the terminal library knows the width of others."""
_FIRST_WIDE: Final = "\u0300"


def file_width() -> int:
    """The width of text for a file or a pipe: `COLUMNS` from 40 on, as terminals set it, else 120."""
    columns = os.environ.get("COLUMNS", "")
    wanted = int(columns) if columns.isascii() and columns.isdigit() and len(columns) <= _MOST_DIGITS else 0
    return wanted if wanted >= _NARROWEST else _FILE_WIDTH


class Line(NamedTuple):
    """Words that wrap to as many rows as they need.

    Attributes:
        words: the words.
        indent: spaces before the first row.
        hang: additional spaces before the other rows.
        most: the most rows; the last one ends in an ellipsis if there are more. 0 means no limit.
        keeps_one_row: whether to reduce the indent before wrapping, because commands are for copying.
    """

    words: tuple[Words, ...] = ()
    indent: int = 0
    hang: int = 0
    most: int = 0
    keeps_one_row: bool = False


class Column(NamedTuple):
    """A column of a grid.

    Attributes:
        name: the header.
        left: whether cells are left-aligned; otherwise they are right-aligned.
        rank: if the grid is too wide, columns of the highest rank are dropped first; ranks from `EXTRA` up are dropped
            before any cell is shortened. Rank 0 is never dropped.
        cut: where its cells may be shortened.
        least: the minimum width of a shortened cell.
    """

    name: str
    left: bool = False
    rank: int = 0
    cut: Cut = ""
    least: int = 0


class Grid(NamedTuple):
    """Rows of cells below the column headers; each cell takes one row."""

    columns: tuple[Column, ...]
    rows: tuple[Sequence[Words], ...]
    indent: int = 2


Block = Line | Grid


def plain(blocks: Sequence[Block], width: int) -> str | None:
    """Returns the blocks as unstyled text; None if a character does not take exactly one cell."""
    if not all(_is_narrow(text) for block in blocks for text in _block_texts(block)):
        return None
    return "".join("".join(text for text, _ in row).rstrip() + "\n" for row in rows(blocks, width, len))


def rows(blocks: Iterable[Block], width: int, measure: Measure) -> Iterator[Row]:
    """Yields the rows on the screen, each at most `width` cells wide."""
    for block in blocks:
        yield from _grid_rows(block, width, measure) if isinstance(block, Grid) else _line_rows(block, width, measure)


def _block_texts(block: Block) -> Iterator[str]:
    if isinstance(block, Line):
        yield from (text for text, _ in block.words)
        return
    yield from (column.name for column in block.columns)
    yield from (text for row in block.rows for text, _ in row)


def _is_narrow(text: str) -> bool:
    if text.isascii():
        return text.isprintable()
    return text.isprintable() and all(mark < _FIRST_WIDE or mark in _NARROW for mark in text)


def shortened(text: str, width: int, measure: Measure, cut: Cut = "end") -> str:
    """Returns `text` with an ellipsis in place of the end or middle that does not fit."""
    if measure(text) <= width:
        return text
    if width < 1:
        return ""
    tail_width = (width - 1) // 2 if cut == "middle" else 0
    tail = _fitting_prefix(text[::-1], tail_width, measure)[::-1]
    return _fitting_prefix(text, width - 1 - measure(tail), measure) + _ELLIPSIS + tail


def _fitting_prefix(text: str, width: int, measure: Measure) -> str:
    """Returns the longest prefix of the text that fits."""
    end = min(len(text), max(width, 0))
    while end and measure(text[:end]) > width:
        end -= 1
    return text[:end]


def _line_rows(line: Line, width: int, measure: Measure) -> Iterator[Row]:
    text = "".join(text for text, _ in line.words)
    indent = min(line.indent, width // 2)
    if line.keeps_one_row and measure(text) > width - indent:
        indent = max(width - measure(text), 0)
    hang = min(indent + line.hang, width // 2)
    spans = list(_wrap(text, width - indent, width - hang, measure)) or [(0, 0)]
    shown = spans[: line.most or None]
    for number, (start, end) in enumerate(shown):
        margin = hang if number else indent
        row: Row = [(" " * margin, "")] if margin else []
        if number + 1 == len(shown) < len(spans):
            yield [*row, *_cut_words(_slice_words(line.words, start, len(text)), width - margin, measure)]
        else:
            yield [*row, *_slice_words(line.words, start, end)]


def _cut_words(words: Sequence[Words], width: int, measure: Measure) -> Row:
    """Returns words that end in an ellipsis if they are too wide."""
    kept: Row = []
    for text, style in words:
        left = width - sum(measure(before) for before, _ in kept)
        short = shortened(text, left, measure)
        kept.append((short, style))
        if short != text:
            break
    return kept


def _slice_words(words: Sequence[Words], start: int, end: int) -> Row:
    """Returns the words between two character positions, with their styles."""
    found: Row = []
    place = 0
    for text, style in words:
        part = text[max(start - place, 0) : max(end - place, 0)]
        if part:
            found.append((part, style))
        place += len(text)
    return found


def _wrap(text: str, first: int, rest: int, measure: Measure) -> Iterator[tuple[int, int]]:
    """Yields start and end of each row; breaks between words, and inside words too long for a row."""
    start, end, width = 0, 0, first
    for word in re.finditer(r"\S+", text):
        if measure(text[start : word.end()]) <= width:
            end = word.end()
            continue
        if end > start:
            yield start, end
            width = rest
        start, end = word.span()
        while measure(text[start:end]) > width:
            folded = start + max(len(_fitting_prefix(text[start:end], width, measure)), 1)
            yield start, folded
            start, width = folded, rest
    if end > start:
        yield start, end


def _grid_rows(grid: Grid, width: int, measure: Measure) -> Iterator[Row]:
    cells = [[text for text, _ in row] for row in grid.rows]
    natural = [
        max(map(measure, (column.name, *(row[place] for row in cells)))) for place, column in enumerate(grid.columns)
    ]
    shown, widths = _fit_columns(grid.columns, natural, width - grid.indent, measure)
    header = [(column.name, "dim") for column in grid.columns]
    for row in [header, *grid.rows]:
        parts: Row = [(" " * grid.indent, "")] if grid.indent else []
        for number, (place, size) in enumerate(zip(shown, widths, strict=True)):
            column, (text, style) = grid.columns[place], row[place]
            short = shortened(text, size, measure, column.cut or "end")
            blank = " " * (size - measure(short))
            gap = " " * (_GAP if number else 0)
            parts += [(gap, ""), (short, style), (blank, "")] if column.left else [(gap + blank, ""), (short, style)]
        yield parts


def _fit_columns(
    columns: Sequence[Column], natural: Sequence[int], width: int, measure: Measure
) -> tuple[list[int], list[int]]:
    """Returns the shown columns and their widths."""
    least = [min(size, max(column.least, measure(column.name))) if column.cut else size
             for column, size in zip(columns, natural, strict=True)]  # fmt: skip
    shown = list(range(len(columns)))
    _drop_columns(columns, shown, natural, width, EXTRA)
    _drop_columns(columns, shown, least, width, 1)
    widths = {place: least[place] for place in shown}
    spare = width - _total_width(least, shown)
    for place in sorted(shown, key=lambda place: natural[place] - least[place]):
        more = min(max(spare, 0), natural[place] - least[place])
        widths[place] += more
        spare -= more
    for place in sorted(shown, key=lambda place: -widths[place]):
        less = min(max(-spare, 0), widths[place] - 1)
        widths[place] -= less
        spare += less
    return shown, [widths[place] for place in shown]


def _drop_columns(columns: Sequence[Column], shown: list[int], sizes: Sequence[int], width: int, rank: int) -> None:
    """Removes columns of this rank and higher from `shown`, the highest rank first, until the rest fits."""
    while _total_width(sizes, shown) > width and any(columns[place].rank >= rank for place in shown):
        shown.remove(max(shown, key=lambda place: columns[place].rank))


def _total_width(sizes: Sequence[int], shown: Sequence[int]) -> int:
    return sum(sizes[place] for place in shown) + _GAP * (len(shown) - 1)
