"""Arguments to inputs: files, folders, patterns the shell did not expand, standard input; plain or compressed."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from loganalyzer import packed
from loganalyzer.decoding import decode
from loganalyzer.errors import SourceError

STDIN = "-"
BATCH_BYTES = 256 << 20
"""Sources are joined up to this size, so that one query serves many of them."""

_LOG_SUFFIXES = (".log", ".txt", ".out", ".jsonl")


@dataclass(frozen=True, slots=True)
class Source:
    """One input, read.

    Attributes:
        name: as given, or as found in a folder.
        data: its text as valid UTF-8, ending in a line end unless empty.
        digest: SHA-256 of the decoded text.
        size: bytes as read, after decompression.
        lines: physical lines.
        encoding, undecodable: how it was decoded, and bytes replaced.
    """

    name: str
    data: bytes
    digest: str
    size: int
    lines: int
    encoding: str
    undecodable: int


def find(arguments: Iterable[str]) -> Iterator[str | SourceError]:
    """The names of all inputs, each once, in the order given; what leads nowhere comes as an error instead."""
    seen: set[str] = set()
    for argument in arguments:
        try:
            for name in _expand(argument):
                key = name if name == STDIN else os.path.realpath(name)
                if key not in seen:
                    seen.add(key)
                    yield name
        except SourceError as error:
            yield error


def _expand(argument: str) -> Sequence[str]:
    if argument == STDIN:
        return [STDIN]
    path = Path(argument)
    if path.is_dir():
        return _folder(argument)
    if path.exists() or not glob.has_magic(argument):
        return [argument]
    names = glob.glob(argument, recursive=True)  # noqa: PTH207 -- a pattern may begin at the root
    found = sorted(name for name in names if Path(name).is_file())
    if not found:
        raise SourceError(f"{argument}: no file matches", "check the pattern, or quote it if it was meant as a name")
    return found


def _folder(argument: str) -> list[str]:
    found = [
        str(Path(folder) / name)
        for folder, _, names in os.walk(argument)
        for name in names
        if is_log(name) and (Path(folder) / name).is_file()
    ]
    if not found:
        endings = ", ".join(_LOG_SUFFIXES)
        raise SourceError(f"{argument}: no log in this folder", f"logs are files ending in {endings}, or packed ones")
    return sorted(found)


def is_log(name: str) -> bool:
    """Whether a file found in a folder or archive looks like a log, by its suffix; packed ones count."""
    path = Path(name.lower())
    inner = path.with_suffix("") if path.suffix in packed.SUFFIXES else path
    return path.suffix == packed.ZIP or inner.suffix in _LOG_SUFFIXES


def read(name: str) -> Iterator[Source]:
    """The sources of one input: one, or as many as an archive holds logs.

    Raises:
        SourceError: where it cannot be read or unpacked; names it and the reason.
    """
    try:
        if name == STDIN:
            yield from_bytes(name, sys.stdin.buffer.read())
        elif name.lower().endswith(packed.ZIP):
            yield from _archive(name)
        else:
            yield from_bytes(name, packed.read_file(Path(name)))
    except (OSError, *packed.ERRORS) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceError(f"{name}: cannot be read: {reason}", "the other inputs are analysed without it") from None


def _archive(name: str) -> Iterator[Source]:
    empty = True
    for member, data in packed.read_zip(Path(name), is_log):
        empty = False
        yield from_bytes(f"{name}/{member}", data)
    if empty:
        raise SourceError(f"{name}: no log in this archive", f"logs end in {', '.join(_LOG_SUFFIXES)}")


def from_bytes(name: str, raw: bytes) -> Source:
    """A source made of bytes already in memory."""
    decoded = decode(raw)
    data = decoded.data
    if data and not data.endswith(b"\n"):
        data += b"\n"
    return Source(
        name=name,
        data=data,
        digest=sha256(decoded.data).hexdigest(),
        size=len(raw),
        lines=data.count(b"\n"),
        encoding=decoded.encoding,
        undecodable=decoded.undecodable,
    )


def batches(sources: Iterable[Source], limit: int = BATCH_BYTES) -> Iterator[list[Source]]:
    """Sources in groups whose data stay below `limit`; a larger one stands alone."""
    group: list[Source] = []
    size = 0
    for source in sources:
        if group and size + len(source.data) > limit:
            yield group
            group, size = [], 0
        group.append(source)
        size += len(source.data)
    if group:
        yield group
