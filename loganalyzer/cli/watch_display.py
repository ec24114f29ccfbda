"""Shows what `loganalyze watch` sees: warnings, and the progress of each run."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from loganalyzer.cli.output import STDOUT, use_utf8
from loganalyzer.common.errors import ReportError
from loganalyzer.common.formatting import one_line

if TYPE_CHECKING:
    from loganalyzer.watch.events import EventLines
    from loganalyzer.watch.outlook import WatchWarning
    from loganalyzer.watch.watching import Look


class Views:
    """Shows each look to people, and writes it as events for programs, as far as wanted."""

    def __init__(self, display: Display | None, write: Callable[[str], object] | None, events: EventLines) -> None:
        self._display, self._write, self._events = display, write or _ignore, events

    def start(self, source: str) -> None:
        """Writes the first event."""
        self._write(self._events.start(source))

    def show(self, look: Look) -> None:
        """Shows one look."""
        if self._display:
            self._display.show(look)
        for line in self._events.describe(look):
            self._write(line)

    def end(self, severities: set[str], *, has_run: bool) -> None:
        """Writes the last event."""
        self._write(self._events.end(severities, has_run=has_run))


def _ignore(_text: str) -> None:
    """Writes nothing."""


@contextmanager
def open_events(target: str | None) -> Iterator[Callable[[str], object] | None]:
    """Opens the file of `--json`; each line is written at once, so that programs can follow it.

    Raises:
        ReportError: it cannot be written.
    """
    if target is None:
        yield None
        return
    if target == STDOUT:
        use_utf8()
        yield lambda line: click.echo(line, nl=False)
        return
    try:
        with Path(target).open("w", encoding="utf-8", errors="backslashreplace", newline="\n", buffering=1) as file:
            yield file.write
    except OSError as error:
        raise ReportError(f"{target}: cannot be written: {error.strerror or error}", "name another file") from None


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
