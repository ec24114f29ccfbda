"""Defines which runs a query selects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from loganalyzer.history.store.schema import RUNS
from loganalyzer.tables.metrics import KEY


@dataclass(frozen=True)
class Selection:
    """The runs to select: with a label, before a time, all except the `keep` latest of each key; by default all.

    Times are when the runs took place, not when they were added.
    """

    label: str | None = None
    before: datetime | None = None
    keep: int = 0
    run_id: str | None = None


def selection_conditions(selection: Selection | None) -> list[sa.ColumnElement[bool]]:
    """The SQL conditions of a selection."""
    if selection is None:
        return []
    found = []
    if selection.label is not None:
        found.append(RUNS.c.label == selection.label)
    if selection.before is not None:
        found.append(RUNS.c.at < selection.before)
    if selection.run_id is not None:
        found.append(RUNS.c.run_id == selection.run_id)
    if selection.keep:
        same = [RUNS.c[name] for name in KEY]
        latest = sa.func.row_number().over(partition_by=same, order_by=(RUNS.c.at.desc(), RUNS.c.number.desc()))
        ranked = sa.select(RUNS.c.run_id, latest.label("rank")).subquery()
        found.append(RUNS.c.run_id.in_(sa.select(ranked.c.run_id).where(ranked.c.rank > selection.keep)))
    return found
