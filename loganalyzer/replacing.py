"""Files written whole or not at all: a file half written is worse than the old one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loganalyzer.errors import ReportError


@contextmanager
def replacement(target: Path, text: str) -> Iterator[Path]:
    """A file beside `target` that holds `text`; it takes the target's place when the block ends without an error.

    Links are followed, and the target's permissions kept.

    Raises:
        ReportError: it cannot be written; nothing is left behind.
    """
    fresh: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=target.suffix)
        fresh = Path(name)
        with os.fdopen(handle, "wb") as out:
            out.write(text.encode("utf-8"))
            out.flush()
            os.fsync(out.fileno())
        yield fresh
        fresh.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        fresh.replace(target.resolve() if target.is_symlink() else target)
    except OSError as error:
        message = f"{target}: cannot be written: {error.strerror or error}"
        raise ReportError(message, "name a file you may write") from None
    finally:
        if fresh is not None:
            fresh.unlink(missing_ok=True)
