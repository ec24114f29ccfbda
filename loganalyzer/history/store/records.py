"""What goes into a store and comes out of it: tables on our side, rows on its."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from loganalyzer import tables
from loganalyzer.analysis import Analysis
from loganalyzer.history.identity import fingerprints, moments
from loganalyzer.history.past import RECORDED
from loganalyzer.history.store.connection import connected
from loganalyzer.history.store.schema import FINDINGS, MEASUREMENTS, RUNS, VERSION
from loganalyzer.history.store.upgrades import bring_up_to_date, version
from loganalyzer.metrics import KEY, METRICS, keys, measure

ADDED: Final[dict[str, pl.DataType]] = {
    "at": tables.TIME,
    "added_at": tables.TIME,
    "label": pl.String(),
    "commit": pl.String(),
    "verdict": pl.String(),
}
"""What the store knows of a run beside its row of `runs`: when it took place and was added, its label and commit."""
_BATCH: Final = 500
"""Values in one statement: databases have a limit."""
_PLACES: Final = {name: place for place, name in enumerate(METRICS)}
_FIGURES: Final = ("run_id", "metric", "unit", "basis", "value", "figures", "estimated")


@dataclass(frozen=True)
class Added:
    """How many runs were new, and how many the store held already."""

    new: int
    known: int


@dataclass(frozen=True)
class Selection:
    """Which runs: of a label, from before a time, all but the `keep` latest of each key; every run by default."""

    label: str | None = None
    before: datetime | None = None
    keep: int = 0
    run_id: str | None = None


class Store:
    """A history of runs."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @classmethod
    @contextmanager
    def at(cls, url: str, *, create: bool = False) -> Iterator[Store]:
        """The store of a URL, upgraded if an older version of the tool made it.

        Raises:
            HistoryError: it cannot be used; says why.
        """
        with connected(url, create=create) as engine:
            store = cls(engine)
            with engine.connect() as connection:
                present = version(connection)
            if present != VERSION:
                with store._writing() as connection:
                    bring_up_to_date(connection)
            yield store

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """One transaction: all of it or nothing, whatever becomes of this process."""
        with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def add(self, found: Analysis, *, added_at: datetime, at: datetime | None = None, **told: str | None) -> Added:
        """Add the runs of an analysis in one transaction; those that are there already stay as they are.

        `told` may hold label, commit, and gpu where the logs name no card. `at` is when they took place, unless they
        tell it themselves.
        """
        rows = _run_rows(found, added_at, at or added_at, told)
        if not rows:
            return Added(0, 0)
        measured = _measured_rows(found)
        noted = _finding_rows(found)
        with self._writing() as connection:
            insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            statement = insert(RUNS).on_conflict_do_nothing().returning(RUNS.c.run_id)
            new = set(connection.execute(statement, rows).scalars())
            for table, parts in ((MEASUREMENTS, measured), (FINDINGS, noted)):
                wanted = [part for part in parts if part["run_id"] in new]
                if wanted:
                    connection.execute(sa.insert(table), wanted)
        return Added(len(new), len(rows) - len(new))

    def runs(self, chosen: Selection | None = None) -> pl.DataFrame:
        """Runs in the order of their times; columns of the table `runs`, then `ADDED`."""
        columns = (RUNS.c[name] for name in ("facts", *ADDED))
        statement = sa.select(*columns).where(*_chosen(chosen)).order_by(RUNS.c.at, RUNS.c.number)
        with self._engine.connect() as connection:
            rows = connection.execute(statement).all()
        schema = pl.Schema([("facts", pl.String()), *ADDED.items()])
        return _unpacked(pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row"), tables.RUNS)

    def recorded(self, chosen: Selection | None = None) -> pl.DataFrame:
        """Figures in the order of their runs' times; columns of `RECORDED`."""
        figures = (MEASUREMENTS.c[name] for name in _FIGURES)
        of_run = (RUNS.c[name] for name in (*KEY, "at", "number", "fingerprint", "added_at"))
        statement = (
            sa.select(*figures, *of_run)
            .join(RUNS, RUNS.c.run_id == MEASUREMENTS.c.run_id)
            .where(*_chosen(chosen))
            .order_by(RUNS.c.at, RUNS.c.number)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(statement).all()
        frame = pl.DataFrame([tuple(row) for row in rows], schema=RECORDED, orient="row")
        order = pl.col("metric").replace_strict(_PLACES, default=len(_PLACES), return_dtype=pl.Int64)
        return frame.sort("at", "number", order, maintain_order=True)

    def findings(self, chosen: Selection | None = None) -> pl.DataFrame:
        """Findings of runs in their order; columns of the table `findings`."""
        statement = (
            sa.select(FINDINGS.c.facts)
            .join(RUNS, RUNS.c.run_id == FINDINGS.c.run_id)
            .where(*_chosen(chosen))
            .order_by(RUNS.c.at, RUNS.c.number, FINDINGS.c.place)
        )
        with self._engine.connect() as connection:
            facts = connection.execute(statement).scalars().all()
        return _unpacked(pl.DataFrame({"facts": facts}, schema={"facts": pl.String}), tables.FINDINGS)

    def remove(self, run_ids: list[str]) -> int:
        """Take runs out, with their figures and findings; says how many there were."""
        batches = [run_ids[start : start + _BATCH] for start in range(0, len(run_ids), _BATCH)]
        with self._writing() as connection:
            gone = (connection.execute(sa.delete(RUNS).where(RUNS.c.run_id.in_(batch))) for batch in batches)
            return sum(int(one.rowcount) for one in gone)

    def labels(self) -> list[str]:
        """The labels in use."""
        statement = sa.select(RUNS.c.label).where(RUNS.c.label.is_not(None)).distinct().order_by(RUNS.c.label)
        with self._engine.connect() as connection:
            return [str(name) for name in connection.execute(statement).scalars()]


def _chosen(chosen: Selection | None) -> list[sa.ColumnElement[bool]]:
    if chosen is None:
        return []
    conditions = []
    if chosen.label is not None:
        conditions.append(RUNS.c.label == chosen.label)
    if chosen.before is not None:
        conditions.append(RUNS.c.at < chosen.before)
    if chosen.run_id is not None:
        conditions.append(RUNS.c.run_id == chosen.run_id)
    if chosen.keep:
        same = [RUNS.c[name] for name in KEY]
        latest = sa.func.row_number().over(partition_by=same, order_by=(RUNS.c.at.desc(), RUNS.c.number.desc()))
        ranked = sa.select(RUNS.c.run_id, latest.label("rank")).subquery()
        conditions.append(RUNS.c.run_id.in_(sa.select(ranked.c.run_id).where(ranked.c.rank > chosen.keep)))
    return conditions


def _run_rows(found: Analysis, added_at: datetime, at: datetime, told: dict[str, str | None]) -> list[dict[str, Any]]:
    worst = found.findings.group_by("run_id").agg(
        pl.when((pl.col("severity") == "error").any())
        .then(pl.lit("fail"))
        .when((pl.col("severity") == "warning").any())
        .then(pl.lit("warn"))
        .alias("verdict")
    )
    facts = found.runs.select("run_id", pl.struct(pl.all()).struct.json_encode().alias("facts"))
    frame = (
        facts.join(keys(found.runs, told.get("gpu")), on="run_id", how="left", maintain_order="left")
        .join(moments(found, at), on="run_id", how="left", maintain_order="left")
        .join(fingerprints(found), on="run_id", how="left", maintain_order="left")
        .join(worst, on="run_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("verdict").fill_null("pass"),
            pl.lit(added_at.replace(tzinfo=None), tables.TIME).alias("added_at"),
            pl.lit(told.get("label"), pl.String).alias("label"),
            pl.lit(told.get("commit"), pl.String).alias("commit"),
        )
    )
    return frame.rows(named=True)


def _measured_rows(found: Analysis) -> list[dict[str, Any]]:
    return measure(found).rename({"values": "figures"}).rows(named=True)


def _finding_rows(found: Analysis) -> list[dict[str, Any]]:
    noted = found.findings.filter(pl.col("run_id").is_not_null())
    return noted.select(
        "run_id",
        pl.int_range(pl.len()).over("run_id").alias("place"),
        pl.struct(pl.all()).struct.json_encode().alias("facts"),
    ).rows(named=True)


def _unpacked(rows: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """`rows` with its JSON column `facts` as the columns of `schema`, in front of the others."""
    facts = pl.col("facts").str.json_decode(pl.Struct(dict(schema)))
    if rows.is_empty():
        return pl.DataFrame(schema=pl.Schema([*schema.items(), *rows.drop("facts").schema.items()]))
    return rows.with_columns(facts).select(pl.col("facts").struct.unnest(), pl.exclude("facts"))
