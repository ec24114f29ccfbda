"""Opens an archive of any kind and gives its members one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from loganalyzer.sources import archives
from loganalyzer.sources.archives import Content


def archive_members(file: Path | IO[bytes], name: str, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Content]]:
    """Name and content of each member of a zip or tar archive; raises like `zip_members` and `tar_members`."""
    if name.lower().endswith(archives.ZIP):
        yield from archives.zip_members(file, name, wanted)
        return
    from loganalyzer.sources import tar_archives

    yield from tar_archives.tar_members(file, name, wanted)
