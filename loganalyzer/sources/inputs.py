"""Arguments to inputs: files, folders, patterns the shell did not expand, URLs, standard input; plain or compressed."""

from __future__ import annotations

import errno
import glob
import os
import re
import signal
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from loganalyzer.common.errors import PassedOverError, SourceError
from loganalyzer.common.formatting import encodable, one_line
from loganalyzer.sources import archives

if TYPE_CHECKING:
    from loganalyzer.sources.urls import Address

Item = TypeVar("Item")

STDIN = "-"
_OPEN_ALREADY = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
"""What a shell hands over in place of a file, as in `loganalyze <(docker logs comfyui)`; other pipes may never end."""

_LOG_SUFFIXES = (".log", ".txt", ".out", ".err", ".jsonl")
_LOG_NAME = re.compile(r"\.(?:log|txt|out|err|jsonl|stdout|stderr)(?:[._-](?:[0-9][0-9_.tz-]*|old|bak|prev))?$")
"""Also the names that logrotate, docker and kubernetes give to older logs: `comfyui.log.1`, `comfyui.log-20251111`."""
_NO_TEXT = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".webp", ".gif", ".mp4", ".webm", ".mkv", ".mov"),
        *(".wav", ".mp3", ".flac", ".ogg", ".m4a"),
        *(".safetensors", ".gguf", ".pt", ".pth", ".ckpt", ".bin", ".onnx", ".npy", ".npz", ".parquet", ".db"),
        *(".py", ".pyc", ".so", ".dll", ".exe", ".html", ".css", ".js", ".toml", ".yaml", ".yml"),
    }
)
"""What nobody takes for a log; other files in a folder are said to be left out."""
_MOST_NAMED = 3


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
        from loganalyzer.sources import remote

        return remote.expand(argument, address, is_log)
    if "\0" in argument:
        raise SourceError(f"{one_line(argument)}: no file can be called so")
    if _kind(argument) == stat.S_IFDIR:
        return _folder(argument)
    if os.path.lexists(argument) or not glob.has_magic(argument):
        return [argument]
    return _matching(argument)


def _matching(pattern: str) -> list[str | SourceError]:
    """What fits a pattern that the shell did not expand, folders searched as if they were named."""
    names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 -- a pattern may begin at the root
    found: list[str | SourceError] = [name for name in names if _kind(name) != stat.S_IFDIR]
    for name in names:
        if _kind(name) == stat.S_IFDIR:
            found += _within(name)
    if not found:
        raise SourceError(
            f"{one_line(pattern)}: no file matches", "check the pattern, or quote it if it was meant as a name"
        )
    return found


def _address(name: str) -> Address | None:
    """The URL that a name is; what reads URLs is imported by the first of them, for most calls have none."""
    if "://" not in name:
        return None
    from loganalyzer.sources import urls

    return urls.parse(name)


def _folder(argument: str) -> list[str | SourceError]:
    """What `_within` finds; an error where that is nothing."""
    found = _within(argument)
    if all(isinstance(item, PassedOverError) for item in found):
        endings = ", ".join(_LOG_SUFFIXES)
        raise SourceError(
            f"{one_line(argument)}: no log in this folder", f"logs are files ending in {endings}, or packed ones"
        )
    return found


def _within(folder: str) -> list[str | SourceError]:
    """The logs in a folder, in order, also those that will turn out unreadable; then what is not read, and why."""
    closed: list[OSError] = []
    found: list[str] = []
    others: list[str] = []
    links: list[str] = []
    for place, folders, names in os.walk(folder, onerror=closed.append):
        links += [str(Path(place) / name) for name in folders if (Path(place) / name).is_symlink()]
        for name in names:
            if not is_log(name):
                others.append(str(Path(place) / name))
            elif _kind(str(Path(place) / name)) != stat.S_IFDIR:
                found.append(str(Path(place) / name))
    return [
        *sorted(found),
        *(_unread(str(error.filename), error) for error in closed),
        *_left_out(folder, others),
        *(
            PassedOverError(f"{one_line(link)}: a link to a folder is not followed; name it to have it read")
            for link in sorted(links)
            if not _is_searched_anyway(link, folder)
        ),
    ]


def _is_searched_anyway(link: str, folder: str) -> bool:
    """Whether a link leads to a place inside the folder, or to one around it, which would never end."""
    ends, top = Path(link).resolve(), Path(folder).resolve()
    return ends.is_relative_to(top) or top.is_relative_to(ends)


def _left_out(place: str, names: Sequence[str]) -> list[SourceError]:
    """A note on files in a folder or archive that are not called like logs and could be some."""
    told = sorted(name for name in names if _could_be_text(Path(name)))
    if not told:
        return []
    more = f" and {len(told) - _MOST_NAMED} more" if len(told) > _MOST_NAMED else ""
    shown = ", ".join(one_line(Path(name).name) for name in told[:_MOST_NAMED])
    return [PassedOverError(f"{one_line(place)}: skipped, since the file extension is not a log's: {shown}{more}")]


def _could_be_text(path: Path) -> bool:
    return path.suffix.lower() not in _NO_TEXT and not path.name.startswith(".")


def _kind(name: str) -> int | None:
    """Whether this is a file, a folder, a pipe…, as `stat` tells; None for what is not there or out of reach."""
    try:
        return stat.S_IFMT(Path(name).stat().st_mode)
    except OSError:
        return None


def is_log(name: str) -> bool:
    """Whether a file found in a folder or archive looks like a log, by its suffix; packed ones count."""
    path = Path(name.lower())
    inner = path.with_suffix("") if path.suffix in archives.SUFFIXES else path
    return path.suffix == archives.ZIP or _LOG_NAME.search(inner.name) is not None


def read(name: str) -> Iterator[Input | SourceError]:
    """The inputs behind one name: one, or as many as an archive holds logs, and a note on what else it holds.

    Each is read while it is iterated.

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
    elif name.lower().endswith(archives.ZIP):
        yield from _archive(name)
    else:
        yield Input(encodable(name), _clear(name, archives.file_chunks(Path(name))))


def _standard_input() -> Iterator[bytes]:
    if sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    if hasattr(signal, "siginterrupt"):
        # polars has the system go on with a read after Ctrl-C: a pipe that is silent would never let go.
        signal.siginterrupt(signal.SIGINT, True)
    yield from archives.plain(sys.stdin.buffer)


def from_bytes(name: str, raw: bytes) -> Input:
    """An input that is in memory already."""
    return Input(name, (raw,))


def _remote(url: str, address: Address) -> Iterator[Input | SourceError]:
    """What is shown of a URL, here and in every report, holds no secret."""
    from loganalyzer.sources import remote

    if address.place.lower().endswith(archives.ZIP):
        yield from _members(address.shown, remote.zip_members(url, address, is_log))
    else:
        yield Input(address.shown, remote.chunks(url, address))


def _archive(name: str) -> Iterator[Input | SourceError]:
    members = (
        (member, None if chunks is None else _clear(f"{name}/{member}", chunks))
        for member, chunks in archives.zip_members(Path(name), name, is_log)
    )
    yield from _members(encodable(name), _clear(name, members))


def _members(name: str, members: Iterator[tuple[str, Iterator[bytes] | None]]) -> Iterator[Input | SourceError]:
    empty = True
    others: list[str] = []
    for member, chunks in members:
        if chunks is None:
            others.append(member)
            continue
        empty = False
        yield Input(encodable(f"{name}/{member}"), chunks)
    if empty:
        raise SourceError(f"{one_line(name)}: no log in this archive", f"logs end in {', '.join(_LOG_SUFFIXES)}")
    yield from _left_out(name, others)


def _clear(name: str, given: Iterator[Item]) -> Iterator[Item]:
    """What `given` gives; its failures in words for the user."""
    try:
        yield from given
    except Exception as error:
        if not isinstance(error, (OSError, ValueError, *archives.errors())):
            raise
        raise _unread(name, error) from None


def _unread(name: str, error: Exception) -> SourceError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return SourceError(f"{one_line(name)}: cannot be read: {reason}", "the other inputs are analysed without it")
