"""Draws lines and grids on a terminal, in color and at its width."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import IO, Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from loganalyzer.report.terminal.layout import Block, file_width, rows

_console: Final = partial(Console, highlight=False, markup=False, emoji=False)
"""Texts have no markup, and loading the emoji table takes longer than writing a summary."""


def console(file: IO[str]) -> Console:
    """Returns a console on `file`: in color at the terminal's width; for a file, plain and `file_width` wide."""
    terminal = _console(file=file)
    return terminal if terminal.is_terminal else _console(file=file, width=file_width(), no_color=True)


def draw(blocks: Sequence[Block], out: Console) -> None:
    """Draws the blocks one below the other."""
    for row in rows(blocks, out.width, cell_len):
        text = Text.assemble(*row)
        text.rstrip()
        out.print(text, no_wrap=True, overflow="ignore", crop=False)
