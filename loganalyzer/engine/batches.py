"""Groups input names into batches and reads one batch into tables: a pure function that any machine can run."""

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
from loganalyzer.common.plugins import PATTERNS, installed_plugins
from loganalyzer.common.version import __version__
from loganalyzer.engine.collector import Tables
from loganalyzer.engine.local import open_inputs
from loganalyzer.engine.read import tabulate
from loganalyzer.settings.model import Settings
from loganalyzer.sources import archives
from loganalyzer.sources.inputs import STDIN, Input

DISTRIBUTION: Final = "comfyui-loganalyzer"
"""The name of the installed package."""
BATCH_BYTES: Final = 32 << 20
"""Approximate size of a batch, packed inputs counted as `_UNPACKED_RATIO` times their size; a larger input is alone."""
BATCH_INPUTS: Final = 250
_UNPACKED_RATIO: Final = 8
_ASSUMED_BYTES: Final = 1 << 20
"""Assumed size of an input whose size this machine cannot tell."""


@dataclass(frozen=True, slots=True)
class InputPath:
    """An input's name as the tables show it, and its absolute path or URL: workers run in other folders."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs that are read together. If `is_local` is true, only the calling process can read them."""

    items: tuple[InputPath | SourceError, ...]
    is_local: bool = False

    @property
    def single_input_batches(self) -> list[Batch]:
        """One batch per input."""
        return [Batch((item,)) for item in self.items]


def make_batches(names: Iterable[str | SourceError], max_bytes: int, max_inputs: int) -> Iterator[Batch]:
    """Yields all names in order. Archives, and inputs that only this process can read, get a batch of their own."""
    pending: list[InputPath | SourceError] = []
    size = 0
    for name in names:
        item = name if isinstance(name, SourceError) else _locate_input(name)
        is_local = isinstance(item, InputPath) and _is_local_only(item)
        size_of_item = _estimate_bytes(item, max_bytes)
        if pending and (is_local or size + size_of_item > max_bytes or len(pending) >= max_inputs):
            yield Batch(tuple(pending))
            pending, size = [], 0
        if is_local:
            yield Batch((item,), is_local=True)
            continue
        pending.append(item)
        size += size_of_item
    if pending:
        yield Batch(tuple(pending))


def _locate_input(name: str) -> InputPath:
    return InputPath(name, name if name == STDIN or _is_remote(name) else str(Path(name).absolute()))


def _is_remote(name: str) -> bool:
    return "://" in name


def _is_local_only(item: InputPath) -> bool:
    """Whether no other process can read it: standard input, or a pipe from the shell's process substitution."""
    if item.name == STDIN:
        return True
    return not _is_remote(item.name) and Path(item.path).exists() and not Path(item.path).is_file()


def _estimate_bytes(item: InputPath | SourceError, max_bytes: int) -> int:
    if isinstance(item, SourceError):
        return 0
    suffix = Path(item.path).suffix.lower()
    if archives.is_archive(item.path):
        return max_bytes + 1
    if _is_remote(item.path):
        return _ASSUMED_BYTES
    try:
        size = Path(item.path).stat().st_size
    except OSError:
        return _ASSUMED_BYTES
    return size * _UNPACKED_RATIO if suffix in archives.SUFFIXES else size


def tabulate_batch(batch: Batch, settings: Settings, expected_versions: Mapping[str, str]) -> Tables:
    """Reads one batch into tables. `expected_versions` is the caller's result of `get_versions`.

    Raises:
        LogAnalyzerError: this worker's versions or patterns differ, so that its tables would differ.
    """
    own = get_versions(settings)
    for what, wanted in expected_versions.items():
        if own[what] != wanted:
            raise version_mismatch(what, wanted, own[what], socket.gethostname())
    return tabulate(_open_items(batch.items), settings)


def get_versions(settings: Settings) -> dict[str, str]:
    """Everything except the inputs that the tables depend on: package versions and a hash of the pattern files."""
    added = ", ".join(plugin.label for plugin in installed_plugins(PATTERNS)) or "none"
    patterns = {"patterns": _hash_patterns(settings.patterns), "packages with patterns": added}
    return {DISTRIBUTION: __version__, "polars": pl.__version__, **patterns}


def version_mismatch(what: str, here: str, there: str | None, where: str) -> LogAnalyzerError:
    """The error about a worker whose version or patterns differ."""
    return LogAnalyzerError(
        f"{what}: {here} on this machine, {there or 'missing'} on the worker at {where}",
        "install the same versions of loganalyzer and polars on every worker, and put --patterns where all can read it",
    )


def _hash_patterns(folders: Sequence[Path]) -> str:
    shipped = resources.data_folder("patterns")
    digest = sha256((shipped / "fragments.toml").read_bytes())
    for folder in (shipped / "grammars", *folders):
        files = [file for file in folder.iterdir() if file.name.endswith(".toml")] if folder.is_dir() else []
        for file in sorted(files, key=lambda one: one.name):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def _open_items(items: Sequence[InputPath | SourceError]) -> Iterator[Input | SourceError]:
    """Opens the inputs of a batch and gives them the names that the caller uses."""
    for item in items:
        if isinstance(item, SourceError):
            yield item
        elif not _is_remote(item.path) and not os.access(item.path, os.R_OK):
            yield SourceError(
                f"{item.name}: cannot be read: {socket.gethostname()} has no readable {item.path}",
                "workers read inputs themselves: make them available on every machine under the same path",
            )
        else:
            for found in open_inputs([item.path]):
                yield _restore_name(found, item)


def _restore_name(found: Input | SourceError, item: InputPath) -> Input | SourceError:
    if item.name == item.path:
        return found
    if isinstance(found, SourceError):
        return _rename_error(found, item)
    return Input(item.name + found.name.removeprefix(item.path), _chunks_or_renamed_error(found, item))


def _chunks_or_renamed_error(found: Input, item: InputPath) -> Iterator[bytes]:
    try:
        yield from found.chunks
    except SourceError as error:
        raise _rename_error(error, item) from None


def _rename_error(error: SourceError, item: InputPath) -> SourceError:
    if not error.message.startswith(item.path):
        return error
    return SourceError(item.name + error.message.removeprefix(item.path), error.hint)
