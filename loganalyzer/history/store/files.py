"""Checks the SQLite files of a history before they are opened, and opens them read-only."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

from loganalyzer.common.errors import HistoryError

_MAGIC: Final = b"SQLite format 3\0"
_TIMEOUT_S: Final = 60


def check_file(database: str, name: str, *, create: bool) -> None:
    """Refuses a path that cannot be a history.

    Raises:
        HistoryError: the message has the reason.
    """
    file = Path(database)
    try:
        _check_place(file, name)
        head = _first_bytes(file, name)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise HistoryError(
            f"{name}: cannot read the history: {reason}", "Check --history and the file's permissions."
        ) from None
    if head is None and not create:
        raise HistoryError(f"{name}: there is no history yet", "Run `loganalyze history add LOGS` to create one.")
    if head == b"" and not create:
        raise HistoryError(f"{name}: the file is empty", "Run `loganalyze history add LOGS` to create a history in it.")
    if head and head != _MAGIC:
        raise HistoryError(
            f"{name}: not a loganalyzer history: the file is not a database",
            "Check --history: the file may be a log or a report.",
        )


def _check_place(file: Path, name: str) -> None:
    if file.is_dir():
        raise HistoryError(f"{name}: {file} is a folder", "Name a file, for example sqlite:///loganalyze.db.")
    if not file.parent.is_dir():
        raise HistoryError(f"{name}: the folder {file.parent} does not exist", "Create it, or check --history.")


def _first_bytes(file: Path, name: str) -> bytes | None:
    """The first bytes of the file; None if it does not exist."""
    if not file.exists():
        return None
    if not file.is_file():
        raise HistoryError(f"{name}: not a regular file", "Check --history.")
    with file.open("rb") as opened:
        return opened.read(len(_MAGIC))


def open_read_only(file: Path) -> sqlite3.Connection:
    """A connection that changes nothing.

    In WAL mode, SQLite creates two files next to the database even for reading. If it cannot (read-only folder, full
    disk), the file is opened as immutable. This is correct as long as there is no write-ahead log next to it.
    """
    where = f"file:{quote(str(file.resolve()))}?mode=ro"
    try:
        return _open(where)
    except sqlite3.OperationalError:
        changes = Path(f"{file.resolve()}-wal")
        if changes.exists() and changes.stat().st_size:
            raise
        return _open(f"{where}&immutable=1")


def _open(where: str) -> sqlite3.Connection:
    connection = sqlite3.connect(where, uri=True, timeout=_TIMEOUT_S)
    try:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection
