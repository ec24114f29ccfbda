"""Inputs to pieces: whole lines of valid UTF-8, of bounded size, and what is known of an input once it is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from loganalyzer.common.errors import SourceError
from loganalyzer.sources.encoding import HEAD_BYTES, Encoding, told_by
from loganalyzer.sources.exports import reading
from loganalyzer.sources.inputs import Input

PIECE_BYTES: Final = 4 << 20
"""Inputs are cut at line ends about here, so that memory stays bounded and all cores have work."""
LONGEST_LINE: Final = 32 << 20
"""An input whose line goes on for longer is given up: whatever it is, it is no log."""

_LONGEST_JOINED: Final = 4 << 20
"""A line whose pieces reach further back has lost its last one."""
CUT_MARKS: Final = (b" stdout P", b" stderr P", b'{"log":')
"""What stands in a container runtime's lines where it may have cut them."""
_TAIL: Final = 1 << 18
"""A line being cut shows among the last bytes."""
SPLIT_BYTES: Final = 1 << 14
"""Docker cuts what a container writes into pieces of this size; each becomes a line of its own."""
_RUNTIME_LINE: Final = rb'(?m)^(?:[^\n]{0,80}? (stdout|stderr) (P|F) |\{"log":[^\n]*"stream": ?"(stdout|stderr)")'
_LONG_JSON_LINE: Final = rb'(?m)^\{"log":[^\n]{%d}' % SPLIT_BYTES
"""Both are compiled by the first input that has such lines."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines of an input.

    Attributes:
        source: the input's number in this call.
        first_line: number of its first line, from 1.
        lines: how many lines it holds.
        data: valid UTF-8; every line ends in a line end.
    """

    source: int
    first_line: int
    lines: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Source:
    """One input, read.

    Attributes:
        number: the input's number in this call.
        name: as given, or as found in a folder.
        digest: SHA-256 of the decoded text.
        secret: SHA-256 of the text and a suffix: nobody who has not the text can tell it, the digest notwithstanding.
        size: bytes as read, after decompression.
        lines: physical lines.
        encoding, undecodable: how it was decoded, and bytes replaced.
        problem: what kept it from being read to its end, or None; what was read before counts.
        form: what document the log was read out of, in words for a note; None for a log as it is.
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


def cut(given: Input, number: int, size: int = PIECE_BYTES) -> Iterator[Piece | Source]:
    """An input's pieces in order, and at last what is known of it as a whole.

    An input that breaks off (a damaged archive, a lost connection) keeps what was read, and its `problem`.
    """
    counted = _Counted(number, given.name)
    try:
        opened = reading.opened(given)
    except SourceError as error:
        yield counted.source(error)
        return
    for raw in _blocks(Input(given.name, opened.chunks), size):
        if isinstance(raw, SourceError):
            yield counted.source(raw)
            return
        piece = counted.piece(raw)
        if piece.lines:
            yield piece
    whole = counted.source(None)
    yield whole if opened.form is None else replace(whole, form=opened.form, size=opened.size or 0)


class _Counted:
    """What the blocks of an input add up to."""

    def __init__(self, number: int, name: str) -> None:
        self.number, self.name = number, name
        self.encoding = Encoding("utf-8", 0)
        self.digest = sha256()
        self.size = self.lines = self.undecodable = 0

    def piece(self, block: _Block) -> Piece:
        """The next block's lines."""
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
        return Piece(self.number, first, count, data)

    def source(self, problem: SourceError | None) -> Source:
        """The input as a whole."""
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
    """Whole lines as read, without a byte order mark; `size` counts the mark."""

    data: bytes
    encoding: Encoding
    size: int


def _blocks(given: Input, size: int) -> Iterator[_Block | SourceError]:
    """Whole lines of about `size` bytes; what stopped the reading comes last."""
    held = _Held(given.name, size)
    stopped = None
    try:
        for chunk in given.chunks:
            for start in range(0, len(chunk), size):
                if block := held.add(chunk[start : start + size]):
                    yield block
    except SourceError as error:
        stopped = error
    if rest := held.rest():
        yield rest
    if stopped:
        yield stopped


class _Held:
    """Bytes read and not yet handed on; looked through each time that there are `enough`."""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.chunks: list[bytes] = []
        self.size = 0
        self.enough = self.usual = size
        self.encoding: Encoding | None = None
        self.mark = 0

    def add(self, more: bytes) -> _Block | None:
        """Take more; give the whole lines held, but for those that a container runtime continues further down.

        Raises:
            SourceError: a line does not end.
        """
        self.chunks.append(more)
        self.size += len(more)
        if self.size < max(self.enough, 0 if self.encoding else HEAD_BYTES):
            return None
        encoding, data, rest = self._lines()
        end = len(data)
        if encoding.name == "utf-8":
            end = _behind_whole_lines(data, end)
        if end < len(data):
            data, rest = data[:end], data[end:] + rest
        if end == 0 and self.size > LONGEST_LINE:
            raise SourceError(
                f"{self.name}: a line is longer than {LONGEST_LINE >> 20} MiB",
                "this is no log, or its line ends are lost",
            )
        self.enough = max(self.usual, 2 * len(rest))
        self.chunks, self.size = [rest], len(rest)
        return self._block(encoding, data) if data else None

    def rest(self) -> _Block | None:
        """All that is left."""
        encoding = self._told()
        data = b"".join(self.chunks)
        return self._block(encoding, data) if data or self.mark else None

    def _lines(self) -> tuple[Encoding, bytes, bytes]:
        """What is held, without its mark: whole lines in one piece, and the beginning of the next line.

        Lines mostly end in what came last: then all is copied once.
        """
        encoding = self._told()
        *before, last = self.chunks
        if encoding.name == "utf-8" and (end := encoding.line_end(last)):
            return encoding, b"".join([*before, last[:end]]), last[end:]
        data = b"".join(self.chunks)
        end = encoding.line_end(data)
        return encoding, data[:end], data[end:]

    def _told(self) -> Encoding:
        """The encoding, by the first bytes, which lose their mark."""
        if self.encoding is None:
            data = b"".join(self.chunks)
            self.encoding = told_by(data)
            self.mark = self.encoding.mark
            self.chunks = [data[self.mark :]]
        return self.encoding

    def _block(self, encoding: Encoding, data: bytes) -> _Block:
        block = _Block(data, encoding, len(data) + self.mark)
        self.mark = 0
        return block


def is_cut(data: bytes) -> bool:
    """Whether a container runtime may have cut lines into pieces: docker and kubernetes do at 16 KiB."""
    return any(mark in data for mark in CUT_MARKS[:2]) or (
        CUT_MARKS[2] in data and re.search(_LONG_JSON_LINE, data) is not None
    )


def _behind_whole_lines(data: bytes, end: int) -> int:
    """The last line end up to `end` at which no stream of a container runtime is in the middle of a line."""
    if not is_cut(data[max(0, end - _TAIL) : end]):
        return end
    open_since: dict[bytes, int] = {}
    for line in re.compile(_RUNTIME_LINE).finditer(data, 0, end):
        stream = line[1] or line[3]
        if line[2] == b"P" or (line[3] and len(line[0]) > SPLIT_BYTES and b'\\n"' not in line[0]):
            open_since.setdefault(stream, line.start())
        else:
            open_since.pop(stream, None)
    return min((start for start in open_since.values() if end - start < _LONGEST_JOINED), default=end)
