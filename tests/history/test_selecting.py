"""A selection has a condition for each of its fields that is set, and no other."""

from __future__ import annotations

from datetime import datetime

import pytest

from loganalyzer.history.store.selecting import Selection, selection_conditions


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        (None, 0),
        (Selection(), 0),
        (Selection(label=""), 1),
        (Selection(before=datetime(2026, 2, 14)), 1),
        (Selection(run_id="f-R2"), 1),
        (Selection(keep=1), 1),
        (Selection("main", datetime(2026, 2, 14), 2, "f-R2"), 4),
    ],
)
def test_a_selection_asks_only_for_what_is_set(chosen: Selection | None, count: int) -> None:
    assert len(selection_conditions(chosen)) == count


def test_a_selection_by_id_asks_for_that_run() -> None:
    (condition,) = selection_conditions(Selection(run_id="f-R2"))
    assert " = " in str(condition)
