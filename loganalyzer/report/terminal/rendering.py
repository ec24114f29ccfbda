"""Lines and grids on a terminal: coloured, and as wide as it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import IO, Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from loganalyzer.report.terminal.layout import Block, rows

PLAIN_WIDTH: Final = 120
_console: Final = partial(Console, highlight=False, markup=False, emoji=False)
"""No text has markup of ours, and the table of emoji takes longer to load than a summary to write."""


def console(file: IO[str]) -> Console:
    """A console on `file`: coloured and as wide as the terminal, or plain where there is none."""
    terminal = _console(file=file)
    return terminal if terminal.is_terminal else _console(file=file, width=PLAIN_WIDTH, no_color=True)


def draw(blocks: Sequence[Block], out: Console) -> None:
    """The blocks, one below the other."""
    for row in rows(blocks, out.width, cell_len):
        text = Text.assemble(*row)
        text.rstrip()
        out.print(text, no_wrap=True, overflow="ignore", crop=False)
