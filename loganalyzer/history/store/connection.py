"""Connects to a store: a SQLite file by default, PostgreSQL for teams. Readers never write."""

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

TIMEOUT_S: Final = 60
"""How long a writer waits for other writers."""
_LOCK: Final = 7_281_359
"""PostgreSQL advisory lock: it allows one writer at a time, so that writers cannot deadlock."""
_RETRIES: Final = 5
_RETRY_STATES: Final = ("40001", "40P01")
"""PostgreSQL states of transactions that failed because of others: serialization failure, deadlock."""
_DRIVERS: Final = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_URL_HINT: Final = "Use sqlite:///path.db or postgresql+psycopg://user@host/database."


@contextmanager
def connect(text: str, *, create: bool, writes: bool) -> Iterator[sa.Engine]:
    """An engine for a URL, closed afterward. Database errors become one-line messages.

    Without `writes`, nothing is written, and a SQLite file is opened read-only.

    Raises:
        HistoryError: the URL is not a history URL, the database cannot be reached or is not a history, or it does not
            exist (without `create`).
    """
    url = history_url(text)
    name = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite":
        files.check_file(str(url.database or ""), name, create=create)
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
        raise HistoryError(f"{name}: {reason}", _hint(reason, writes=writes)) from None
    finally:
        engine.dispose()


def history_url(text: str) -> sa.URL:
    """The URL of a history with its database driver.

    Raises:
        HistoryError: the text is not a history URL.
    """
    try:
        url = sa.make_url(text)
        driver = _DRIVERS.get(url.drivername)
    except (sa.exc.ArgumentError, ValueError):
        driver = None
        url = None
    if url is None or driver is None:
        shown = text.split("://", maxsplit=1)[0] + "://…" if "://" in text else text
        raise HistoryError(f"--history {shown} is not a history URL", _URL_HINT)
    if driver == "sqlite" and url.database in (None, "", ":memory:"):
        raise HistoryError(f"--history {text}: the file name is missing, nothing would be saved", _URL_HINT)
    return url.set(drivername=driver)


def _hint(reason: str, *, writes: bool) -> str:
    if "readonly" in reason or "read-only" in reason or "disk is full" in reason:
        return "Free disk space or allow writing. Or compare without adding: --history-read-only."
    return "Check --history and your write permission." if writes else "Check --history."


def _engine(url: sa.URL, *, writes: bool) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        engine = sa.create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 15})
        sa.event.listen(engine, "begin", _begin_postgres)
        return engine
    file = Path(str(url.database))
    if not writes:
        return sa.create_engine("sqlite://", poolclass=NullPool, creator=lambda: files.open_read_only(file))
    engine = sa.create_engine(url, poolclass=NullPool, connect_args={"timeout": TIMEOUT_S})
    sa.event.listen(engine, "connect", _configure_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def copy_to_memory(engine: sa.Engine) -> sa.Engine:
    """A copy of a SQLite store in memory, which may be modified."""
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    with engine.connect() as connection:
        original: sqlite3.Connection = cast("sqlite3.Connection", connection.connection.driver_connection)
        original.backup(copy)
    return sa.create_engine("sqlite://", poolclass=sa.StaticPool, creator=lambda: copy)


def retry(attempt: Callable[[], Result]) -> Result:
    """The result of `attempt`. A transaction that failed because of another one is retried a few times."""
    for number in range(_RETRIES):
        try:
            return attempt()
        except sa.exc.OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _RETRY_STATES:
                raise
            time.sleep(0.05 * 2**number)
    return attempt()


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Sets up a SQLite connection: `_begin_sqlite` starts transactions; WAL allows readers next to one writer."""
    connection.isolation_level = None
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            # SQLite does not wait for other connections when it changes the mode.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    """Starts a transaction. Writers lock at once, because SQLite cannot wait for a later upgrade of the lock."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgres(connection: sa.Connection) -> None:
    if connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{TIMEOUT_S}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    else:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
