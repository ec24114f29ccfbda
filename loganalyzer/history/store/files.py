"""SQLite files of a history: checked before they are opened, and opened so that reading writes nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

from loganalyzer.common.errors import HistoryError

_MAGIC: Final = b"SQLite format 3\0"
_PATIENCE_S: Final = 60


def check(database: str, name: str, *, create: bool) -> None:
    """Refuse a path that cannot be a history.

    Raises:
        HistoryError: says why.
    """
    file = Path(database)
    try:
        _check_place(file, name)
        head = _first_bytes(file, name)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise HistoryError(f"{name}: cannot be read: {reason}", "Check --history and the file's permissions.") from None
    if head is None and not create:
        raise HistoryError(f"{name}: there is no history yet", "Run `loganalyze history add LOGS` to create one.")
    if head == b"" and not create:
        raise HistoryError(f"{name}: the file is empty", "Run `loganalyze history add LOGS` to begin a history in it.")
    if head and head != _MAGIC:
        raise HistoryError(
            f"{name}: the file is not a database, so not a loganalyzer history",
            "Check --history: it may be a log or a report.",
        )


def _check_place(file: Path, name: str) -> None:
    if file.is_dir():
        raise HistoryError(f"{name}: {file} is a folder", "Name a file in it, such as sqlite:///loganalyze.db.")
    if not file.parent.is_dir():
        raise HistoryError(f"{name}: the folder {file.parent} does not exist", "Create it, or check --history.")


def _first_bytes(file: Path, name: str) -> bytes | None:
    """None where there is no file."""
    if not file.exists():
        return None
    if not file.is_file():
        raise HistoryError(f"{name}: this is not a regular file", "Check --history.")
    with file.open("rb") as opened:
        return opened.read(len(_MAGIC))


def opened_read_only(file: Path) -> sqlite3.Connection:
    """A connection that changes nothing.

    SQLite wants to create two files beside a database in WAL mode, even to read it. Where it cannot (a read-only
    folder, a full disk), the file is read as one that nobody changes; that is right as long as no log of changes lies
    beside it.
    """
    where = f"file:{quote(str(file.resolve()))}?mode=ro"
    try:
        return _tried(where)
    except sqlite3.OperationalError:
        changes = Path(f"{file.resolve()}-wal")
        if changes.exists() and changes.stat().st_size:
            raise
        return _tried(f"{where}&immutable=1")


def _tried(where: str) -> sqlite3.Connection:
    connection = sqlite3.connect(where, uri=True, timeout=_PATIENCE_S)
    try:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection
