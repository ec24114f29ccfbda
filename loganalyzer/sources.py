"""Arguments to inputs: files, folders, patterns the shell did not expand, URLs, standard input; plain or compressed."""

from __future__ import annotations

import errno
import glob
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from loganalyzer import packed
from loganalyzer.errors import SourceError
from loganalyzer.units import encodable, one_line

if TYPE_CHECKING:
    from loganalyzer.addresses import Address

Item = TypeVar("Item")

STDIN = "-"
_OPEN_ALREADY = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
"""What a shell hands over in place of a file, as in `loganalyze <(docker logs comfyui)`; other pipes may never end."""

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
                if isinstance(name, SourceError):
                    yield name
                    continue
                key = name if name == STDIN or _address(name) else os.path.realpath(name)
                if key not in seen:
                    seen.add(key)
                    yield name
        except SourceError as error:
            yield error


def _expand(argument: str) -> Sequence[str | SourceError]:
    if argument == STDIN:
        return [STDIN]
    address = _address(argument)
    if address:
        from loganalyzer import remote

        return remote.expand(argument, address, is_log)
    if "\0" in argument:
        raise SourceError(f"{one_line(argument)}: no file can be called so")
    if _kind(argument) == stat.S_IFDIR:
        return _folder(argument)
    if os.path.lexists(argument) or not glob.has_magic(argument):
        return [argument]
    names = glob.glob(argument, recursive=True)  # noqa: PTH207 -- a pattern may begin at the root
    found = sorted(name for name in names if _kind(name) != stat.S_IFDIR)
    if not found:
        raise SourceError(
            f"{one_line(argument)}: no file matches", "check the pattern, or quote it if it was meant as a name"
        )
    return found


def _address(name: str) -> Address | None:
    """The URL that a name is; what reads URLs is imported by the first of them, for most calls have none."""
    if "://" not in name:
        return None
    from loganalyzer import addresses

    return addresses.parse(name)


def _folder(argument: str) -> list[str | SourceError]:
    """The logs in a folder, in order, also those that will turn out unreadable; then the folders that are so."""
    closed: list[OSError] = []
    found = [
        str(Path(folder) / name)
        for folder, _, names in os.walk(argument, onerror=closed.append)
        for name in names
        if is_log(name) and _kind(str(Path(folder) / name)) != stat.S_IFDIR
    ]
    if not found and not closed:
        endings = ", ".join(_LOG_SUFFIXES)
        raise SourceError(
            f"{one_line(argument)}: no log in this folder", f"logs are files ending in {endings}, or packed ones"
        )
    return [*sorted(found), *(_unread(str(error.filename), error) for error in closed)]


def _kind(name: str) -> int | None:
    """Whether this is a file, a folder, a pipe…, as `stat` tells; None for what is not there or out of reach."""
    try:
        return stat.S_IFMT(Path(name).stat().st_mode)
    except OSError:
        return None


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
    address = _address(name)
    if name == STDIN:
        yield Input(name, _clear(name, _standard_input()))
    elif address:
        yield from _remote(name, address)
    elif _kind(name) not in (stat.S_IFREG, None) and not name.startswith(_OPEN_ALREADY):
        raise SourceError(f"{one_line(name)}: is no regular file", "pipe it in, and name `-` as the input")
    elif name.lower().endswith(packed.ZIP):
        yield from _archive(name)
    else:
        yield Input(encodable(name), _clear(name, packed.file_chunks(Path(name))))


def _standard_input() -> Iterator[bytes]:
    if sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    yield from packed.plain(sys.stdin.buffer)


def from_bytes(name: str, raw: bytes) -> Input:
    """An input that is in memory already."""
    return Input(name, (raw,))


def _remote(url: str, address: Address) -> Iterator[Input]:
    """What is shown of a URL, here and in every report, holds no secret."""
    from loganalyzer import remote

    if address.place.lower().endswith(packed.ZIP):
        yield from _members(address.shown, remote.zip_members(url, address, is_log))
    else:
        yield Input(address.shown, remote.chunks(url, address))


def _archive(name: str) -> Iterator[Input]:
    members = (
        (member, _clear(f"{name}/{member}", chunks)) for member, chunks in packed.zip_members(Path(name), name, is_log)
    )
    yield from _members(encodable(name), _clear(name, members))


def _members(name: str, members: Iterator[tuple[str, Iterator[bytes]]]) -> Iterator[Input]:
    empty = True
    for member, chunks in members:
        empty = False
        yield Input(encodable(f"{name}/{member}"), chunks)
    if empty:
        raise SourceError(f"{one_line(name)}: no log in this archive", f"logs end in {', '.join(_LOG_SUFFIXES)}")


def _clear(name: str, given: Iterator[Item]) -> Iterator[Item]:
    """What `given` gives; its failures in words for the user."""
    try:
        yield from given
    except Exception as error:
        if not isinstance(error, (OSError, ValueError, *packed.errors())):
            raise
        raise _unread(name, error) from None


def _unread(name: str, error: Exception) -> SourceError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return SourceError(f"{one_line(name)}: cannot be read: {reason}", "the other inputs are analysed without it")
