"""Writes files atomically: a reader sees the old file or the complete new one, never a part."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from loganalyzer.common.errors import ReportError

Content = str | bytes | Iterable[str]


def write(target: Path, content: Content) -> None:
    """Writes `content` to a file, replacing an existing one.

    Devices, pipes, individually mounted files (as in a container) and files in a read-only folder cannot be replaced:
    they are written in place.

    Raises:
        ReportError: the file cannot be written; a file that was to be replaced stays unchanged.
    """
    if _is_replaceable(target):
        with replacement(target, content):
            return
    with _translate_errors(target), target.open("wb") as out:
        out.writelines(_encode_chunks(content))


@contextmanager
def replacement(target: Path, content: Content) -> Iterator[Path]:
    """A new file with `content` that replaces `target` when the block ends without an error.

    Symbolic links are followed, and the target's permissions are kept.

    Raises:
        ReportError: it cannot be written; no temporary file remains.
    """
    temporary: Path | None = None
    with _translate_errors(target):
        try:
            destination = target.resolve() if target.is_symlink() else target
            handle, name = tempfile.mkstemp(
                dir=destination.parent, prefix=f".{destination.name}.", suffix=destination.suffix
            )
            temporary = Path(name)
            with os.fdopen(handle, "wb") as out:
                out.writelines(_encode_chunks(content))
                out.flush()
                os.fsync(out.fileno())
            yield temporary
            temporary.chmod(destination.stat().st_mode & 0o777 if destination.exists() else 0o644)
            temporary.replace(destination)
        finally:
            if temporary is not None:
                temporary.unlink(missing_ok=True)


def _is_replaceable(target: Path) -> bool:
    """Whether a new file can replace `target`."""
    if not target.exists():
        return True
    destination = target.resolve()
    is_mount = os.path.ismount(destination)  # Path.is_mount fails on Windows before 3.12
    return destination.is_file() and not is_mount and os.access(destination.parent, os.W_OK)


def _encode_chunks(content: Content) -> Iterator[bytes]:
    """The bytes of the content; an unpaired surrogate, which JSON allows, becomes its escape."""
    if isinstance(content, bytes):
        yield content
        return
    for text in (content,) if isinstance(content, str) else content:
        yield text.encode("utf-8", errors="backslashreplace")


@contextmanager
def _translate_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"{target}: cannot be written: {error.strerror or error}"
        raise ReportError(message, "choose a file that you can write") from None
