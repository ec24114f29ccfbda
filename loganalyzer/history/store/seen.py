"""Logs that were added before: known by path, size and time without reading them, else by their text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from loganalyzer.history.identity import readings
from loganalyzer.history.inputs import File, Inputs, files_of, path_key, same_time
from loganalyzer.history.store.schema import FILES
from loganalyzer.runs.identity import DIGEST
from loganalyzer.tables.analysis import Analysis


def is_unchanged(connection: sa.Connection, name: str, settings: str) -> bool:
    """Whether the file at this path has the size and time that it had when it was added with these settings."""
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


def same_content(connection: sa.Connection, name: str, settings: str) -> list[File]:
    """The logs of a file whose texts were all added with these settings; none where one was not.

    Where nothing but the time of its file identifies a run, a text counts as added only with the same file time.
    """
    files = list(files_of(name))
    if all(_is_known(connection, file, settings) for file in files):
        return files
    return []


def _is_known(connection: sa.Connection, file: File, settings: str) -> bool:
    statement = sa.select(FILES.c.is_distinct, FILES.c.mtime_ns).where(
        FILES.c.digest == file.content.digest, FILES.c.settings == settings
    )
    for is_distinct, mtime_ns in connection.execute(statement):
        if is_distinct:
            return True
        if isinstance(mtime_ns, int):
            held = File(file.name, file.path, file.size, mtime_ns, file.content)
            if file.modified and same_time(held.modified, file.modified):
                return True
    return False


def note(connection: sa.Connection, found: Analysis, inputs: Inputs, settings: str | None) -> None:
    """Keep which logs were read, and with what; logs without a run are read again each time."""
    unlike = {one.run_id[:DIGEST]: True for one in readings(found)}
    for one in readings(found):
        unlike[one.run_id[:DIGEST]] &= one.is_one_of_its_text
    files = [file for file in inputs.files if file.content.digest[:DIGEST] in unlike]
    rows = [_row(file, settings, is_distinct=unlike[file.content.digest[:DIGEST]]) for file in files]
    held = {file.content.digest for file in inputs.files}
    for digest, size in found.sources.select("digest", "bytes").rows():
        if digest is not None and size and digest not in held and digest[:DIGEST] in unlike:
            distinct = unlike[digest[:DIGEST]]
            rows.append(
                {"digest": digest, "path": "", "length": size, "head": None, "size": None, "mtime_ns": None}
                | {"settings": None, "is_distinct": distinct}
            )
    _replace(connection, rows)


def note_again(connection: sa.Connection, files: Sequence[File], settings: str) -> None:
    """Keep that logs whose text is known lie at these paths."""
    for file in files:
        known = sa.select(FILES.c.is_distinct).where(FILES.c.digest == file.content.digest).limit(1)
        distinct = connection.execute(known).scalar_one_or_none()
        if distinct is not None:
            _replace(connection, [_row(file, settings, is_distinct=distinct)])


def _row(file: File, settings: str | None, *, is_distinct: bool) -> dict[str, Any]:
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


def _replace(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        same = (FILES.c.digest == row["digest"]) & (FILES.c.path == row["path"])
        if not connection.execute(sa.update(FILES).where(same).values(**row)).rowcount:
            connection.execute(sa.insert(FILES).values(**row))
