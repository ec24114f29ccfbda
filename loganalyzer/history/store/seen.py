"""Recognizes logs that were added before, by path, size and time without reading them, or by their text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from loganalyzer.history.identity import find_readings
from loganalyzer.history.inputs import File, Inputs, path_key, read_files, same_time
from loganalyzer.history.store.schema import FILES
from loganalyzer.runs.identity import DIGEST
from loganalyzer.tables.analysis import Analysis


def is_unchanged(connection: sa.Connection, name: str, settings: str) -> bool:
    """Whether the file was added with these settings and has had the same size and time since."""
    try:
        status = Path(name).stat()
    except (OSError, ValueError):
        return False
    key = path_key(name)
    statement = sa.select(sa.func.count()).where(
        (FILES.c.path == key) | FILES.c.path.startswith(f"{key}/"),
        FILES.c.size == status.st_size,
        FILES.c.mtime_ns == status.st_mtime_ns,
        FILES.c.settings == settings,
    )
    return bool(connection.execute(statement).scalar_one())


def find_same_content(connection: sa.Connection, name: str, settings: str) -> list[File]:
    """The logs of a file if all their texts were added with these settings; otherwise none.

    If only the file time identifies a run, a text counts as added only with the same file time.
    """
    files = list(read_files(name))
    if all(_is_known_text(connection, file, settings) for file in files):
        return files
    return []


def _is_known_text(connection: sa.Connection, file: File, settings: str) -> bool:
    statement = sa.select(FILES.c.is_distinct, FILES.c.mtime_ns).where(
        FILES.c.digest == file.content.digest, FILES.c.settings == settings
    )
    for is_distinct, mtime_ns in connection.execute(statement):
        if is_distinct:
            return True
        if isinstance(mtime_ns, int):
            stored = File(file.name, file.path, file.size, mtime_ns, file.content)
            if file.modified and same_time(stored.modified, file.modified):
                return True
    return False


def record_files(connection: sa.Connection, found: Analysis, inputs: Inputs, settings: str | None) -> None:
    """Records which logs were read with which settings. Logs without a run are not recorded and always read again."""
    is_unique = {one.run_id[:DIGEST]: True for one in find_readings(found)}
    for one in find_readings(found):
        is_unique[one.run_id[:DIGEST]] &= one.is_one_of_its_text
    files = [file for file in inputs.files if file.content.digest[:DIGEST] in is_unique]
    rows = [_file_row(file, settings, is_distinct=is_unique[file.content.digest[:DIGEST]]) for file in files]
    recorded = {file.content.digest for file in inputs.files}
    for digest, size in found.sources.select("digest", "bytes").rows():
        if digest is not None and size and digest not in recorded and digest[:DIGEST] in is_unique:
            distinct = is_unique[digest[:DIGEST]]
            rows.append(
                {"digest": digest, "path": "", "length": size, "head": None, "size": None, "mtime_ns": None}
                | {"settings": None, "is_distinct": distinct}
            )
    _upsert(connection, rows)


def record_paths(connection: sa.Connection, files: Sequence[File], settings: str) -> None:
    """Records the paths of logs whose texts are already known."""
    for file in files:
        known = sa.select(FILES.c.is_distinct).where(FILES.c.digest == file.content.digest).limit(1)
        distinct = connection.execute(known).scalar_one_or_none()
        if distinct is not None:
            _upsert(connection, [_file_row(file, settings, is_distinct=distinct)])


def _file_row(file: File, settings: str | None, *, is_distinct: bool) -> dict[str, Any]:
    return {
        "digest": file.content.digest,
        "path": file.path,
        "length": file.content.length,
        "head": file.content.head,
        "size": file.size,
        "mtime_ns": file.mtime_ns,
        "settings": settings,
        "is_distinct": is_distinct,
    }


def _upsert(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        same = (FILES.c.digest == row["digest"]) & (FILES.c.path == row["path"])
        if not connection.execute(sa.update(FILES).where(same).values(**row)).rowcount:
            connection.execute(sa.insert(FILES).values(**row))
