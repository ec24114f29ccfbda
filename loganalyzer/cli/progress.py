"""Shows reading progress on a terminal if reading takes long."""

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
"""Seconds before the bar appears: a bar that only flickers is useless."""

OnRead = Callable[[str, int], None]
"""A function that takes an input's name and the number of bytes just read."""


@contextmanager
def show(paths: Sequence[str], *, quiet: bool) -> Iterator[OnRead | None]:
    """Yields a function that shows progress on standard error; None if nobody would see it."""
    typed = inputs.STDIN in paths and _is_terminal(sys.stdin)
    if quiet or typed or not _is_terminal(sys.stderr):
        yield None
        return
    display = _Display(paths, sys.stderr)
    waiting = Timer(PATIENCE_S, display.start)
    waiting.daemon = True
    waiting.start()
    try:
        yield display.add
    finally:
        waiting.cancel()
        display.stop()


def _is_terminal(stream: IO[str] | None) -> bool:
    """Whether the stream is a terminal; it is None if it was closed before Python started."""
    return stream is not None and stream.isatty()


class _Display:
    """A progress bar, drawn from `start` (called by a thread) until `stop`, which erases it."""

    def __init__(self, paths: Sequence[str], file: IO[str]) -> None:
        self._paths, self._file = paths, file
        self._lock = Lock()
        self._name = ""
        self._done = 0
        self._is_stopped = False
        self._drawn: Progress | None = None

    def add(self, name: str, size: int) -> None:
        """Adds bytes that were read of an input."""
        with self._lock:
            self._name = one_line(PurePath(name).name)
            self._done += size
            if self._drawn:
                self._drawn.update(self._drawn.task_ids[0], completed=self._done, description=self._name)

    def start(self) -> None:
        """Starts drawing."""
        total = size_of(self._paths)
        with self._lock:
            if not self._is_stopped:
                self._drawn = _bar(self._file)
                self._drawn.add_task(self._name, total=total, completed=self._done)
                self._drawn.start()

    def stop(self) -> None:
        """Stops drawing and erases the bar."""
        with self._lock:
            self._is_stopped = True
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
    """Returns the total bytes of these arguments; None if it is known only after reading."""
    if inputs.STDIN in arguments:
        return None
    size = 0
    for name in inputs.find_inputs(arguments):
        if isinstance(name, SourceError):
            continue
        path = Path(name)
        if path.suffix.lower() in archives.SUFFIXES or archives.is_archive(name):
            return None
        try:
            size += path.stat().st_size
        except OSError:
            continue
    return size
