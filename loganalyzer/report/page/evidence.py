"""The log lines that prove a finding, with a neighbour or two, and the part that matters marked."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import polars as pl

from loganalyzer.report import words
from loganalyzer.report.model import Evidence, LogLine
from loganalyzer.report.page.matching import spans
from loganalyzer.tables.worst_runs import NEIGHBORS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from loganalyzer.report.page.matching import Span

_SAME_LINE: Final = 4
"""Messages of one physical line that are shown."""
_LONGEST: Final = 600

Line = tuple[int, str, str | None]
"""Number, text, event."""


class Excerpts:
    """The excerpts of the logs that the shown findings come from, found by source and line.

    `near` is the table of near misses: of these, the part from where reading stopped is marked.
    """

    def __init__(
        self, excerpts: pl.DataFrame, near: pl.DataFrame, places: Iterable[tuple[str, int]], folders: tuple[Path, ...]
    ) -> None:
        cited = list(dict.fromkeys(places))
        sources = list(dict.fromkeys(source for source, _ in cited))
        self._lines: dict[str, list[Line]] = defaultdict(list)
        self._spans: dict[tuple[str, str], Span] = {}
        wanted = pl.col("source").is_in(sources) & pl.col("line").is_not_null() & pl.col("text").is_not_null()
        kept = excerpts.filter(wanted).sort("line", maintain_order=True)
        for source, line, text, event in kept.select("source", "line", "text", "event").iter_rows():
            self._lines[source].append((line, text, event))
        self._add_near(near.filter(wanted), set(cited))
        hits = {(event, text) for source, number in cited for _, text, event in self._at(source, number)}
        self._spans |= spans(sorted(hits, key=str), folders)

    def _add_near(self, near: pl.DataFrame, cited: set[tuple[str, int]]) -> None:
        rows = near.select("source", "line", "text", "column").iter_rows()
        for source, line, text, column in (row for row in rows if (row[0], row[1]) in cited):
            lines = self._lines[source]
            if not any(known == text for _, known, _ in self._at(source, line)):
                lines.insert(bisect_left(lines, line, key=lambda item: item[0]), (line, text, "near miss"))
            if column is not None and 0 < column <= len(text):
                self._spans["near miss", text] = (column - 1, len(text))

    def _at(self, source: str, line: int) -> list[Line]:
        known = self._lines.get(source, [])
        first = bisect_left(known, line, key=lambda item: item[0])
        return [item for item in known[first : first + _SAME_LINE] if item[0] == line]

    def of(self, source: str | None, line: int | None) -> Evidence | None:
        """The line and its neighbours; nothing where the log line was not kept."""
        if source is None or line is None:
            return None
        known = self._lines.get(source, [])
        first = bisect_left(known, line, key=lambda item: item[0])
        hits = self._at(source, line)
        if not hits:
            return None
        before = [item for item in known[max(0, first - 1) : first] if line - item[0] <= NEIGHBORS]
        behind = [item for item in known[first + len(hits) : first + len(hits) + 1] if 0 < item[0] - line <= NEIGHBORS]
        shown = [*before, *_each_once(hits), *behind]
        return Evidence(words.visible(source), tuple(self._shown(item, hit=item[0] == line) for item in shown))

    def _shown(self, item: Line, *, hit: bool) -> LogLine:
        number, text, event = item
        begin, end = self._spans.get((event or "", text), (0, 0)) if hit else (0, 0)
        end = min(end, _LONGEST)
        begin = min(begin, end)
        before, marked, behind = (words.visible(part) for part in (text[:begin], text[begin:end], text[end:_LONGEST]))
        rest = " …" if len(text) > _LONGEST else ""
        return LogLine(str(number), f"{before}{marked}{behind}{rest}", hit, len(before), len(before) + len(marked))


def _each_once(hits: list[Line]) -> list[Line]:
    """A text that holds several messages is shown once: for the message behind the bar, where there is one."""
    firsts: dict[str, Line] = {}
    for item in sorted(hits, key=lambda item: item[2] == "window-bar"):
        firsts.setdefault(item[1], item)
    return [item for item in hits if firsts[item[1]] is item]
