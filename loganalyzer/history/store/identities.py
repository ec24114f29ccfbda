"""What a store keeps to know runs and logs again: rows to `Known` and `Content`, and back."""

from __future__ import annotations

from typing import Any, Final

import polars as pl
import sqlalchemy as sa

from loganalyzer.history.identity import HEAD, Occasion, Reading, extent, place_name
from loganalyzer.history.inputs import Content
from loganalyzer.history.matching import Known
from loganalyzer.history.store.checking import fetched, table, unpacked
from loganalyzer.history.store.schema import FILES, READINGS, RUNS
from loganalyzer.tables import column, schema

_RUN: Final = pl.Schema(
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
_READING: Final = pl.Schema({"place": pl.String(), "run": pl.Int64(), "file_time": column.TIME, "said_at": column.TIME})
_CONTENT: Final = pl.Schema({"digest": pl.String(), "length": pl.Int64(), "head": pl.String()})
_FACTS: Final = pl.Schema(
    {name: schema.RUNS[name] for name in (*HEAD, "source", "line", "status", "observed_windows", "prompt_s")}
)


def known_runs(connection: sa.Connection) -> list[Known]:
    """All runs, in the order in which they were added.

    Raises:
        HistoryError: a row is damaged.
    """
    rows = fetched(connection, sa.select(*(RUNS.c[name] for name in _RUN)).order_by(RUNS.c.number))
    own = table([row[:-1] for row in rows], pl.Schema(list(_RUN.items())[:-1]), ("number", "run_id"))
    facts = unpacked([row[-1] for row in rows], _FACTS)
    found = {
        row["number"]: Known(row["number"], row["run_id"], _reading(row))
        for row in pl.concat([own, facts], how="horizontal").rows(named=True)
    }
    for row in _readings(connection):
        if row["run"] in found:
            found[row["run"]].occasions.setdefault(row["place"], []).append(Occasion(row["file_time"], row["said_at"]))
    return list(found.values())


def _readings(connection: sa.Connection) -> list[dict[str, Any]]:
    rows = fetched(connection, sa.select(*(READINGS.c[name] for name in _READING)).order_by(READINGS.c.run))
    return table(rows, _READING, ("place", "run")).rows(named=True)


def _reading(row: dict[str, Any]) -> Reading:
    durations = tuple(int(part) for part in (row["durations"] or "").split() if part.lstrip("-").isdecimal())
    return Reading(
        run_id=row["place"] or row["run_id"],
        source=place_name(row["source"] or ""),
        line=row["line"],
        head=tuple(row[name] for name in HEAD),
        started_at=row["started_at"],
        ordinal=row["ordinal"] or 0,
        durations=durations,
        prompt_s=row["prompt_s"],
        extent=extent(row, len(durations)),
    )


def columns(reading: Reading) -> dict[str, Any]:
    """The columns of `runs` that identify a run."""
    return {
        "place": reading.run_id,
        "started_at": reading.started_at,
        "ordinal": reading.ordinal,
        "durations": " ".join(map(str, reading.durations)),
    }


def known_contents(connection: sa.Connection) -> list[Content]:
    """Texts of the logs that were read, the latest last.

    Raises:
        HistoryError: a row is damaged.
    """
    rows = fetched(connection, sa.select(FILES.c.digest, FILES.c.length, FILES.c.head).distinct())
    return [Content(*row) for row in table(rows, _CONTENT, ("digest", "length")).rows()]
