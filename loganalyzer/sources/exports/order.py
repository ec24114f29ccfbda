"""Reverses logs whose newest line is first, as web consoles export them; timestamps show it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from loganalyzer.sources.exports.lines import ExtractedLog

MAX_LINES: Final = 400
"""First lines of an input that are examined."""
MIN_STAMPS: Final = 8
"""Minimum number of descending timestamps: fewer may be in any order by chance, and one may be damaged."""
MAX_ASCENDING_SHARE: Final = 0.1
"""Maximum share of neighboring timestamps that may ascend if the newest line is first."""
_STAMP: Final = re.compile(r"^[^\d\n]{0,40}(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)", re.MULTILINE)


def is_newest_first(head: str) -> bool:
    """Whether the timestamps at the beginnings of these lines descend."""
    lines = "\n".join(head.split("\n", MAX_LINES)[:MAX_LINES])
    stamps = _STAMP.findall(lines)
    if len(stamps) < MIN_STAMPS or stamps[0] <= stamps[-1]:
        return False
    steps = [(later < earlier) - (later > earlier) for earlier, later in pairwise(stamps)]
    forwards, backwards = steps.count(-1), steps.count(1)
    return backwards >= MIN_STAMPS - 1 and forwards <= MAX_ASCENDING_SHARE * len(steps)


def reverse_lines(text: str) -> ExtractedLog | None:
    """The lines in reverse; None if their order is right.

    Lines without a timestamp belong to the line above and are joined to it, so that line numbers still count from the
    end of the file.
    """
    if not is_newest_first(text):
        return None
    lines = text.removesuffix("\n").split("\n")
    turned: list[str] = []
    rest: list[str] = []
    for line in reversed(lines):
        if line and not _STAMP.match(line):
            rest.append(line)
            turned.append("")
            continue
        turned.append("\r".join([line, *reversed(rest)]))
        rest = []
    if rest:
        turned[-1] = "\r".join(reversed(rest))
    return ExtractedLog(
        "\n".join(turned) + "\n",
        f"its newest line is first, so it was read in reverse: line n of a finding is line {len(lines) + 1} - n of it",
    )
