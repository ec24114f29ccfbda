"""Arguments to inputs: files, folders, patterns the shell did not expand, URLs, standard input; plain or compressed."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from loganalyzer import addresses, packed, remote
from loganalyzer.errors import SourceError

Item = TypeVar("Item")

STDIN = "-"

_LOG_SUFFIXES = (".log", ".txt", ".out", ".jsonl")


@dataclass(frozen=True, slots=True)
class Input:
    """One input, opened: its name, as given or found, and its bytes in order, unpacked but not decoded."""

    name: str
    chunks: Iterable[bytes]


def find(arguments: Iterable[str]) -> Iterator[str | SourceError]:
    """The names of all inputs, each once, in the order given; what leads nowhere comes as an error instead."""
    seen: set[str] = set()
    for argument in arguments:
        try:
            for name in _expand(argument):
                key = name if name == STDIN or addresses.parse(name) else os.path.realpath(name)
                if key not in seen:
                    seen.add(key)
                    yield name
        except SourceError as error:
            yield error


def _expand(argument: str) -> Sequence[str]:
    if argument == STDIN:
        return [STDIN]
    address = addresses.parse(argument)
    if address:
        return remote.expand(argument, address, is_log)
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


def read(name: str) -> Iterator[Input]:
    """The inputs behind one name: one, or as many as an archive holds logs. Each is read while it is iterated.

    Raises:
        SourceError: where it, or while iterated one of its inputs, cannot be read or unpacked; names it and the reason.
    """
    address = addresses.parse(name)
    if name == STDIN:
        yield Input(name, _clear(name, packed.plain(sys.stdin.buffer)))
    elif address:
        yield from _remote(name, address)
    elif name.lower().endswith(packed.ZIP):
        yield from _archive(name)
    else:
        yield Input(name, _clear(name, packed.file_chunks(Path(name))))


def from_bytes(name: str, raw: bytes) -> Input:
    """An input that is in memory already."""
    return Input(name, (raw,))


def _remote(url: str, address: addresses.Address) -> Iterator[Input]:
    """What is shown of a URL, here and in every report, holds no secret."""
    if address.place.lower().endswith(packed.ZIP):
        yield from _members(address.shown, remote.zip_members(url, address, is_log))
    else:
        yield Input(address.shown, remote.chunks(url, address))


def _archive(name: str) -> Iterator[Input]:
    members = (
        (member, _clear(f"{name}/{member}", chunks)) for member, chunks in packed.zip_members(Path(name), name, is_log)
    )
    yield from _members(name, _clear(name, members))


def _members(name: str, members: Iterator[tuple[str, Iterator[bytes]]]) -> Iterator[Input]:
    empty = True
    for member, chunks in members:
        empty = False
        yield Input(f"{name}/{member}", chunks)
    if empty:
        raise SourceError(f"{name}: no log in this archive", f"logs end in {', '.join(_LOG_SUFFIXES)}")


def _clear(name: str, given: Iterator[Item]) -> Iterator[Item]:
    """What `given` gives; its failures in words for the user."""
    try:
        yield from given
    except (OSError, *packed.ERRORS) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise SourceError(f"{name}: cannot be read: {reason}", "the other inputs are analysed without it") from None
