"""Resolves arguments to inputs: files, folders, glob patterns, URLs and standard input; plain or compressed."""

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

from loganalyzer.common.errors import SkippedError, SourceError
from loganalyzer.common.formatting import encodable, one_line
from loganalyzer.sources import archives

if TYPE_CHECKING:
    from loganalyzer.sources.urls import Address

Item = TypeVar("Item")

STDIN = "-"
_SHELL_PIPES = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
"""Paths that a shell passes for a pipe, as in `loganalyze <(docker logs comfyui)`; other pipes may never end."""

_LOG_SUFFIXES = (".log", ".txt", ".out", ".err", ".jsonl")
_LOG_NAME = re.compile(r"\.(?:log|txt|out|err|jsonl|stdout|stderr)(?:[._-](?:[0-9][0-9_.tz-]*|old|bak|prev))?$")
"""Also matches names that logrotate, docker and kubernetes give to older logs: `app.log.1`, `app.log-20251111`."""
_OTHER_SUFFIXES = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".webp", ".gif", ".mp4", ".webm", ".mkv", ".mov"),
        *(".wav", ".mp3", ".flac", ".ogg", ".m4a"),
        *(".safetensors", ".gguf", ".pt", ".pth", ".ckpt", ".bin", ".onnx", ".npy", ".npz", ".parquet", ".db"),
        *(".py", ".pyc", ".so", ".dll", ".exe", ".html", ".css", ".js", ".toml", ".yaml", ".yml"),
    }
)
"""Files that cannot be logs; other files that are skipped in a folder are mentioned in a note."""
_MACOS_ATTRIBUTES = "._"
"""macOS puts the attributes of `a.log` into archives as a file `._a.log`."""
_MAX_NAMED = 3


@dataclass(frozen=True, slots=True)
class Input:
    """An opened input: its name, as given or found, and its bytes in order, decompressed but not decoded."""

    name: str
    chunks: Iterable[bytes]


def find_inputs(arguments: Iterable[str]) -> Iterator[str | SourceError]:
    """The names of all inputs, each once, in the order given; an argument without inputs yields an error instead."""
    seen: set[str] = set()
    for argument in arguments:
        try:
            for name in _expand(argument):
                if isinstance(name, SourceError):
                    yield name
                    continue
                if (key := _identify(name)) not in seen:
                    seen.add(key)
                    yield name
        except SourceError as error:
            yield error


def _identify(name: str) -> str:
    """What is equal for two names of one input. On Windows, upper and lower case name the same file."""
    return name if name == STDIN or parse_url_argument(name) else os.path.normcase(os.path.realpath(name))


def _expand(argument: str) -> Sequence[str | SourceError]:
    if argument == STDIN:
        return [STDIN]
    address = parse_url_argument(argument)
    if address:
        from loganalyzer.sources import remote

        return remote.expand_url(argument, address, is_log)
    if "\0" in argument:
        raise SourceError(f"{one_line(argument)}: a file name cannot contain a NUL character")
    if _file_type(argument) == stat.S_IFDIR:
        return _expand_folder(argument)
    if os.path.lexists(argument) or not glob.has_magic(argument):
        return [argument]
    return _expand_glob(argument)


def _expand_glob(pattern: str) -> list[str | SourceError]:
    """The files that match a glob pattern which the shell did not expand; matching folders are searched."""
    names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 -- a pattern may begin at the root
    found: list[str | SourceError] = [name for name in names if _file_type(name) != stat.S_IFDIR]
    for name in names:
        if _file_type(name) == stat.S_IFDIR:
            found += _list_folder(name)
    if not found:
        raise SourceError(
            f"{one_line(pattern)}: no file matches", "check the pattern, or the path if this is a file's name"
        )
    return found


def parse_url_argument(name: str) -> Address | None:
    """The URL in a name, or None. The module for URLs is imported on first use: most calls have no URLs."""
    if "://" not in name:
        return None
    from loganalyzer.sources import urls

    return urls.parse_url(name)


def _expand_folder(argument: str) -> list[str | SourceError]:
    """The result of `_list_folder`, or an error if there are no logs."""
    found = _list_folder(argument)
    if all(isinstance(item, SkippedError) for item in found):
        endings = ", ".join(_LOG_SUFFIXES)
        raise SourceError(
            f"{one_line(argument)}: no logs in this folder", f"logs end in {endings}, and may be compressed"
        )
    return found


def _list_folder(folder: str) -> list[str | SourceError]:
    """The logs in a folder, sorted, including unreadable ones; then errors and notes about what is not read."""
    errors: list[OSError] = []
    found: list[str] = []
    others: list[str] = []
    links: list[str] = []
    for place, folders, names in os.walk(folder, onerror=errors.append):
        links += [str(Path(place) / name) for name in folders if (Path(place) / name).is_symlink()]
        for name in names:
            if not is_log(name):
                others.append(str(Path(place) / name))
            elif _file_type(str(Path(place) / name)) != stat.S_IFDIR:
                found.append(str(Path(place) / name))
    return [
        *sorted(found),
        *(_unreadable_error(str(error.filename), error) for error in errors),
        *_note_skipped(folder, others),
        *(
            SkippedError(f"{one_line(link)}: links to folders are not followed; pass this one to read it")
            for link in sorted(links)
            if not _is_searched_anyway(link, folder)
        ),
    ]


def _is_searched_anyway(link: str, folder: str) -> bool:
    """Whether a link leads into the folder, or to a folder around it, which would never end."""
    ends, top = Path(link).resolve(), Path(folder).resolve()
    return ends.is_relative_to(top) or top.is_relative_to(ends)


def _note_skipped(place: str, names: Sequence[str]) -> list[SourceError]:
    """A note about files in a folder or archive that may be logs but lack a log's extension."""
    candidates = sorted(name for name in names if _could_be_text(Path(name)))
    if not candidates:
        return []
    more = f" and {len(candidates) - _MAX_NAMED} more" if len(candidates) > _MAX_NAMED else ""
    shown = ", ".join(one_line(Path(name).name) for name in candidates[:_MAX_NAMED])
    return [SkippedError(f"{one_line(place)}: skipped files without a log's extension: {shown}{more}")]


def _could_be_text(path: Path) -> bool:
    return path.suffix.lower() not in _OTHER_SUFFIXES and not path.name.startswith(".")


def _file_type(name: str) -> int | None:
    """The type of a file, as `stat.S_IFMT` returns it; None if it does not exist or cannot be accessed."""
    try:
        return stat.S_IFMT(Path(name).stat().st_mode)
    except OSError:
        return None


def is_log(name: str) -> bool:
    """Whether a file in a folder or archive looks like a log, judged by its suffix; compressed logs count."""
    path = Path(name.lower())
    if path.name.startswith(_MACOS_ATTRIBUTES):
        return False
    inner = path.with_suffix("") if path.suffix in archives.SUFFIXES else path
    return archives.is_archive(name) or _LOG_NAME.search(inner.name) is not None


def open_input(name: str) -> Iterator[Input | SourceError]:
    """The inputs of one name: one, or all logs in an archive, and a note about the archive's other files.

    Each is read while it is iterated.

    Raises:
        SourceError: it, or one of its inputs while iterated, cannot be read or decompressed; has the name and reason.
    """
    address = parse_url_argument(name)
    if name == STDIN:
        yield Input(name, _translate_errors(name, _standard_input()))
    elif address:
        yield from _open_url(name, address)
    elif _file_type(name) not in (stat.S_IFREG, None) and not name.startswith(_SHELL_PIPES):
        raise SourceError(f"{one_line(name)}: not a regular file", "pipe it to standard input, and pass `-`")
    elif archives.is_archive(name):
        yield from _open_archive(name)
    else:
        yield Input(encodable(name), _translate_errors(name, archives.read_file(Path(name))))


def _standard_input() -> Iterator[bytes]:
    if sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    if hasattr(signal, "siginterrupt"):
        # polars makes the system resume a read after Ctrl-C: a read from a silent pipe would never end.
        signal.siginterrupt(signal.SIGINT, True)
    yield from archives.read_blocks(sys.stdin.buffer)


def from_bytes(name: str, raw: bytes) -> Input:
    """An input that is in memory."""
    return Input(name, (raw,))


def _open_url(url: str, address: Address) -> Iterator[Input | SourceError]:
    """The inputs of a URL. Their names, which reports show, contain no secrets."""
    from loganalyzer.sources import comfyui_server, remote

    if comfyui_server.is_server(address):
        raw = comfyui_server.fetch_log(address)
        messages = comfyui_server.parse_messages(raw, address)
        yield from_bytes(address.shown, raw)
        yield from comfyui_server.note_incomplete(len(messages), address)
    elif archives.is_archive(address.without_query):
        yield from _open_members(address.shown, remote.read_archive(url, address, is_log))
    else:
        yield Input(address.shown, remote.read_object(url, address))


def _open_archive(name: str) -> Iterator[Input | SourceError]:
    from loganalyzer.sources.members import archive_members

    members = (
        (member, _translate_errors(f"{name}/{member}", content) if isinstance(content, Iterator) else content)
        for member, content in archive_members(Path(name), name, is_log)
    )
    yield from _open_members(encodable(name), _translate_errors(name, members))


def _open_members(name: str, members: Iterator[tuple[str, archives.Content]]) -> Iterator[Input | SourceError]:
    empty = True
    others: list[str] = []
    for member, content in members:
        if content is None:
            others.append(member)
        elif isinstance(content, SourceError):
            yield content
        else:
            empty = False
            yield Input(encodable(f"{name}/{member}"), content)
    if empty:
        raise SourceError(f"{one_line(name)}: no logs in this archive", f"logs end in {', '.join(_LOG_SUFFIXES)}")
    yield from _note_skipped(name, others)


def _translate_errors(name: str, given: Iterator[Item]) -> Iterator[Item]:
    """The items of `given`; its exceptions become errors for the user."""
    try:
        yield from given
    except Exception as error:
        if not isinstance(error, (OSError, ValueError, *archives.decompression_errors())):
            raise
        raise _unreadable_error(name, error) from None


def _unreadable_error(name: str, error: Exception) -> SourceError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return SourceError(f"{one_line(name)}: cannot be read: {reason}", "the other inputs are still analyzed")
