"""Writes files atomically: a reader sees the old file or the whole new one, never a part."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from loganalyzer.common.errors import ReportError

Content = str | bytes | Iterable[str]


def write(target: Path, content: Content) -> None:
    """Write `content` to a file, replacing what is there.

    Devices and pipes, files mounted by themselves (as in a container) and files in a folder that allows no new ones
    cannot be replaced: they are written in place.

    Raises:
        ReportError: the file cannot be written; a file that was to be replaced is unchanged.
    """
    if _is_replaceable(target):
        with replacement(target, content):
            return
    with _one_message(target), target.open("wb") as out:
        out.writelines(_chunks(content))


@contextmanager
def replacement(target: Path, content: Content) -> Iterator[Path]:
    """A new file with `content` that takes the place of `target` when the block ends without an error.

    Symbolic links are followed, and the target's permissions kept.

    Raises:
        ReportError: it cannot be written; nothing is left behind.
    """
    fresh: Path | None = None
    with _one_message(target):
        try:
            place = target.resolve() if target.is_symlink() else target
            handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.", suffix=place.suffix)
            fresh = Path(name)
            with os.fdopen(handle, "wb") as out:
                out.writelines(_chunks(content))
                out.flush()
                os.fsync(out.fileno())
            yield fresh
            fresh.chmod(place.stat().st_mode & 0o777 if place.exists() else 0o644)
            fresh.replace(place)
        finally:
            if fresh is not None:
                fresh.unlink(missing_ok=True)


def _is_replaceable(target: Path) -> bool:
    """Whether a new file can take the place of `target`."""
    if not target.exists():
        return True
    place = target.resolve()
    return place.is_file() and not place.is_mount() and os.access(place.parent, os.W_OK)


def _chunks(content: Content) -> Iterator[bytes]:
    """The bytes of the content; half a character of UTF-16, which JSON lets through, becomes its escape."""
    if isinstance(content, bytes):
        yield content
        return
    for text in (content,) if isinstance(content, str) else content:
        yield text.encode("utf-8", errors="backslashreplace")


@contextmanager
def _one_message(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"{target}: cannot be written: {error.strerror or error}"
        raise ReportError(message, "name a file you may write") from None
