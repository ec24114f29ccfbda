"""The log lines that prove a finding, with a neighbour or two."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import polars as pl

from loganalyzer.report import words
from loganalyzer.report.model import Evidence, LogLine

if TYPE_CHECKING:
    from collections.abc import Iterable

NEIGHBOURS: Final = 2
"""Lines around the hit within which an excerpt is a neighbour."""
_SAME_LINE: Final = 4
"""Messages of one physical line that are shown."""
_LONGEST: Final = 600


class Excerpts:
    """The excerpts of the logs that the shown findings come from, found by source and line."""

    def __init__(self, excerpts: pl.DataFrame, sources: Iterable[str]) -> None:
        wanted = excerpts.filter(pl.col("source").is_in(list(dict.fromkeys(sources))) & pl.col("line").is_not_null())
        self._lines: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for source, line, text in wanted.sort("line", maintain_order=True).select("source", "line", "text").iter_rows():
            self._lines[source].append((line, text or ""))

    def of(self, source: str | None, line: int | None) -> Evidence | None:
        """The line and its neighbours; nothing where the log line was not kept."""
        if source is None or line is None:
            return None
        known = self._lines.get(source, [])
        first = bisect_left(known, line, key=lambda item: item[0])
        hits = [item for item in known[first : first + _SAME_LINE] if item[0] == line]
        if not hits:
            return None
        before = [item for item in known[max(0, first - 1) : first] if line - item[0] <= NEIGHBOURS]
        behind = [item for item in known[first + len(hits) : first + len(hits) + 1] if 0 < item[0] - line <= NEIGHBOURS]
        shown = [*before, *hits, *behind]
        lines = tuple(LogLine(str(number), _clipped(text), number == line) for number, text in shown)
        return Evidence(words.visible(source), lines)


def _clipped(text: str) -> str:
    shown = words.visible(text[:_LONGEST])
    return f"{shown} …" if len(text) > _LONGEST else shown
