"""Lines and grids of words, laid out in rows of so many columns, before anything is known of where they are shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

Words = tuple[str, str]
"""A text and its style, which may be empty."""
Row = list[Words]
"""One row of the screen."""
Measure = Callable[[str], int]
"""The number of cells that a text takes."""
Cut = Literal["", "middle", "end"]
"""Where a text may be shortened."""

_GAP: Final = 2
"""Blanks between the columns of a grid."""
EXTRA: Final = 3
"""Columns of this rank and beyond are not worth a shortened cell."""
_ELLIPSIS: Final = "…"
_NARROW: Final = frozenset("–…→×‹›“”’·")
"""Characters beyond the Latin ones that take one cell; of others, the terminal's own library knows."""
_FIRST_WIDE: Final = "\u0300"


class Line(NamedTuple):
    """Words behind one another, on as many rows as they need.

    Attributes:
        words: the words.
        indent: blanks before the first row.
        hang: further blanks before the other rows.
        most: the number of rows, the last one ending in an ellipsis where there would be more; 0 is no limit.
        is_whole: whether it is rather indented less than broken: commands are there to be copied.
    """

    words: tuple[Words, ...] = ()
    indent: int = 0
    hang: int = 0
    most: int = 0
    is_whole: bool = False


class Column(NamedTuple):
    """A column of a grid.

    Attributes:
        name: stands above it.
        left: whether its cells begin alike; the others end alike.
        rank: columns of the highest rank are left out first where the grid is too wide, those of `EXTRA` and beyond
            before any cell is shortened; 0 is never left out.
        cut: where its cells may be shortened.
        least: the width that shortening leaves.
    """

    name: str
    left: bool = False
    rank: int = 0
    cut: Cut = ""
    least: int = 0


class Grid(NamedTuple):
    """Rows of cells below the columns' names; no cell takes more than one row."""

    columns: tuple[Column, ...]
    rows: tuple[Sequence[Words], ...]
    indent: int = 2


Block = Line | Grid


def plain(blocks: Sequence[Block], width: int) -> str | None:
    """The blocks as text without styles; None where a text holds characters that take no cell or two."""
    if not all(_is_narrow(text) for block in blocks for text in _texts(block)):
        return None
    return "".join("".join(text for text, _ in row).rstrip() + "\n" for row in rows(blocks, width, len))


def rows(blocks: Iterable[Block], width: int, measure: Measure) -> Iterator[Row]:
    """The rows of the screen, none of them wider than `width`."""
    for block in blocks:
        yield from _grid(block, width, measure) if isinstance(block, Grid) else _line(block, width, measure)


def _texts(block: Block) -> Iterator[str]:
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
    """`text` with an ellipsis in place of what does not fit: of its end, or of its middle."""
    if measure(text) <= width:
        return text
    if width < 1:
        return ""
    behind = (width - 1) // 2 if cut == "middle" else 0
    tail = _head(text[::-1], behind, measure)[::-1]
    return _head(text, width - 1 - measure(tail), measure) + _ELLIPSIS + tail


def _head(text: str, width: int, measure: Measure) -> str:
    """As much of the text's beginning as fits."""
    end = min(len(text), max(width, 0))
    while end and measure(text[:end]) > width:
        end -= 1
    return text[:end]


def _line(line: Line, width: int, measure: Measure) -> Iterator[Row]:
    text = "".join(text for text, _ in line.words)
    indent = min(line.indent, width // 2)
    if line.is_whole and measure(text) > width - indent:
        indent = max(width - measure(text), 0)
    hang = min(indent + line.hang, width // 2)
    spans = list(_wrapped(text, width - indent, width - hang, measure)) or [(0, 0)]
    shown = spans[: line.most or None]
    for number, (start, end) in enumerate(shown):
        margin = hang if number else indent
        row: Row = [(" " * margin, "")] if margin else []
        if number + 1 == len(shown) < len(spans):
            yield [*row, *_cut(_styled(line.words, start, len(text)), width - margin, measure)]
        else:
            yield [*row, *_styled(line.words, start, end)]


def _cut(words: Sequence[Words], width: int, measure: Measure) -> Row:
    """Words that end in an ellipsis where they would be too wide."""
    said: Row = []
    for text, style in words:
        left = width - sum(measure(before) for before, _ in said)
        short = shortened(text, left, measure)
        said.append((short, style))
        if short != text:
            break
    return said


def _styled(words: Sequence[Words], start: int, end: int) -> Row:
    """The part of the words from one character to another, with its styles."""
    found: Row = []
    place = 0
    for text, style in words:
        part = text[max(start - place, 0) : max(end - place, 0)]
        if part:
            found.append((part, style))
        place += len(text)
    return found


def _wrapped(text: str, first: int, rest: int, measure: Measure) -> Iterator[tuple[int, int]]:
    """Where each row begins and ends: broken between words, and inside of words that are too long for a row."""
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
            folded = start + max(len(_head(text[start:end], width, measure)), 1)
            yield start, folded
            start, width = folded, rest
    if end > start:
        yield start, end


def _grid(grid: Grid, width: int, measure: Measure) -> Iterator[Row]:
    cells = [[text for text, _ in row] for row in grid.rows]
    natural = [
        max(map(measure, (column.name, *(row[place] for row in cells)))) for place, column in enumerate(grid.columns)
    ]
    shown, widths = _fitted(grid.columns, natural, width - grid.indent, measure)
    header = [(column.name, "dim") for column in grid.columns]
    for row in [header, *grid.rows]:
        said: Row = [(" " * grid.indent, "")] if grid.indent else []
        for number, (place, size) in enumerate(zip(shown, widths, strict=True)):
            column, (text, style) = grid.columns[place], row[place]
            short = shortened(text, size, measure, column.cut or "end")
            blank = " " * (size - measure(short))
            gap = " " * (_GAP if number else 0)
            said += [(gap, ""), (short, style), (blank, "")] if column.left else [(gap + blank, ""), (short, style)]
        yield said


def _fitted(
    columns: Sequence[Column], natural: Sequence[int], width: int, measure: Measure
) -> tuple[list[int], list[int]]:
    """The columns that are shown and their widths."""
    least = [min(size, max(column.least, measure(column.name))) if column.cut else size
             for column, size in zip(columns, natural, strict=True)]  # fmt: skip
    shown = list(range(len(columns)))
    _leave_out(columns, shown, natural, width, EXTRA)
    _leave_out(columns, shown, least, width, 1)
    widths = {place: least[place] for place in shown}
    spare = width - _total(least, shown)
    for place in sorted(shown, key=lambda place: natural[place] - least[place]):
        more = min(max(spare, 0), natural[place] - least[place])
        widths[place] += more
        spare -= more
    for place in sorted(shown, key=lambda place: -widths[place]):
        less = min(max(-spare, 0), widths[place] - 1)
        widths[place] -= less
        spare += less
    return shown, [widths[place] for place in shown]


def _leave_out(columns: Sequence[Column], shown: list[int], sizes: Sequence[int], width: int, rank: int) -> None:
    """Take out of `shown` columns of this rank and beyond, the highest first, until the others fit."""
    while _total(sizes, shown) > width and any(columns[place].rank >= rank for place in shown):
        shown.remove(max(shown, key=lambda place: columns[place].rank))


def _total(sizes: Sequence[int], shown: Sequence[int]) -> int:
    return sum(sizes[place] for place in shown) + _GAP * (len(shown) - 1)
