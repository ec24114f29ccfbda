"""Reads the files behind an analysis: their content, their times, and the earlier logs that they contain.

Logs of two nights may have the same text. Then only the time of the file, or the text before it, distinguishes them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

from loganalyzer.common.errors import LogAnalyzerError, SourceError
from loganalyzer.common.formatting import encodable
from loganalyzer.runs.identity import DIGEST
from loganalyzer.sources import chunks, inputs

HEAD_BYTES: Final = 256
"""Bytes that are compared before the full content."""
LARGEST_SEARCHED: Final = 256 << 20
"""Larger texts are not searched for earlier logs, because the search needs the full text in memory."""
_EARLIEST: Final = datetime(2024, 1, 1)
"""There are no older InfiniteTalk logs. Archives and package builders write older times instead of real ones."""
_CLOCK_TOLERANCE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Content:
    """A text that was read before: SHA-256, length in bytes, and SHA-256 of its first `HEAD_BYTES` if known."""

    digest: str
    length: int
    head: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A local log file, or one log of an archive.

    Attributes:
        name: the name given, or found in a folder.
        path: SHA-256 of the absolute path, because a history must not contain folder names.
        size, mtime_ns: of the file on disk.
        content: the decoded text.
    """

    name: str
    path: str
    size: int
    mtime_ns: int
    content: Content

    @property
    def modified(self) -> datetime | None:
        """When the file was last written, in UTC to the second; None for an implausible time."""
        try:
            moment = datetime.fromtimestamp(self.mtime_ns // 10**9, UTC).replace(tzinfo=None)
        except (ValueError, OverflowError, OSError):
            return None
        latest = datetime.now(UTC).replace(tzinfo=None) + _CLOCK_TOLERANCE
        return moment if _EARLIEST <= moment <= latest else None


@dataclass(frozen=True, slots=True)
class Segment:
    """An earlier text within another one: the number of lines before it, and its number of lines."""

    digest: str
    lines_before: int
    lines: int


@dataclass(frozen=True)
class Inputs:
    """The files of one call, in reading order."""

    files: tuple[File, ...] = ()
    _found: dict[tuple[str, int], tuple[Segment, ...]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, paths: Iterable[str]) -> Inputs:
        """The local files behind these arguments. Standard input and URLs have no file time."""
        names = [name for name in inputs.find_inputs(paths) if not isinstance(name, SourceError)]
        return cls(tuple(file for name in names for file in read_files(name)))

    def times(self, run_id: str) -> tuple[datetime | None, ...]:
        """The distinct times of the files with this run's content, in order; (None,) without a file."""
        digest = run_id[:DIGEST]
        found = [file.modified for file in self.files if file.content.digest.startswith(digest)]
        return tuple(_distinct_times(found)) or (None,)

    def contents(self) -> list[Content]:
        """The distinct contents of the files."""
        return list(dict.fromkeys(file.content for file in self.files))

    def places(self, run_id: str, line: int, earlier: Sequence[Content]) -> tuple[str, ...]:
        """The ids of the run in earlier logs that this run's log contains, the longest log first."""
        digest, _, name = run_id.partition("-")
        suffix = name.partition(".")[1] + name.partition(".")[2]
        return tuple(
            f"{one.digest[:DIGEST]}-R{line - one.lines_before}{suffix}"
            for one in self._contained(digest, earlier)
            if one.lines_before < line <= one.lines_before + one.lines
        )

    def _contained(self, digest: str, earlier: Sequence[Content]) -> tuple[Segment, ...]:
        key = (digest, len(earlier))
        if key not in self._found:
            file = next((file for file in self.files if file.content.digest.startswith(digest)), None)
            self._found[key] = () if file is None else _find_segments(file, earlier)
        return self._found[key]


def read_files(name: str) -> Iterator[File]:
    """The logs in a local file. Other inputs and unreadable files give none; the analysis reports the reason."""
    try:
        path = Path(name)
        if name == inputs.STDIN or not path.is_file():
            return
        status = path.stat()
        key = path_key(name)
        logs = [(given.name, _read_content(given)) for given in _readable(name)]
        # -1: an archive that cannot be read to its end never counts as unchanged.
        size = status.st_size if all(content for _, content in logs) else -1
        for inner, content in logs:
            if content is not None:
                is_member = inner.startswith(f"{encodable(name)}/")
                place = f"{key}/{sha256(inner.encode()).hexdigest()}" if is_member else key
                yield File(inner, place, size, status.st_mtime_ns, content)
    except (OSError, ValueError, LogAnalyzerError):
        return


def path_key(name: str) -> str:
    """The SHA-256 of a file's absolute path."""
    return sha256(os.fsencode(os.path.realpath(name))).hexdigest()


def _readable(name: str) -> Iterator[inputs.Input]:
    return (given for given in inputs.open_input(name) if not isinstance(given, SourceError))


def _read_content(given: inputs.Input) -> Content | None:
    """The content of an input; None if the input breaks off, because the text is then incomplete."""
    head, length, digest = b"", 0, sha256()
    for part in chunks.cut_chunks(given, 0):
        if isinstance(part, chunks.Source):
            if part.problem is not None:
                return None
            added = digest.hexdigest() != part.digest  # the reader adds a missing final newline
            return Content(part.digest, length - added, sha256(head[: min(HEAD_BYTES, length - added)]).hexdigest())
        head = head if len(head) >= HEAD_BYTES else head + part.data
        length += len(part.data)
        digest.update(part.data)
    return None


def _distinct_times(times: Sequence[datetime | None]) -> list[datetime | None]:
    """The times without duplicates. Copies of a file may differ by 2 s."""
    distinct: list[datetime | None] = []
    for moment in times:
        if not any(same_time(moment, other) for other in distinct):
            distinct.append(moment)
    return distinct


def same_time(one: datetime | None, other: datetime | None) -> bool:
    """Whether two file times are the same within 2 s, because archives store only even seconds."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= timedelta(seconds=2)


def _find_segments(file: File, earlier: Sequence[Content]) -> tuple[Segment, ...]:
    shorter = [one for one in earlier if 0 < one.length < file.content.length]
    if not shorter or file.content.length > LARGEST_SEARCHED:
        return ()
    given = next((one for one in _readable(file.name) if one.name == file.name), None)
    if given is None:
        return ()
    data = b"".join(part.data for part in chunks.cut_chunks(given, 0) if isinstance(part, chunks.Chunk))
    return find_contained(data[: file.content.length], shorter)


def find_contained(data: bytes, earlier: Sequence[Content]) -> tuple[Segment, ...]:
    """Earlier texts that `data` starts with, one after the other; then those that it ends with, from the end."""
    known: dict[int, dict[str, str | None]] = {}
    for one in earlier:
        known.setdefault(one.length, {})[one.digest] = one.head
    found: list[tuple[int, int, str]] = []
    start, end = 0, len(data)
    while (longest := _longest_at(data, start, end, known)) is not None:
        found.append((start, start + longest[0], longest[1]))
        start += longest[0]
    while (longest := _longest_ending(data, start, end, known)) is not None:
        found.append((end - longest[0], end, longest[1]))
        end -= longest[0]
    return tuple(
        Segment(digest, data.count(b"\n", 0, first), data.count(b"\n", first, last)) for first, last, digest in found
    )


def _longest_at(data: bytes, start: int, end: int, known: dict[int, dict[str, str | None]]) -> tuple[int, str] | None:
    """Length and digest of the longest earlier text that starts at `start`; None if there is none."""
    best: tuple[int, str] | None = None
    running, done = sha256(), start
    for length in sorted(size for size in known if size <= end - start):
        running.update(memoryview(data)[done : start + length])
        done = start + length
        digest = running.copy().hexdigest()
        if digest in known[length]:
            best = (length, digest)
    return best


def _longest_ending(
    data: bytes, start: int, end: int, known: dict[int, dict[str, str | None]]
) -> tuple[int, str] | None:
    """Length and digest of the longest earlier text that ends at `end`; None if there is none.

    It compares the first bytes before it hashes the full text.
    """
    view = memoryview(data)
    for length in sorted((size for size in known if size <= end - start), reverse=True):
        first = end - length
        head = sha256(view[first : first + min(HEAD_BYTES, length)]).hexdigest()
        if head in known[length].values():
            digest = sha256(view[first:end]).hexdigest()
            if digest in known[length]:
                return length, digest
    return None
