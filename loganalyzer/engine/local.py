"""The engine of this process: all inputs in one go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loganalyzer.common.errors import SourceError
from loganalyzer.engine.collector import Tables
from loganalyzer.engine.read import Progress, tabulate
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import Input, read


class Local:
    """Reads here, with the threads of this machine."""

    def tables(
        self, names: Iterable[str | SourceError], settings: Settings, progress: Progress | None = None
    ) -> Tables:
        """See `Engine`."""
        return tabulate(opened(names), settings, progress=progress)


def opened(names: Iterable[str | SourceError]) -> Iterator[Input | SourceError]:
    """The inputs behind these names; what cannot be opened comes as an error in its place."""
    for name in names:
        if isinstance(name, SourceError):
            yield name
            continue
        try:
            yield from read(name)
        except SourceError as error:
            yield error
