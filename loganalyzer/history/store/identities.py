"""Converts the rows that identify runs and logs to `KnownRun` and `Content`, and back."""

from __future__ import annotations

from typing import Any, Final

import polars as pl
import sqlalchemy as sa

from loganalyzer.history.identity import HEADER_FACTS, Occasion, Reading, reading_extent, stable_name
from loganalyzer.history.inputs import Content
from loganalyzer.history.matching import KnownRun
from loganalyzer.history.store.checking import facts_table, fetch_rows, to_table
from loganalyzer.history.store.schema import FILES, READINGS, RUNS
from loganalyzer.tables import column, schema

_RUN_SCHEMA: Final = pl.Schema(
    {
        "number": pl.Int64(),
        "run_id": pl.String(),
        "place": pl.String(),
        "started_at": column.TIME,
        "ordinal": pl.Int64(),
        "durations": pl.String(),
        "facts": pl.String(),
    }
)
_READING_SCHEMA: Final = pl.Schema(
    {"place": pl.String(), "run": pl.Int64(), "file_time": column.TIME, "said_at": column.TIME}
)
_CONTENT_SCHEMA: Final = pl.Schema({"digest": pl.String(), "length": pl.Int64(), "head": pl.String()})
_FACTS_SCHEMA: Final = pl.Schema(
    {name: schema.RUNS[name] for name in (*HEADER_FACTS, "source", "line", "status", "observed_windows", "prompt_s")}
)


def known_runs(connection: sa.Connection) -> list[KnownRun]:
    """All runs in the order in which they were added.

    Raises:
        HistoryError: a row is damaged.
    """
    rows = fetch_rows(connection, sa.select(*(RUNS.c[name] for name in _RUN_SCHEMA)).order_by(RUNS.c.number))
    own = to_table([row[:-1] for row in rows], pl.Schema(list(_RUN_SCHEMA.items())[:-1]), ("number", "run_id"))
    facts = facts_table([row[-1] for row in rows], _FACTS_SCHEMA)
    found = {
        row["number"]: KnownRun(row["number"], row["run_id"], _to_reading(row))
        for row in pl.concat([own, facts], how="horizontal").rows(named=True)
    }
    for row in _reading_rows(connection):
        if row["run"] in found:
            found[row["run"]].occasions.setdefault(row["place"], []).append(Occasion(row["file_time"], row["said_at"]))
    return list(found.values())


def _reading_rows(connection: sa.Connection) -> list[dict[str, Any]]:
    rows = fetch_rows(connection, sa.select(*(READINGS.c[name] for name in _READING_SCHEMA)).order_by(READINGS.c.run))
    return to_table(rows, _READING_SCHEMA, ("place", "run")).rows(named=True)


def _to_reading(row: dict[str, Any]) -> Reading:
    durations = tuple(int(part) for part in (row["durations"] or "").split() if part.lstrip("-").isdecimal())
    return Reading(
        run_id=row["place"] or row["run_id"],
        source=stable_name(row["source"] or ""),
        line=row["line"],
        head=tuple(row[name] for name in HEADER_FACTS),
        started_at=row["started_at"],
        ordinal=row["ordinal"] or 0,
        durations=durations,
        prompt_s=row["prompt_s"],
        extent=reading_extent(row, len(durations)),
    )


def reading_columns(reading: Reading) -> dict[str, Any]:
    """The columns of `runs` that identify a run."""
    return {
        "place": reading.run_id,
        "started_at": reading.started_at,
        "ordinal": reading.ordinal,
        "durations": " ".join(map(str, reading.durations)),
    }


def known_contents(connection: sa.Connection) -> list[Content]:
    """The texts of the logs that were read.

    Raises:
        HistoryError: a row is damaged.
    """
    rows = fetch_rows(connection, sa.select(FILES.c.digest, FILES.c.length, FILES.c.head).distinct())
    return [Content(*row) for row in to_table(rows, _CONTENT_SCHEMA, ("digest", "length")).rows()]
