"""Reads and writes the runs of a store, as tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import polars as pl
import sqlalchemy as sa

from loganalyzer.common.errors import HistoryError
from loganalyzer.history.inputs import Content, Inputs
from loganalyzer.history.matching import KnownRun
from loganalyzer.history.past import RECORDED, Past
from loganalyzer.history.store import identities, seen, writing
from loganalyzer.history.store.checking import check_run_id, facts_table, fetch_rows, to_table
from loganalyzer.history.store.connection import connect, copy_to_memory, retry
from loganalyzer.history.store.schema import FILES, FINDINGS, MEASUREMENTS, READINGS, RUNS, VERSION
from loganalyzer.history.store.selecting import Selection, selection_conditions
from loganalyzer.history.store.upgrades import refuse_foreign, schema_version, upgrade
from loganalyzer.history.store.writing import BATCH_VALUES, Added, RunNotes
from loganalyzer.tables import column, schema
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.metrics import KEY, METRICS

STORED_COLUMNS: Final[dict[str, pl.DataType]] = {
    "at": column.TIME,
    "added_at": column.TIME,
    "label": pl.String(),
    "commit": pl.String(),
    "verdict": pl.String(),
}
"""What the store records about a run in addition to its row of `runs`."""
_METRIC_ORDER: Final = {name: place for place, name in enumerate(METRICS)}
_MEASUREMENT_COLUMNS: Final = ("run_id", "metric", "unit", "basis", "value", "figures")
_REQUIRED: Final = ("run_id", "metric", "unit", "value", "values", "estimated", "at", "number")


class Store:
    """A history of runs."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @classmethod
    @contextmanager
    def at(cls, url: str, *, create: bool = False, read_only: bool = False) -> Iterator[Store]:
        """The store of a URL, upgraded if an older version of the tool created it.

        With `read_only`, nothing is written: an older SQLite store is upgraded in memory.

        Raises:
            HistoryError: the store cannot be used; the message has the reason.
        """
        if not read_only:
            refuse_foreign(url)
        with connect(url, create=create, writes=not read_only) as engine:
            store = cls(engine)
            with engine.connect() as connection:
                present = schema_version(connection)
            if read_only:
                store = cls(_readable_engine(engine, present))
            elif present != VERSION:
                with store._writing() as connection:
                    upgrade(connection)
            yield store
            if store._engine is not engine:
                store._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """A write transaction: all or nothing, even if the process is killed."""
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
        **notes: str | None,
    ) -> Added:
        """Adds the runs of an analysis in one transaction. The newest reading replaces an older one of the same run.

        `notes` may have label, commit, and gpu (for logs without a GPU name). `at` is when the runs took place, if the
        logs do not say. `inputs` are the files behind the analysis, `settings` the settings that they were read with.
        """
        if found.runs.is_empty():
            return Added()
        files = inputs or Inputs()

        def attempt() -> Added:
            with self._writing() as connection:
                added = writing.add_runs(connection, found, RunNotes(added_at, at, **notes), files)
                seen.record_files(connection, found, files, settings)
                return added

        return retry(attempt)

    def unchanged(self, name: str, settings: str) -> bool:
        """Whether a file was added before with these settings and its runs are still in the store."""
        with self._engine.connect() as connection:
            if seen.is_unchanged(connection, name, settings):
                return True
            files = seen.find_same_content(connection, name, settings)
        if not files:
            return False

        def attempt() -> bool:
            with self._writing() as connection:
                seen.record_paths(connection, files, settings)
            return True

        return retry(attempt)

    def past(self, moment: datetime, inputs: Inputs | None = None, said_at: datetime | None = None) -> Past:
        """The earlier runs, which tonight's runs are compared with."""
        files = inputs or Inputs()
        known = (tuple(self.known()), tuple(self.contents()))
        return Past(self.recorded(), moment, *known, files, said_at, self.runs())

    def known(self) -> list[KnownRun]:
        """All runs with what identifies them."""
        with self._engine.connect() as connection:
            return identities.known_runs(connection)

    def contents(self) -> list[Content]:
        """The texts of the logs in the store."""
        with self._engine.connect() as connection:
            return identities.known_contents(connection)

    def runs(self, selection: Selection | None = None) -> pl.DataFrame:
        """Runs in chronological order; columns of the table `runs`, then the others of `STORED_COLUMNS`."""
        columns = (RUNS.c[name] for name in ("run_id", "facts", *STORED_COLUMNS))
        statement = sa.select(*columns).where(*selection_conditions(selection)).order_by(RUNS.c.at, RUNS.c.number)
        with self._engine.connect() as connection:
            rows = fetch_rows(connection, statement)
        stored = to_table([row[2:] for row in rows], pl.Schema(STORED_COLUMNS), ("at", "added_at"))
        own = facts_table([row[1] for row in rows], schema.RUNS, [check_run_id(row[0]) for row in rows])
        return own.with_columns(stored)

    def recorded(self, selection: Selection | None = None) -> pl.DataFrame:
        """Metrics in the chronological order of their runs; columns of `RECORDED`."""
        # Read as an integer, so that a value other than 0 and 1 is refused instead of becoming true.
        estimated = sa.type_coerce(MEASUREMENTS.c.estimated, sa.Integer)
        figures = (*(MEASUREMENTS.c[name] for name in _MEASUREMENT_COLUMNS), estimated)
        of_run = (RUNS.c[name] for name in (*KEY, "at", "number", "added_at"))
        statement = (
            sa.select(*figures, *of_run)
            .join(RUNS, RUNS.c.run_id == MEASUREMENTS.c.run_id)
            .where(*selection_conditions(selection))
            .order_by(RUNS.c.at, RUNS.c.number)
        )
        with self._engine.connect() as connection:
            rows = fetch_rows(connection, statement)
        frame = to_table(rows, RECORDED, _REQUIRED)
        order = pl.col("metric").replace_strict(_METRIC_ORDER, default=len(_METRIC_ORDER), return_dtype=pl.Int64)
        return frame.sort("at", "number", order, maintain_order=True)

    def findings(self, selection: Selection | None = None) -> pl.DataFrame:
        """Findings in the chronological order of their runs; columns of the table `findings`."""
        statement = (
            sa.select(FINDINGS.c.run_id, FINDINGS.c.facts)
            .join(RUNS, RUNS.c.run_id == FINDINGS.c.run_id)
            .where(*selection_conditions(selection))
            .order_by(RUNS.c.at, RUNS.c.number, FINDINGS.c.place)
        )
        with self._engine.connect() as connection:
            rows = fetch_rows(connection, statement)
        return facts_table([row[1] for row in rows], schema.FINDINGS, [check_run_id(row[0]) for row in rows])

    def find_ids(self, beginning: str) -> list[str]:
        """Ids of the runs whose id, in the store or in a log, starts with `beginning`.

        If ids match exactly, only these are returned.
        """
        statement = sa.select(RUNS.c.run_id, READINGS.c.place).outerjoin(READINGS, READINGS.c.run == RUNS.c.number)
        with self._engine.connect() as connection:
            rows = fetch_rows(connection, statement.order_by(RUNS.c.at, RUNS.c.number))
        pairs = [(check_run_id(run_id), check_run_id(place or run_id)) for run_id, place in rows]
        own = [run_id for run_id, _ in pairs if run_id == beginning]
        exact = own or [run_id for run_id, place in pairs if place == beginning]
        found = exact or [
            run_id for run_id, place in pairs if run_id.startswith(beginning) or place.startswith(beginning)
        ]
        return list(dict.fromkeys(found))

    def remove(self, run_ids: list[str]) -> int:
        """Removes runs with their metrics and findings; returns the number of removed runs."""

        def attempt() -> int:
            batches = [run_ids[start : start + BATCH_VALUES] for start in range(0, len(run_ids), BATCH_VALUES)]
            with self._writing() as connection:
                # Without settings, a log counts as new, so that adding it again restores the runs.
                connection.execute(sa.update(FILES).values(settings=None))
                gone = (connection.execute(sa.delete(RUNS).where(RUNS.c.run_id.in_(batch))) for batch in batches)
                return sum(int(one.rowcount) for one in gone)

        return retry(attempt)

    def labels(self) -> list[str]:
        """The labels in use."""
        statement = sa.select(RUNS.c.label).where(RUNS.c.label.is_not(None)).distinct().order_by(RUNS.c.label)
        with self._engine.connect() as connection:
            return to_table(fetch_rows(connection, statement), pl.Schema({"label": pl.String()}))["label"].to_list()


def _readable_engine(engine: sa.Engine, present: int) -> sa.Engine:
    """An engine with the present schema, without changing the store.

    Raises:
        HistoryError: the database is empty, or it is not a SQLite file and has another version.
    """
    if present == VERSION:
        return engine
    if present == 0:
        raise HistoryError("there is no history yet", "Run `loganalyze history add LOGS` to create one.")
    if present < VERSION and engine.dialect.name != "sqlite":
        raise HistoryError(
            f"the history has schema version {present}, but this version of loganalyzer reads version {VERSION}",
            "Run `loganalyze history add LOGS` once: it upgrades the history.",
        )
    copy = copy_to_memory(engine)
    with copy.begin() as connection:
        upgrade(connection)
    return copy
