"""Selects the log lines that prove a finding, adds context lines and marks the message within the line."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import polars as pl

from loganalyzer.report import words
from loganalyzer.report.model import Evidence, LogLine
from loganalyzer.report.page.matching import find_spans
from loganalyzer.tables.worst_runs import NEIGHBORS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from loganalyzer.report.page.matching import Span

_MOST_PER_LINE: Final = 4
"""Messages shown for one physical line."""
_MOST_CHARACTERS: Final = 600

Line = tuple[int, str, str | None]
"""Line number, text, event."""


class Excerpts:
    """Looks up evidence by source and line in the excerpts of the logs.

    `places` are the sources and lines of the findings on the page. `near` is the table of near misses; in their
    lines, the part that did not parse is marked. `folders` contain additional message patterns.
    """

    def __init__(
        self, excerpts: pl.DataFrame, near: pl.DataFrame, places: Iterable[tuple[str, int]], folders: tuple[Path, ...]
    ) -> None:
        cited = list(dict.fromkeys(places))
        sources = list(dict.fromkeys(source for source, _ in cited))
        self._lines: dict[str, list[Line]] = defaultdict(list)
        self._spans: dict[tuple[str, str], Span] = {}
        wanted = pl.col("source").is_in(sources) & pl.col("line").is_not_null() & pl.col("text").is_not_null()
        matching = excerpts.filter(wanted).sort("line", maintain_order=True)
        for source, line, text, event in matching.select("source", "line", "text", "event").iter_rows():
            self._lines[source].append((line, text, event))
        self._add_near(near.filter(wanted), set(cited))
        hits = {(event, text) for source, number in cited for _, text, event in self._lines_at(source, number)}
        self._spans |= find_spans(sorted(hits, key=str), folders)

    def _add_near(self, near: pl.DataFrame, cited: set[tuple[str, int]]) -> None:
        rows = near.select("source", "line", "text", "column").iter_rows()
        for source, line, text, column in (row for row in rows if (row[0], row[1]) in cited):
            lines = self._lines[source]
            if not any(known == text for _, known, _ in self._lines_at(source, line)):
                lines.insert(bisect_left(lines, line, key=lambda item: item[0]), (line, text, "near miss"))
            if column is not None and 0 < column <= len(text):
                self._spans["near miss", text] = (column - 1, len(text))

    def _lines_at(self, source: str, line: int) -> list[Line]:
        """The messages of one line, at most four."""
        known = self._lines.get(source, [])
        first = bisect_left(known, line, key=lambda item: item[0])
        return [item for item in known[first : first + _MOST_PER_LINE] if item[0] == line]

    def find(self, source: str | None, line: int | None) -> Evidence | None:
        """The line with the lines around it; None if the analysis did not keep the line."""
        if source is None or line is None:
            return None
        known = self._lines.get(source, [])
        first = bisect_left(known, line, key=lambda item: item[0])
        hits = self._lines_at(source, line)
        if not hits:
            return None
        before = [item for item in known[max(0, first - 1) : first] if line - item[0] <= NEIGHBORS]
        after = [item for item in known[first + len(hits) : first + len(hits) + 1] if 0 < item[0] - line <= NEIGHBORS]
        shown = [*before, *_without_duplicates(hits), *after]
        return Evidence(words.visible(source), tuple(self._log_line(item, hit=item[0] == line) for item in shown))

    def _log_line(self, item: Line, *, hit: bool) -> LogLine:
        """The line for the template, cut after 600 characters; `begin` and `end` are positions in the escaped text."""
        number, text, event = item
        begin, end = self._spans.get((event or "", text), (0, 0)) if hit else (0, 0)
        end = min(end, _MOST_CHARACTERS)
        begin = min(begin, end)
        before, marked, after = (
            words.visible(part) for part in (text[:begin], text[begin:end], text[end:_MOST_CHARACTERS])
        )
        rest = " …" if len(text) > _MOST_CHARACTERS else ""
        return LogLine(str(number), f"{before}{marked}{after}{rest}", hit, len(before), len(before) + len(marked))


def _without_duplicates(hits: list[Line]) -> list[Line]:
    """Each text once. If it contains several messages, the message after the progress bar takes precedence."""
    chosen: dict[str, Line] = {}
    for item in sorted(hits, key=lambda item: item[2] == "window-bar"):
        chosen.setdefault(item[1], item)
    return [item for item in hits if chosen[item[1]] is item]
