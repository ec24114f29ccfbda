"""Names cut into batches that can be worked on anywhere, and the work on one of them: a pure function of its batch."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import polars as pl

from loganalyzer.common import resources
from loganalyzer.common.errors import LogAnalyzerError, SourceError
from loganalyzer.common.version import __version__
from loganalyzer.engine.collector import Tables
from loganalyzer.engine.local import opened
from loganalyzer.engine.read import tabulate
from loganalyzer.settings.model import Settings
from loganalyzer.sources import archives
from loganalyzer.sources.inputs import STDIN, Input

DISTRIBUTION: Final = "comfyui-loganalyzer"
"""What the tool is called among installed packages."""
BATCH_BYTES: Final = 32 << 20
"""A batch holds about as much, packed inputs counted as `_UNPACKED` times their size; a larger input stands alone."""
BATCH_INPUTS: Final = 250
_UNPACKED: Final = 8
_UNKNOWN_BYTES: Final = 1 << 20
"""What an input counts whose size is not known here."""


@dataclass(frozen=True, slots=True)
class Place:
    """An input's name as the tables show it, and where a worker finds it, whatever folder the worker runs in."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs that are worked on together; those that exist `here` only are read by the caller."""

    items: tuple[Place | SourceError, ...]
    here: bool = False

    @property
    def apart(self) -> list[Batch]:
        """Each input as a batch of its own."""
        return [Batch((item,)) for item in self.items]


def batches(names: Iterable[str | SourceError], most_bytes: int, most_inputs: int) -> Iterator[Batch]:
    """All names, in order. Archives, and what can be read only here, stand alone."""
    held: list[Place | SourceError] = []
    size = 0
    for name in names:
        item = name if isinstance(name, SourceError) else _place(name)
        here = isinstance(item, Place) and _is_only_here(item)
        more = _weight(item, most_bytes)
        if held and (here or size + more > most_bytes or len(held) >= most_inputs):
            yield Batch(tuple(held))
            held, size = [], 0
        if here:
            yield Batch((item,), here=True)
            continue
        held.append(item)
        size += more
    if held:
        yield Batch(tuple(held))


def _place(name: str) -> Place:
    return Place(name, name if name == STDIN or _is_remote(name) else str(Path(name).absolute()))


def _is_remote(name: str) -> bool:
    return "://" in name


def _is_only_here(item: Place) -> bool:
    """Standard input, and what a shell substitutes for a command: no other process can read it."""
    if item.name == STDIN:
        return True
    return not _is_remote(item.name) and Path(item.path).exists() and not Path(item.path).is_file()


def _weight(item: Place | SourceError, most: int) -> int:
    if isinstance(item, SourceError):
        return 0
    suffix = Path(item.path).suffix.lower()
    if suffix == archives.ZIP:
        return most + 1
    if _is_remote(item.path):
        return _UNKNOWN_BYTES
    try:
        size = Path(item.path).stat().st_size
    except OSError:
        return _UNKNOWN_BYTES
    return size * _UNPACKED if suffix in archives.SUFFIXES else size


def tables_of(batch: Batch, settings: Settings, alike: Mapping[str, str]) -> Tables:
    """The unit of work, done by whoever has time. `alike` is what the caller's `making` says.

    Raises:
        LogAnalyzerError: the worker would make other tables than the caller.
    """
    own = making(settings)
    for what, wanted in alike.items():
        if own[what] != wanted:
            raise unlike(what, wanted, own[what], socket.gethostname())
    return tabulate(_seen(batch.items), settings)


def making(settings: Settings) -> dict[str, str]:
    """What tables depend on beside their inputs: the versions, and the pattern files."""
    return {DISTRIBUTION: __version__, "polars": pl.__version__, "patterns": _print_of(settings.patterns)}


def unlike(what: str, here: str, there: str | None, where: str) -> LogAnalyzerError:
    """A worker that cannot take part."""
    return LogAnalyzerError(
        f"{what} is {here} here and {there or 'missing'} on the worker at {where}",
        "install the same versions of loganalyzer and polars on every worker, and put --patterns where all see them",
    )


def _print_of(folders: Sequence[Path]) -> str:
    shipped = resources.folder("patterns")
    digest = sha256((shipped / "fragments.toml").read_bytes())
    for folder in (shipped / "grammars", *folders):
        files = [file for file in folder.iterdir() if file.name.endswith(".toml")] if folder.is_dir() else []
        for file in sorted(files, key=lambda one: one.name):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def _seen(items: Sequence[Place | SourceError]) -> Iterator[Input | SourceError]:
    """The inputs of a batch under the names by which the caller knows them."""
    for item in items:
        if isinstance(item, SourceError):
            yield item
        elif not _is_remote(item.path) and not os.access(item.path, os.R_OK):
            yield SourceError(
                f"{item.name}: cannot be read: {socket.gethostname()} does not see it as {item.path}",
                "workers read inputs themselves: put them where every machine sees them under the same path",
            )
        else:
            for found in opened([item.path]):
                yield _as_asked(found, item)


def _as_asked(found: Input | SourceError, item: Place) -> Input | SourceError:
    if item.name == item.path:
        return found
    if isinstance(found, SourceError):
        return _renamed(found, item)
    return Input(item.name + found.name.removeprefix(item.path), _chunks(found, item))


def _chunks(found: Input, item: Place) -> Iterator[bytes]:
    try:
        yield from found.chunks
    except SourceError as error:
        raise _renamed(error, item) from None


def _renamed(error: SourceError, item: Place) -> SourceError:
    if not error.message.startswith(item.path):
        return error
    return SourceError(item.name + error.message.removeprefix(item.path), error.hint)
