"""A failure is cited where it stands, and by whom it concerns."""

from __future__ import annotations

from itertools import zip_longest

import logtext as log
import polars as pl
import pytest

from loganalyzer.analysis import Analysis
from loganalyzer.pipeline import analyse_sources
from loganalyzer.sources import from_bytes

FAILURE = "!!! Exception during processing !!! Sizes must match\n"
EARLY = log.ARRIVAL + log.header(369, 6) + FAILURE + log.EXECUTED + log.prompt(369)
LATE = log.ARRIVAL + log.run(369) + FAILURE + log.EXECUTED


def side_by_side(one: str, other: str) -> Analysis:
    pairs = zip_longest(one.splitlines(), other.splitlines(), fillvalue="")
    text = "".join(f"worker-1  | {first}\nworker-2  | {second}\n" for first, second in pairs)
    return analyse_sources([from_bytes("a.log", text.encode())])


@pytest.mark.parametrize(("one", "other"), [(EARLY, LATE), (LATE, EARLY)], ids=["early-late", "late-early"])
def test_of_two_workers_each_failure_is_cited_at_its_own_line(one: str, other: str) -> None:
    found = side_by_side(one, other)
    cited = found.findings.filter(pl.col("rule") == "RUN001")["line"].sort().to_list()
    first, second = (text.splitlines().index(FAILURE.strip()) for text in (one, other))
    assert cited == sorted([2 * first + 1, 2 * second + 2])
