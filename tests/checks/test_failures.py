"""A failure is cited where it stands, and by whom it concerns."""

from __future__ import annotations

import logtext as log
import polars as pl
import pytest

FAILURE = "!!! Exception during processing !!! Sizes must match\n"
EARLY = log.ARRIVAL + log.header(369, 6) + FAILURE + log.EXECUTED + log.prompt(369)
LATE = log.ARRIVAL + log.run(369) + FAILURE + log.EXECUTED


@pytest.mark.parametrize(("one", "other"), [(EARLY, LATE), (LATE, EARLY)], ids=["early-late", "late-early"])
def test_of_two_workers_each_failure_is_cited_at_its_own_line(one: str, other: str) -> None:
    found = log.analyze(log.side_by_side(one, other))
    cited = found.findings.filter(pl.col("rule") == "RUN001")["line"].sort().to_list()
    first, second = (text.splitlines().index(FAILURE.strip()) for text in (one, other))
    assert cited == sorted([2 * first + 1, 2 * second + 2])
