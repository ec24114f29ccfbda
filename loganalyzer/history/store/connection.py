"""Connections to a store: SQLite files by default, PostgreSQL for a team. Readers change nothing in it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from loganalyzer.common.errors import HistoryError, install_hint
from loganalyzer.history.store import files

Result = TypeVar("Result")

PATIENCE_S: Final = 60
"""How long a writer waits for the others."""
_LOCK: Final = 7_281_359
"""PostgreSQL: one writer at a time, so that two of them cannot wait for each other."""
_RETRIES: Final = 5
_TO_RETRY: Final = ("40001", "40P01")
"""PostgreSQL's states for transactions that failed because of others: serialization failure, deadlock."""
_DRIVERS: Final = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_FORMS: Final = "It takes sqlite:///path.db, or postgresql+psycopg://user@host/database."


@contextmanager
def connected(text: str, *, create: bool, writes: bool) -> Iterator[sa.Engine]:
    """An engine for a URL, closed afterwards; each error of the database becomes one message.

    Without `writes`, nothing is written: a SQLite file is opened read-only.

    Raises:
        HistoryError: the URL is not one of a history, the database cannot be reached or is no history, or (without
            `create`) it does not exist.
    """
    url = history_url(text)
    name = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite":
        files.check(str(url.database or ""), name, create=create)
    try:
        engine = _engine(url, writes=writes)
    except ModuleNotFoundError:
        raise HistoryError(f"{name}: the driver for PostgreSQL is not installed", install_hint("postgres")) from None
    try:
        yield engine
    except HistoryError as error:
        raise HistoryError(f"{name}: {error.message}", error.hint) from None
    except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
        reason = (str(getattr(error, "orig", None) or error).strip() or type(error).__name__).splitlines()[0]
        raise HistoryError(f"{name}: {reason}", _way_out(reason, writes=writes)) from None
    finally:
        engine.dispose()


def history_url(text: str) -> sa.URL:
    """The URL of a history with the driver that serves it.

    Raises:
        HistoryError: it is not one.
    """
    try:
        url = sa.make_url(text)
        driver = _DRIVERS.get(url.drivername)
    except (sa.exc.ArgumentError, ValueError):
        driver = None
        url = None
    if url is None or driver is None:
        shown = text.split("://", maxsplit=1)[0] + "://…" if "://" in text else text
        raise HistoryError(f"--history {shown} is not a history URL", _FORMS)
    if driver == "sqlite" and url.database in (None, "", ":memory:"):
        raise HistoryError(f"{text} names no file: nothing would be kept", _FORMS)
    return url.set(drivername=driver)


def _way_out(reason: str, *, writes: bool) -> str:
    if "readonly" in reason or "read-only" in reason or "disk is full" in reason:
        return "Free the disk or allow writing, or use --history-read-only to compare without adding."
    return "Check --history: is it a history, and may you write it?" if writes else "Check --history: is it a history?"


def _engine(url: sa.URL, *, writes: bool) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        engine = sa.create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 15})
        sa.event.listen(engine, "begin", _begin_on_server)
        return engine
    file = Path(str(url.database))
    if not writes:
        return sa.create_engine("sqlite://", poolclass=NullPool, creator=lambda: files.opened_read_only(file))
    engine = sa.create_engine(url, poolclass=NullPool, connect_args={"timeout": PATIENCE_S})
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def in_memory(engine: sa.Engine) -> sa.Engine:
    """A copy of a SQLite store in memory, which may be changed."""
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    with engine.connect() as connection:
        original: sqlite3.Connection = cast("sqlite3.Connection", connection.connection.driver_connection)
        original.backup(copy)
    return sa.create_engine("sqlite://", poolclass=sa.StaticPool, creator=lambda: copy)


def retried(attempt: Callable[[], Result]) -> Result:
    """What `attempt` gives; a transaction that failed because of another one is tried again a few times."""
    for number in range(_RETRIES):
        try:
            return attempt()
        except sa.exc.OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _TO_RETRY:
                raise
            time.sleep(0.05 * 2**number)
    return attempt()


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    """Transactions are begun by `_begin`, not by the driver; readers and one writer go on side by side (WAL)."""
    connection.isolation_level = None
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            # Changing the mode does not wait for others by itself.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin(connection: sa.Connection) -> None:
    """A writer takes its turn at once: a lock asked for later could not be waited for."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_on_server(connection: sa.Connection) -> None:
    if connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE_S}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    else:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
