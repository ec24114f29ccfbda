"""Collects the patterns of other installed packages. A package whose patterns are invalid costs only its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from loganalyzer.common.plugins import Plugin
from loganalyzer.grammar import model

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

Read = Callable[[str, "Traversable"], tuple[model.Pattern, ...]]
"""Reads a folder of pattern files; the text is a name for the cache."""


class InstalledPatterns(NamedTuple):
    """The patterns of other packages, their number per plugin, and a message per plugin that cannot be used."""

    patterns: tuple[model.Pattern, ...]
    counts: dict[Plugin, int]
    problems: dict[Plugin, str]


def collect_patterns(plugins: Iterable[Plugin], taken: Iterable[str], read: Read) -> InstalledPatterns:
    """The patterns of these plugins. Their ids must differ from the `taken` ones and from each other."""
    found = InstalledPatterns((), {}, {})
    ids = set(taken)
    for plugin in plugins:
        try:
            own = _read_plugin(plugin, ids, read)
        except Exception as error:  # noqa: BLE001 -- code of strangers may raise anything when it is imported
            text = str(error).replace("\n", ";")
            found.problems[plugin] = plugin.describe_problem("patterns", f"{type(error).__name__}: {text}")
            continue
        ids |= {pattern.id for pattern in own}
        found.counts[plugin] = len(own)
        found = found._replace(patterns=found.patterns + own)
    return found


def _read_plugin(plugin: Plugin, taken: set[str], read: Read) -> tuple[model.Pattern, ...]:
    """The patterns of one plugin, with the package before the name of their file.

    Raises:
        ValueError: the entry point is malformed, or an id is taken.
        Exception: the package cannot be imported, or a pattern file is invalid.
    """
    if not plugin.module:
        raise ValueError("the entry point names no module")
    own = read(f"plugin-{re.sub('[^a-z0-9]+', '-', plugin.package.lower())}", files(plugin.module))
    for pattern in own:
        if pattern.id in taken:
            raise ValueError(f"{pattern.file}: the id {pattern.id!r} is taken")
    return tuple(replace(pattern, file=f"{plugin.package}/{pattern.file}") for pattern in own)
