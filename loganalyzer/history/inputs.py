"""The files behind an analysis: their content, their times, and the earlier logs that their text contains.

Two nights may write logs that say the same. Only the file tells them apart then: its time, and what it begins with.
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
"""Bytes that are compared before a whole content is."""
LARGEST_SEARCHED: Final = 256 << 20
"""Larger texts are not searched for earlier logs: they would have to be held in memory."""
_EARLIEST: Final = datetime(2024, 1, 1)
"""Before any InfiniteTalk log: archives and package builders write such times instead of real ones."""
_AHEAD: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Content:
    """A text that was read before: SHA-256, length in bytes, and SHA-256 of its first `HEAD_BYTES` where known."""

    digest: str
    length: int
    head: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A local file with a log in it, or one log of an archive.

    Attributes:
        name: as given, or as found in a folder.
        path: SHA-256 of the absolute path: a history keeps no names of folders.
        size, mtime_ns: of the file on disk.
        content: its decoded text.
    """

    name: str
    path: str
    size: int
    mtime_ns: int
    content: Content

    @property
    def modified(self) -> datetime | None:
        """When it was last written, in UTC to the second; None for a time that cannot be true."""
        try:
            moment = datetime.fromtimestamp(self.mtime_ns // 10**9, UTC).replace(tzinfo=None)
        except (ValueError, OverflowError, OSError):
            return None
        latest = datetime.now(UTC).replace(tzinfo=None) + _AHEAD
        return moment if _EARLIEST <= moment <= latest else None


@dataclass(frozen=True, slots=True)
class Segment:
    """A text read before that is part of another: the lines in front of it, and how many it has."""

    digest: str
    lines_before: int
    lines: int


@dataclass(frozen=True)
class Inputs:
    """The files of one call, in the order in which they are read."""

    files: tuple[File, ...] = ()
    _found: dict[tuple[str, int], tuple[Segment, ...]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, paths: Iterable[str]) -> Inputs:
        """The local files behind these arguments. Others (standard input, URLs) have no time of their own."""
        names = [name for name in inputs.find_inputs(paths) if not isinstance(name, SourceError)]
        return cls(tuple(file for name in names for file in files_of(name)))

    def times(self, run_id: str) -> tuple[datetime | None, ...]:
        """The different times of the files with this run's content, in their order; (None,) without a file."""
        digest = run_id[:DIGEST]
        found = [file.modified for file in self.files if file.content.digest.startswith(digest)]
        return tuple(_apart(found)) or (None,)

    def contents(self) -> list[Content]:
        """What the files hold."""
        return list(dict.fromkeys(file.content for file in self.files))

    def places(self, run_id: str, line: int, earlier: Sequence[Content]) -> tuple[str, ...]:
        """The run's ids in earlier logs that this run's log contains, the longest log first."""
        digest, _, name = run_id.partition("-")
        again = name.partition(".")[1] + name.partition(".")[2]
        return tuple(
            f"{one.digest[:DIGEST]}-R{line - one.lines_before}{again}"
            for one in self._contained(digest, earlier)
            if one.lines_before < line <= one.lines_before + one.lines
        )

    def _contained(self, digest: str, earlier: Sequence[Content]) -> tuple[Segment, ...]:
        key = (digest, len(earlier))
        if key not in self._found:
            file = next((file for file in self.files if file.content.digest.startswith(digest)), None)
            self._found[key] = () if file is None else _segments(file, earlier)
        return self._found[key]


def files_of(name: str) -> Iterator[File]:
    """The logs in a local file; nothing for other inputs, and for what cannot be read (the analysis says why)."""
    try:
        path = Path(name)
        if name == inputs.STDIN or not path.is_file():
            return
        status = path.stat()
        key = path_key(name)
        read = [(given.name, _content(given)) for given in _readable(name)]
        # An archive that cannot be read to its end is read again each time.
        size = status.st_size if all(content for _, content in read) else -1
        for inner, content in read:
            if content is not None:
                is_member = inner.startswith(f"{encodable(name)}/")
                place = f"{key}/{sha256(inner.encode()).hexdigest()}" if is_member else key
                yield File(inner, place, size, status.st_mtime_ns, content)
    except (OSError, ValueError, LogAnalyzerError):
        return


def path_key(name: str) -> str:
    """What stands for a file's absolute path."""
    return sha256(os.fsencode(os.path.realpath(name))).hexdigest()


def _readable(name: str) -> Iterator[inputs.Input]:
    return (given for given in inputs.open_input(name) if not isinstance(given, SourceError))


def _content(given: inputs.Input) -> Content | None:
    """None where the input breaks off: what was read is not the file."""
    head, length, digest = b"", 0, sha256()
    for part in chunks.cut_chunks(given, 0):
        if isinstance(part, chunks.Source):
            if part.problem is not None:
                return None
            added = digest.hexdigest() != part.digest  # a line end behind the last line, which has none
            return Content(part.digest, length - added, sha256(head[: min(HEAD_BYTES, length - added)]).hexdigest())
        head = head if len(head) >= HEAD_BYTES else head + part.data
        length += len(part.data)
        digest.update(part.data)
    return None


def _apart(times: Sequence[datetime | None]) -> list[datetime | None]:
    """Times without those that are the same file's, copied."""
    found: list[datetime | None] = []
    for moment in times:
        if not any(same_time(moment, other) for other in found):
            found.append(moment)
    return found


def same_time(one: datetime | None, other: datetime | None) -> bool:
    """Whether two file times are the same; archives keep even seconds only."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= timedelta(seconds=2)


def _segments(file: File, earlier: Sequence[Content]) -> tuple[Segment, ...]:
    shorter = [one for one in earlier if 0 < one.length < file.content.length]
    if not shorter or file.content.length > LARGEST_SEARCHED:
        return ()
    given = next((one for one in _readable(file.name) if one.name == file.name), None)
    if given is None:
        return ()
    data = b"".join(part.data for part in chunks.cut_chunks(given, 0) if isinstance(part, chunks.Chunk))
    return contained(data[: file.content.length], shorter)


def contained(data: bytes, earlier: Sequence[Content]) -> tuple[Segment, ...]:
    """Earlier texts at the beginning of `data`, each behind the last; then at its end, each before the last."""
    known: dict[int, dict[str, str | None]] = {}
    for one in earlier:
        known.setdefault(one.length, {})[one.digest] = one.head
    found: list[tuple[int, int, str]] = []
    start, end = 0, len(data)
    while (there := _at(data, start, end, known)) is not None:
        found.append((start, start + there[0], there[1]))
        start += there[0]
    while (there := _ending(data, start, end, known)) is not None:
        found.append((end - there[0], end, there[1]))
        end -= there[0]
    return tuple(
        Segment(digest, data.count(b"\n", 0, first), data.count(b"\n", first, last)) for first, last, digest in found
    )


def _at(data: bytes, start: int, end: int, known: dict[int, dict[str, str | None]]) -> tuple[int, str] | None:
    """Length and digest of the longest earlier text that begins there."""
    best: tuple[int, str] | None = None
    running, done = sha256(), start
    for length in sorted(size for size in known if size <= end - start):
        running.update(memoryview(data)[done : start + length])
        done = start + length
        digest = running.copy().hexdigest()
        if digest in known[length]:
            best = (length, digest)
    return best


def _ending(data: bytes, start: int, end: int, known: dict[int, dict[str, str | None]]) -> tuple[int, str] | None:
    """Length and digest of the longest earlier text that ends there; its first bytes are looked at first."""
    view = memoryview(data)
    for length in sorted((size for size in known if size <= end - start), reverse=True):
        first = end - length
        head = sha256(view[first : first + min(HEAD_BYTES, length)]).hexdigest()
        if head in known[length].values():
            digest = sha256(view[first:end]).hexdigest()
            if digest in known[length]:
                return length, digest
    return None
