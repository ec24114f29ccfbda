"""What goes into a store and comes out of it: tables on our side, rows on its."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import polars as pl
import sqlalchemy as sa

from loganalyzer.common.errors import HistoryError
from loganalyzer.history.inputs import Content, Inputs
from loganalyzer.history.matching import Known
from loganalyzer.history.past import RECORDED, Past
from loganalyzer.history.store import identities, seen, writing
from loganalyzer.history.store.checking import checked_id, fetched, table, unpacked
from loganalyzer.history.store.connection import connected, in_memory, retried
from loganalyzer.history.store.schema import FILES, FINDINGS, MEASUREMENTS, READINGS, RUNS, VERSION
from loganalyzer.history.store.selecting import Selection, conditions
from loganalyzer.history.store.upgrades import bring_up_to_date, refuse_foreign, version
from loganalyzer.history.store.writing import BATCH, Added, Noted
from loganalyzer.tables import column, schema
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.metrics import KEY, METRICS

ADDED: Final[dict[str, pl.DataType]] = {
    "at": column.TIME,
    "added_at": column.TIME,
    "label": pl.String(),
    "commit": pl.String(),
    "verdict": pl.String(),
}
"""What the store knows of a run beside its row of `runs`: when it took place and was added, its label and commit."""
_PLACES: Final = {name: place for place, name in enumerate(METRICS)}
_FIGURES: Final = ("run_id", "metric", "unit", "basis", "value", "figures")
_REQUIRED: Final = ("run_id", "metric", "unit", "value", "values", "estimated", "at", "number")


class Store:
    """A history of runs."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @classmethod
    @contextmanager
    def at(cls, url: str, *, create: bool = False, read_only: bool = False) -> Iterator[Store]:
        """The store of a URL, upgraded if an older version of the tool made it.

        With `read_only` nothing is written: a SQLite store of an older version is converted in memory.

        Raises:
            HistoryError: it cannot be used; says why.
        """
        if not read_only:
            refuse_foreign(url)
        with connected(url, create=create, writes=not read_only) as engine:
            store = cls(engine)
            with engine.connect() as connection:
                present = version(connection)
            if read_only:
                store = cls(_readable(engine, present))
            elif present != VERSION:
                with store._writing() as connection:
                    bring_up_to_date(connection)
            yield store
            if store._engine is not engine:
                store._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """One transaction: all of it or nothing, whatever becomes of this process."""
        with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def add(
        self,
        found: Analysis,
        *,
        added_at: datetime,
        at: datetime | None = None,
        inputs: Inputs | None = None,
        settings: str | None = None,
        **noted: str | None,
    ) -> Added:
        """Add the runs of an analysis in one transaction; the newest reading replaces what is known of a run.

        `noted` may hold label, commit, and gpu where the logs name no card. `at` is when they took place, unless they
        say it themselves. `inputs` are the files behind the analysis, `settings` what they were read with.
        """
        if found.runs.is_empty():
            return Added()
        files = inputs or Inputs()

        def attempt() -> Added:
            with self._writing() as connection:
                added = writing.add(connection, found, Noted(added_at, at, **noted), files)
                seen.note(connection, found, files, settings)
                return added

        return retried(attempt)

    def unchanged(self, name: str, settings: str) -> bool:
        """Whether a file was added before with these settings, and its runs are in the store as it stands."""
        with self._engine.connect() as connection:
            if seen.is_unchanged(connection, name, settings):
                return True
            files = seen.same_content(connection, name, settings)
        if not files:
            return False

        def attempt() -> bool:
            with self._writing() as connection:
                seen.note_again(connection, files, settings)
            return True

        return retried(attempt)

    def past(self, moment: datetime, inputs: Inputs | None = None, said_at: datetime | None = None) -> Past:
        """What tonight's runs are compared with."""
        files = inputs or Inputs()
        known = (tuple(self.known()), tuple(self.contents()))
        return Past(self.recorded(), moment, *known, files, said_at, self.runs())

    def known(self) -> list[Known]:
        """What identifies the runs."""
        with self._engine.connect() as connection:
            return identities.known_runs(connection)

    def contents(self) -> list[Content]:
        """The texts of the logs that were read."""
        with self._engine.connect() as connection:
            return identities.known_contents(connection)

    def runs(self, chosen: Selection | None = None) -> pl.DataFrame:
        """Runs in the order of their times; columns of the table `runs`, then those of `ADDED` that it lacks."""
        columns = (RUNS.c[name] for name in ("run_id", "facts", *ADDED))
        statement = sa.select(*columns).where(*conditions(chosen)).order_by(RUNS.c.at, RUNS.c.number)
        with self._engine.connect() as connection:
            rows = fetched(connection, statement)
        noted = table([row[2:] for row in rows], pl.Schema(ADDED), ("at", "added_at"))
        own = unpacked([row[1] for row in rows], schema.RUNS, [checked_id(row[0]) for row in rows])
        return own.with_columns(noted)

    def recorded(self, chosen: Selection | None = None) -> pl.DataFrame:
        """Figures in the order of their runs' times; columns of `RECORDED`."""
        # As it is stored: what is neither 0 nor 1 must not become true.
        estimated = sa.type_coerce(MEASUREMENTS.c.estimated, sa.Integer)
        figures = (*(MEASUREMENTS.c[name] for name in _FIGURES), estimated)
        of_run = (RUNS.c[name] for name in (*KEY, "at", "number", "added_at"))
        statement = (
            sa.select(*figures, *of_run)
            .join(RUNS, RUNS.c.run_id == MEASUREMENTS.c.run_id)
            .where(*conditions(chosen))
            .order_by(RUNS.c.at, RUNS.c.number)
        )
        with self._engine.connect() as connection:
            rows = fetched(connection, statement)
        frame = table(rows, RECORDED, _REQUIRED)
        order = pl.col("metric").replace_strict(_PLACES, default=len(_PLACES), return_dtype=pl.Int64)
        return frame.sort("at", "number", order, maintain_order=True)

    def findings(self, chosen: Selection | None = None) -> pl.DataFrame:
        """Findings of runs in their order; columns of the table `findings`."""
        statement = (
            sa.select(FINDINGS.c.run_id, FINDINGS.c.facts)
            .join(RUNS, RUNS.c.run_id == FINDINGS.c.run_id)
            .where(*conditions(chosen))
            .order_by(RUNS.c.at, RUNS.c.number, FINDINGS.c.place)
        )
        with self._engine.connect() as connection:
            rows = fetched(connection, statement)
        return unpacked([row[1] for row in rows], schema.FINDINGS, [checked_id(row[0]) for row in rows])

    def named(self, beginning: str) -> list[str]:
        """Ids of the runs whose id in the store, or in any log that they were read from, begins so; exact ones first.

        Where one of them is the very id, it is the only one.
        """
        statement = sa.select(RUNS.c.run_id, READINGS.c.place).outerjoin(READINGS, READINGS.c.run == RUNS.c.number)
        with self._engine.connect() as connection:
            rows = fetched(connection, statement.order_by(RUNS.c.at, RUNS.c.number))
        pairs = [(checked_id(run_id), checked_id(place or run_id)) for run_id, place in rows]
        own = [run_id for run_id, _ in pairs if run_id == beginning]
        exact = own or [run_id for run_id, place in pairs if place == beginning]
        found = exact or [
            run_id for run_id, place in pairs if run_id.startswith(beginning) or place.startswith(beginning)
        ]
        return list(dict.fromkeys(found))

    def remove(self, run_ids: list[str]) -> int:
        """Take runs out, with their figures and findings; returns how many there were."""

        def attempt() -> int:
            batches = [run_ids[start : start + BATCH] for start in range(0, len(run_ids), BATCH)]
            with self._writing() as connection:
                # A log that is added again must be read again.
                connection.execute(sa.update(FILES).values(settings=None))
                gone = (connection.execute(sa.delete(RUNS).where(RUNS.c.run_id.in_(batch))) for batch in batches)
                return sum(int(one.rowcount) for one in gone)

        return retried(attempt)

    def labels(self) -> list[str]:
        """The labels in use."""
        statement = sa.select(RUNS.c.label).where(RUNS.c.label.is_not(None)).distinct().order_by(RUNS.c.label)
        with self._engine.connect() as connection:
            return table(fetched(connection, statement), pl.Schema({"label": pl.String()}))["label"].to_list()


def _readable(engine: sa.Engine, present: int) -> sa.Engine:
    """An engine that reads the present schema, without a change to the store.

    Raises:
        HistoryError: the database is empty, or of another version and not in a file.
    """
    if present == VERSION:
        return engine
    if present == 0:
        raise HistoryError("there is no history yet", "Run `loganalyze history add LOGS` to create one.")
    if present < VERSION and engine.dialect.name != "sqlite":
        raise HistoryError(
            f"the history has schema version {present}, and this version of loganalyzer reads version {VERSION}",
            "Run `loganalyze history add LOGS` once: it upgrades the history.",
        )
    copy = in_memory(engine)
    with copy.begin() as connection:
        bring_up_to_date(connection)
    return copy
