"""Logs that have their newest line first, as web consoles export them: told by their stamps, and turned around."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from loganalyzer.sources.exports.lines import ReadOut

LINES: Final = 400
"""Lines from the beginning of an input that are looked at."""
FEWEST: Final = 8
"""Falling stamps that must be there: fewer may stand in any order by chance, and one may be damaged."""
MOST_FORWARDS: Final = 0.1
"""Share of neighboring stamps that may go forwards where the newest line is first."""
_STAMP: Final = re.compile(r"^[^\d\n]{0,40}(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)", re.MULTILINE)


def is_newest_first(head: str) -> bool:
    """Whether the stamps at the beginnings of these lines run backwards."""
    lines = "\n".join(head.split("\n", LINES)[:LINES])
    stamps = _STAMP.findall(lines)
    if len(stamps) < FEWEST or stamps[0] <= stamps[-1]:
        return False
    steps = [(later < earlier) - (later > earlier) for earlier, later in pairwise(stamps)]
    forwards, backwards = steps.count(-1), steps.count(1)
    return backwards >= FEWEST - 1 and forwards <= MOST_FORWARDS * len(steps)


def oldest_first(text: str) -> ReadOut | None:
    """The lines from the last to the first; None where their order is right.

    Lines without a stamp belong to the one above them, and are joined to it, so that a line's number still counts from
    the end of the file.
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
    return ReadOut(
        "\n".join(turned) + "\n",
        f"its newest line is first, so it is read from its end: line n of a finding is line {len(lines) + 1} - n of it",
    )
