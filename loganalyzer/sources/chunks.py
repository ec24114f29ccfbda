"""Cuts inputs into chunks: complete lines of valid UTF-8, of bounded size; then describes the input that was read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from loganalyzer.common.errors import SourceError
from loganalyzer.sources.encoding import HEAD_BYTES, Encoding, detect_encoding
from loganalyzer.sources.exports import reading
from loganalyzer.sources.inputs import Input

CHUNK_BYTES: Final = 4 << 20
"""Approximate size of a chunk: memory stays bounded, and all cores get work."""
MAX_LINE_BYTES: Final = 32 << 20
"""An input with a longer line is rejected: it is not a log."""

_MAX_REJOINED_BYTES: Final = 4 << 20
"""A split line whose first part is further back than this has lost its last part."""
CUT_MARKS: Final = (b" stdout P", b" stderr P", b'{"log":')
"""A container runtime's lines contain one of these where it may have split them."""
_TAIL: Final = 1 << 18
"""The last bytes of the buffer, which show whether a line is being split."""
SPLIT_BYTES: Final = 1 << 14
"""Docker splits each write of a container into pieces of this size; each piece becomes a line."""
_RUNTIME_LINE: Final = rb'(?m)^(?:[^\n]{0,80}? (stdout|stderr) (P|F) |\{"log":[^\n]*"stream": ?"(stdout|stderr)")'
_LONG_JSON_LINE: Final = rb'(?m)^\{"log":[^\n]{%d}' % SPLIT_BYTES
"""Both are compiled for the first input that has such lines."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines of an input.

    Attributes:
        source: the input's number in this call.
        first_line: number of its first line, from 1.
        lines: number of lines.
        data: valid UTF-8; every line ends with a line end.
    """

    source: int
    first_line: int
    lines: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Source:
    """One input that was read.

    Attributes:
        number: the input's number in this call.
        name: as given, or as found in a folder.
        digest: SHA-256 of the decoded text.
        secret: SHA-256 of the text and a suffix: only owners of the text can compute it, even with the digest.
        size: bytes as read, after decompression.
        lines: physical lines.
        encoding, undecodable: the encoding, and the number of bytes that were replaced.
        problem: why it was not read to its end, or None; the part that was read counts.
        form: the kind of document that contained the log, as text for a note; None for a plain log.
    """

    number: int
    name: str
    digest: str
    secret: str
    size: int
    lines: int
    encoding: str
    undecodable: int
    problem: SourceError | None = None
    form: str | None = None


def cut_chunks(given: Input, number: int, size: int = CHUNK_BYTES) -> Iterator[Chunk | Source]:
    """The chunks of an input in order, then its description.

    An input that breaks off (a damaged archive, a lost connection) keeps the part that was read, and its `problem`.
    """
    counter = _InputCounter(number, given.name)
    try:
        opened = reading.open_document(given)
    except SourceError as error:
        yield counter.describe(error)
        return
    for raw in _read_blocks(Input(given.name, opened.chunks), size):
        if isinstance(raw, SourceError):
            yield counter.describe(raw)
            return
        add = counter.add(raw)
        if add.lines:
            yield add
    description = counter.describe(None)
    yield description if opened.form is None else replace(description, form=opened.form, size=opened.size or 0)


class _InputCounter:
    """Adds up the blocks of an input."""

    def __init__(self, number: int, name: str) -> None:
        self.number, self.name = number, name
        self.encoding = Encoding("utf-8", 0)
        self.digest = sha256()
        self.size = self.lines = self.undecodable = 0

    def add(self, block: _Block) -> Chunk:
        """Decodes the next block."""
        decoded = block.encoding.decode(block.data)
        data = decoded.data
        self.digest.update(data)
        self.encoding = block.encoding
        self.size += block.size
        self.undecodable += decoded.undecodable
        if data and not data.endswith(b"\n"):
            data += b"\n"
        first, count = self.lines + 1, data.count(b"\n")
        self.lines += count
        return Chunk(self.number, first, count, data)

    def describe(self, problem: SourceError | None) -> Source:
        """The description of the input."""
        secret = self.digest.copy()
        secret.update(b"\0secret")
        return Source(
            self.number,
            self.name,
            self.digest.hexdigest(),
            secret.hexdigest(),
            self.size,
            self.lines,
            self.encoding.name,
            self.undecodable,
            problem,
        )


@dataclass(frozen=True, slots=True)
class _Block:
    """Complete lines as read, without a byte order mark; `size` includes the mark."""

    data: bytes
    encoding: Encoding
    size: int


def _read_blocks(given: Input, size: int) -> Iterator[_Block | SourceError]:
    """Complete lines in blocks of about `size` bytes; an error that stopped the reading comes last."""
    buffer = _LineBuffer(given.name, size)
    stopped = None
    try:
        for chunk in given.chunks:
            for start in range(0, len(chunk), size):
                if block := buffer.add(chunk[start : start + size]):
                    yield block
    except SourceError as error:
        stopped = error
    if rest := buffer.rest():
        yield rest
    if stopped:
        yield stopped


class _LineBuffer:
    """Bytes that were read and not yet returned; scanned whenever there are `enough`."""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.chunks: list[bytes] = []
        self.size = 0
        self.enough = self.usual = size
        self.encoding: Encoding | None = None
        self.mark = 0

    def add(self, more: bytes) -> _Block | None:
        """Buffers more bytes; returns the complete lines, except those that a container runtime continues later.

        Raises:
            SourceError: a line exceeds the limit.
        """
        self.chunks.append(more)
        self.size += len(more)
        if self.size < max(self.enough, 0 if self.encoding else HEAD_BYTES):
            return None
        encoding, data, rest = self._split_complete_lines()
        end = len(data)
        if encoding.name == "utf-8":
            end = _find_complete_end(data, end)
        if end < len(data):
            data, rest = data[:end], data[end:] + rest
        if end == 0 and self.size > MAX_LINE_BYTES:
            raise SourceError(
                f"{self.name}: a line is longer than {MAX_LINE_BYTES >> 20} MiB",
                "this is not a log, or its line ends are missing",
            )
        self.enough = max(self.usual, 2 * len(rest))
        self.chunks, self.size = [rest], len(rest)
        return self._block(encoding, data) if data else None

    def rest(self) -> _Block | None:
        """The remaining bytes."""
        encoding = self._detect_encoding()
        data = b"".join(self.chunks)
        return self._block(encoding, data) if data or self.mark else None

    def _split_complete_lines(self) -> tuple[Encoding, bytes, bytes]:
        """The buffer without its mark: all complete lines, and the beginning of the next line.

        The last line end is usually in the last chunk: then all bytes are copied once.
        """
        encoding = self._detect_encoding()
        *before, last = self.chunks
        if encoding.name == "utf-8" and (end := encoding.line_end(last)):
            return encoding, b"".join([*before, last[:end]]), last[end:]
        data = b"".join(self.chunks)
        end = encoding.line_end(data)
        return encoding, data[:end], data[end:]

    def _detect_encoding(self) -> Encoding:
        """The encoding, detected from the first bytes, which then lose their mark."""
        if self.encoding is None:
            data = b"".join(self.chunks)
            self.encoding = detect_encoding(data)
            self.mark = self.encoding.mark
            self.chunks = [data[self.mark :]]
        return self.encoding

    def _block(self, encoding: Encoding, data: bytes) -> _Block:
        block = _Block(data, encoding, len(data) + self.mark)
        self.mark = 0
        return block


def may_have_split_lines(data: bytes) -> bool:
    """Whether a container runtime may have split lines: docker and kubernetes do at 16 KiB."""
    return any(mark in data for mark in CUT_MARKS[:2]) or (
        CUT_MARKS[2] in data and re.search(_LONG_JSON_LINE, data) is not None
    )


def _find_complete_end(data: bytes, end: int) -> int:
    """The last line end up to `end` at which no stream of a container runtime is within a split line."""
    if not may_have_split_lines(data[max(0, end - _TAIL) : end]):
        return end
    open_since: dict[bytes, int] = {}
    for line in re.compile(_RUNTIME_LINE).finditer(data, 0, end):
        stream = line[1] or line[3]
        if line[2] == b"P" or (line[3] and len(line[0]) > SPLIT_BYTES and b'\\n"' not in line[0]):
            open_since.setdefault(stream, line.start())
        else:
            open_since.pop(stream, None)
    return min((start for start in open_since.values() if end - start < _MAX_REJOINED_BYTES), default=end)
