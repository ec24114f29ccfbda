"""How far the reading has come, on a terminal only and only where it takes long."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath
from threading import Lock, Timer
from typing import IO, TYPE_CHECKING, Final

from loganalyzer.common.errors import SourceError
from loganalyzer.common.formatting import one_line
from loganalyzer.sources import archives, inputs

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE_S: Final = 1.0
"""Work that is done sooner shows nothing: a bar that flickers by tells nobody anything."""

Told = Callable[[str, int], None]
"""Takes an input's name, and how many bytes of it were read more."""


@contextmanager
def shown(paths: Sequence[str], *, quiet: bool) -> Iterator[Told | None]:
    """Something to tell the progress to, shown on standard error; None where nobody would see it."""
    typed = inputs.STDIN in paths and _is_terminal(sys.stdin)
    if quiet or typed or not _is_terminal(sys.stderr):
        yield None
        return
    display = _Display(paths, sys.stderr)
    waiting = Timer(PATIENCE_S, display.begin)
    waiting.daemon = True
    waiting.start()
    try:
        yield display.told
    finally:
        waiting.cancel()
        display.end()


def _is_terminal(stream: IO[str] | None) -> bool:
    """Python has None for a stream that was closed before it started."""
    return stream is not None and stream.isatty()


class _Display:
    """What was read so far; drawn from `begin` on, which a thread of its own calls, until `end`, which wipes it out."""

    def __init__(self, paths: Sequence[str], file: IO[str]) -> None:
        self._paths, self._file = paths, file
        self._lock = Lock()
        self._name = ""
        self._done = 0
        self._ended = False
        self._drawn: Progress | None = None

    def told(self, name: str, size: int) -> None:
        """So many bytes more of an input were read."""
        with self._lock:
            self._name = one_line(PurePath(name).name)
            self._done += size
            if self._drawn:
                self._drawn.update(self._drawn.task_ids[0], completed=self._done, description=self._name)

    def begin(self) -> None:
        """Draw from now on."""
        total = size_of(self._paths)
        with self._lock:
            if not self._ended:
                self._drawn = _bar(self._file)
                self._drawn.add_task(self._name, total=total, completed=self._done)
                self._drawn.start()

    def end(self) -> None:
        """Leave the terminal as it was."""
        with self._lock:
            self._ended = True
            if self._drawn:
                self._drawn.stop()


def _bar(file: IO[str]) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
    from rich.table import Column

    console = Console(file=file)
    name = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), name)
    return Progress(*columns, console=console, transient=True, disable=console.is_dumb_terminal)


def size_of(arguments: Sequence[str]) -> int | None:
    """How many bytes stand behind these arguments; None where that shows only while they are read."""
    if inputs.STDIN in arguments:
        return None
    size = 0
    for name in inputs.find_inputs(arguments):
        if isinstance(name, SourceError):
            continue
        path = Path(name)
        if path.suffix.lower() in (*archives.SUFFIXES, archives.ZIP):
            return None
        try:
            size += path.stat().st_size
        except OSError:
            continue
    return size
