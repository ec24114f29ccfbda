"""The default engine: reads all inputs in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loganalyzer.common.errors import SourceError
from loganalyzer.engine.collector import Tables
from loganalyzer.engine.read import Progress, tabulate
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import Input, open_input


class LocalEngine:
    """Reads inputs with the threads of this machine."""

    def tables(
        self, names: Iterable[str | SourceError], settings: Settings, progress: Progress | None = None
    ) -> Tables:
        """See `Engine`."""
        return tabulate(open_inputs(names), settings, progress=progress)


def open_inputs(names: Iterable[str | SourceError]) -> Iterator[Input | SourceError]:
    """Opens inputs by name. An input that cannot be opened is replaced by its error."""
    for name in names:
        if isinstance(name, SourceError):
            yield name
            continue
        try:
            yield from open_input(name)
        except SourceError as error:
            yield error
