"""Shows what `loganalyze watch` sees: warnings, and the progress of each run."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from loganalyzer.common.formatting import one_line

if TYPE_CHECKING:
    from loganalyzer.watch.outlook import WatchWarning
    from loganalyzer.watch.watching import Look


class Display:
    """Prints warnings, and the runs below: redrawn on a terminal, otherwise printed when they change."""

    def __init__(self) -> None:
        self._drawn = 0
        self._printed: dict[int, tuple[object, ...]] = {}
        self._is_terminal = sys.stdout is not None and sys.stdout.isatty()

    def show(self, look: Look) -> None:
        """Draws one look."""
        self._show_notices(look)
        if not look.grown:
            return
        self._wipe()
        for warned in look.warned:
            click.echo(format_warning(warned))
        for run in look.runs:
            text = str(run)
            if self._is_terminal:
                click.echo(text[: max(_width() - 1, 20)])
                self._drawn += 1
            elif self._printed.get(run.line) != (run.window, run.status):
                self._printed[run.line] = (run.window, run.status)
                click.echo(text)
        if self._is_terminal and all(run.status != "truncated" for run in look.runs):
            self._keep_lines()

    def _show_notices(self, look: Look) -> None:
        if look.notice:
            self._keep_lines()
            click.echo(f"loganalyze: {one_line(look.notice)}", err=True)
        if look.is_new:
            self._keep_lines()
            click.echo("the log started anew")

    def _wipe(self) -> None:
        if self._drawn:
            click.echo(f"\x1b[{self._drawn}A\x1b[J", nl=False)
            self._drawn = 0

    def _keep_lines(self) -> None:
        self._drawn = 0


def _width() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def format_warning(warned: WatchWarning) -> str:
    """Returns a warning as lines for people."""
    fix = "\n    ".join(map(one_line, warned.fix.split("\n")))
    head = f"{time.strftime('%H:%M:%S')} {warned.severity} {warned.rule} {warned.name}, line {warned.line}"
    return f"{head}\n  {one_line(warned.message)}\n  fix: {fix}"
