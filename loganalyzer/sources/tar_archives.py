"""Reads the logs in tar archives in place: no member is ever written to disk under its name."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final, cast

from loganalyzer.common.errors import SkippedError, SourceError
from loganalyzer.common.formatting import one_line
from loganalyzer.sources import archives
from loganalyzer.sources.archives import BLOCK_BYTES, Content

MAX_HEADERS: Final = 1_000_000
"""Maximum members of any kind: each takes memory, even those that are not logs."""
_MEMORY_BYTES: Final = 16 << 20
"""A larger archive is decompressed into a temporary file without a name."""
_MAX_NAMED: Final = 3


def tar_members(file: Path | IO[bytes], name: str, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Content]]:
    """Name and bytes of each wanted member, sorted by name; then notes about what is skipped or damaged.

    Links, devices and pipes are skipped: a link's text is read under its own name if it is in the archive.

    Raises:
        SourceError: the logs together unpack to more than the limit, or there are too many.
        OSError: it cannot be read; one of `archives.decompression_errors()` if it is damaged.
    """
    budget = archives.MemberBudget(name)
    with _unpack(file, name) as (plain, damage):
        archive = _open_tar(plain, damage)
        listing = _Listing(archive, plain, name, wanted)
        yield from ((other, None) for other in listing.others)
        for item in sorted(listing.logs, key=lambda item: item.name):
            _limit_to_the_file(item, plain)
            member = budget.take(item.name, item.size)
            opened = archive.extractfile(item)
            if opened is not None:
                yield member, archives.read_member(opened, f"{name}/{member}", item.name)
        if listing.special:
            yield name, _note_special(name, listing.special)
        if damage or listing.damage:
            raise damage or tarfile.ReadError(listing.damage)
        if not listing.has_end:
            note = "the archive ends without an end mark, so its last logs may be missing"
            yield name, SkippedError(f"{one_line(name)}: {note}")


def _open_tar(plain: _BoundedReads, damage: Exception | None) -> tarfile.TarFile:
    """The archive. If its first header is already damaged, raises the cause."""
    try:
        return tarfile.open(fileobj=plain, mode="r:")
    except (tarfile.TarError, ValueError, RecursionError):
        if damage:
            raise damage from None
        raise


def _limit_to_the_file(item: tarfile.TarInfo, plain: _BoundedReads) -> None:
    """Shortens a member that reaches beyond the end of its archive, so that the part before it is read."""
    if not item.issparse():
        item.size = max(0, min(item.size, plain.seek(0, 2) - item.offset_data))


class _Listing:
    """The members of an archive by kind, and whether the archive was read to its end."""

    def __init__(
        self, archive: tarfile.TarFile, plain: _BoundedReads, name: str, wanted: Callable[[str], bool]
    ) -> None:
        self.logs: list[tarfile.TarInfo] = []
        self.others: list[str] = []
        self.special: list[str] = []
        self.damage = ""
        self.has_end = False
        last = -1
        for number, item in enumerate(self._headers(archive, plain)):
            if number >= MAX_HEADERS:
                raise SourceError(f"{name}: contains more than {MAX_HEADERS:,} files", "unpack it and pass its folders")
            if archive.offset <= last or item.size < 0:
                self.damage = "a header points backwards"
                return
            last = archive.offset
            self._sort(item, wanted)
            archives.check_count(name, len(self.logs))

    def _sort(self, item: tarfile.TarInfo, wanted: Callable[[str], bool]) -> None:
        if item.isreg() and wanted(item.name):
            self.logs.append(item)
        elif item.isreg():
            self.others.append(item.name)
        elif not item.isdir() and wanted(item.name):
            self.special.append(item.name)

    def _headers(self, archive: tarfile.TarFile, plain: _BoundedReads) -> Iterator[tarfile.TarInfo]:
        """The headers up to the end of the archive, or up to the damage."""
        try:
            while (item := archive.next()) is not None:
                yield item
                archive.__dict__["members"] = []  # tarfile would keep every header
        except (tarfile.TarError, ValueError, RecursionError) as error:
            self.damage = str(error) or type(error).__name__
            return
        plain.seek(archive.offset)
        block = plain.read(tarfile.BLOCKSIZE)
        self.has_end = len(block) == tarfile.BLOCKSIZE and not any(block)
        if any(block):
            self.damage = f"the header at byte {archive.offset:,} is damaged"


class _BoundedReads(io.RawIOBase):
    """An open file whose reads are limited: a header may claim that gigabytes of names follow."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        """Reads up to `size` bytes.

        Raises:
            tarfile.ReadError: a header asks for more than one block.
        """
        if not 0 <= size <= BLOCK_BYTES:
            raise tarfile.ReadError("a header is too large")
        return self._file.read(size)

    def seek(self, place: int, whence: int = 0, /) -> int:
        """Moves to a place.

        Raises:
            tarfile.ReadError: no file has this place.
        """
        try:
            return self._file.seek(place, whence)
        except (OverflowError, ValueError, OSError):
            raise tarfile.ReadError("a header points outside of the archive") from None

    def tell(self) -> int:
        """The current place."""
        return self._file.tell()


@contextmanager
def _unpack(file: Path | IO[bytes], name: str) -> Iterator[tuple[_BoundedReads, Exception | None]]:
    """The plain archive, and the error at which decompression stopped; the part before it is read."""
    compression = next(
        packed
        for suffix, packed in sorted(archives.TAR_SUFFIXES.items(), reverse=True)
        if name.lower().endswith(suffix)
    )
    with _opened(file) as raw:
        if not compression:
            yield _BoundedReads(raw), None
            return
        with tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES) as plain:
            damage: Exception | None = None
            damaging: tuple[type[Exception], ...] = (OSError, *archives.decompression_errors())
            try:
                for block in archives.decompress_as(compression, raw, name):
                    plain.write(block)
            except damaging as error:
                if not plain.tell():
                    raise
                damage = error
            plain.seek(0)
            yield _BoundedReads(cast("IO[bytes]", plain)), damage


@contextmanager
def _opened(file: Path | IO[bytes]) -> Iterator[IO[bytes]]:
    if not isinstance(file, Path):
        yield file
        return
    with file.open("rb") as opened:
        yield opened


def _note_special(name: str, members: Sequence[str]) -> SkippedError:
    more = f" and {len(members) - _MAX_NAMED} more" if len(members) > _MAX_NAMED else ""
    shown = ", ".join(one_line(PurePosixPath(member).name) for member in sorted(members)[:_MAX_NAMED])
    return SkippedError(f"{one_line(name)}: skipped links and devices: {shown}{more}")
