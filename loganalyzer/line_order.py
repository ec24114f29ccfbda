"""Whether a log has its newest line first, as web consoles export it: then nothing in it can be read in order."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

LINES: Final = 400
"""Lines from the beginning of an input that are looked at."""
FEWEST: Final = 8
"""Falling stamps that must be there: fewer may stand in any order by chance, and one may be damaged."""
MOST_FORWARDS: Final = 0.1
"""Share of neighboring stamps that may go forwards where the newest line is first."""
_STAMP: Final = re.compile(rb"^[^\d\n]{0,40}(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)", re.MULTILINE)


def is_newest_first(head: bytes) -> bool:
    """Whether the stamps at the beginnings of these lines run backwards."""
    lines = b"\n".join(head.split(b"\n", LINES)[:LINES])
    stamps = _STAMP.findall(lines)
    if len(stamps) < FEWEST or stamps[0] <= stamps[-1]:
        return False
    steps = [(later < earlier) - (later > earlier) for earlier, later in pairwise(stamps)]
    forwards, backwards = steps.count(-1), steps.count(1)
    return backwards >= FEWEST - 1 and forwards <= MOST_FORWARDS * len(steps)
