"""Connections to a store: SQLite files by default, PostgreSQL for a team."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from loganalyzer.errors import HistoryError, install_hint

PATIENCE_S: Final = 60
"""How long a writer waits for the others."""
_DRIVERS: Final = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_FORMS: Final = "sqlite:///path.db, or postgresql+psycopg://user@host/database"


@contextmanager
def connected(text: str, *, create: bool) -> Iterator[sa.Engine]:
    """An engine for a URL, closed afterwards; what the database says becomes one message.

    Raises:
        HistoryError: the URL is none, the database is out of reach or no store, or (without `create`) not there.
    """
    url = _url(text)
    name = url.render_as_string(hide_password=True)
    _check_file(url, name, create=create)
    try:
        engine = sa.create_engine(url, poolclass=NullPool, connect_args=_arguments(url))
    except ModuleNotFoundError:
        raise HistoryError(f"{name}: the driver for PostgreSQL is not installed", install_hint("postgres")) from None
    if url.get_backend_name() == "sqlite":
        sa.event.listen(engine, "connect", _prepare)
        sa.event.listen(engine, "begin", _begin)
    try:
        yield engine
    except sa.exc.SQLAlchemyError as error:
        told = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise HistoryError(f"{name}: {told}", "check --history: is it a history, and may you write it?") from None
    finally:
        engine.dispose()


def _url(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
        driver = _DRIVERS.get(url.drivername)
    except (sa.exc.ArgumentError, ValueError):
        driver = None
        url = None
    if url is None or driver is None:
        shown = text.split("://", maxsplit=1)[0] + "://…" if "://" in text else text
        raise HistoryError(f"--history {shown} is no URL of a history", f"it takes {_FORMS}")
    return url.set(drivername=driver)


def _check_file(url: sa.URL, name: str, *, create: bool) -> None:
    if url.get_backend_name() != "sqlite":
        return
    if url.database in (None, "", ":memory:"):
        raise HistoryError(f"{name} names no file: nothing would be kept", f"it takes {_FORMS}")
    file = Path(str(url.database))
    if not create and not file.exists():
        raise HistoryError(f"{name}: there is no history yet", "`loganalyze history add LOGS` begins one")
    if not file.parent.is_dir():
        raise HistoryError(f"{name}: there is no folder {file.parent}", "make it first, or check --history")


def _arguments(url: sa.URL) -> dict[str, Any]:
    return {"timeout": PATIENCE_S} if url.get_backend_name() == "sqlite" else {"connect_timeout": 15}


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
