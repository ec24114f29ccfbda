"""Lines and grids on a terminal: coloured, and as wide as it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import IO, Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from loganalyzer.report.terminal.layout import Block, Grid, Line

PLAIN_WIDTH: Final = 120
_console: Final = partial(Console, highlight=False, markup=False, emoji=False)
"""No text has markup of ours, and the table of emoji takes longer to load than a summary to write."""


def console(file: IO[str]) -> Console:
    """A console on `file`: coloured and as wide as the terminal, or plain where there is none."""
    terminal = _console(file=file)
    return terminal if terminal.is_terminal else _console(file=file, width=PLAIN_WIDTH, no_color=True)


def draw(blocks: Sequence[Block], out: Console) -> None:
    """The blocks, one below the other."""
    for block in blocks:
        out.print(_grid(block) if isinstance(block, Grid) else _line(block))


def _line(line: Line) -> Text | Padding:
    text = Text.assemble(*line.words)
    return Padding(text, (0, 0, 0, line.indent), expand=False) if line.indent else text


def _grid(grid: Grid) -> Padding:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for place, name in enumerate(grid.columns):
        table.add_column(
            name, justify="left" if name in grid.left else "right", overflow="ellipsis" if place else "fold"
        )
    for row in grid.rows:
        table.add_row(*(Text(text, style=style) for text, style in row))
    return Padding(table, (0, 0, 0, grid.indent), expand=False)
