"""Checks output targets: a call never overwrites its inputs, and writes each target once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from loganalyzer.cli.output import STDOUT
from loganalyzer.common.errors import SourceError
from loganalyzer.common.formatting import one_line

if TYPE_CHECKING:
    from loganalyzer.settings.config import Configuration

Target = str | Path | None
"""A file, `-`, a history's URL, or nothing."""

_SQLITE: Final = "sqlite:///"


def check(writes: Mapping[str, Target], reads: Iterable[Target] = (), inputs: Iterable[str] = ()) -> None:
    """Refuses outputs (option to target) that would overwrite one another or an input.

    `reads` are single files, `inputs` are arguments of `sources.find`: folders, patterns. Links are followed.

    Raises:
        click.UsageError: names the option and the file.
    """
    named = {option: os.fspath(target) for option, target in writes.items() if target}
    _check_each_once(named)
    files = {option: name for option, name in named.items() if _file_id(name) is not None}
    if not files:
        return
    read = {file: name for name in _input_files(reads, inputs) if (file := _file_id(name)) is not None}
    for option, name in files.items():
        file = _file_id(name)
        if file in read:
            raise click.UsageError(
                f"{option} {one_line(name)} would overwrite the input {one_line(read[file])}: name another file"
            )


def configured(found: Configuration, given: Mapping[str, Any]) -> tuple[Target, ...]:
    """Returns the configuration file, and the workflow and baselines that it or the options name."""
    return found.path, given.get("workflow"), given.get("baselines"), found.values.get("baselines")


def tables(folders: Mapping[str, Path | None]) -> dict[str, Path]:
    """Returns the files that options such as `--tables` write; `folders` maps options to folders.

    Raises:
        click.UsageError: standard output is given as a folder.
    """
    if not any(folders.values()):
        return {}
    for option, folder in folders.items():
        if str(folder) == STDOUT:
            raise click.UsageError(
                f"{option} writes one file per table and needs a folder. For standard output use `--json -`"
            )
    from loganalyzer.report.formats import registry
    from loganalyzer.tables.schema import SCHEMAS

    extensions = {f"--{entry.name}": entry.tables().extension for entry in registry.TABLES}
    return {
        f"{option}, {name}": folder / f"{name}{extensions[option]}"
        for option, folder in folders.items()
        if folder is not None
        for name in SCHEMAS
    }


def store(url: str | None) -> str | None:
    """Returns the file of a history; None if it is not a file."""
    return url.removeprefix(_SQLITE) if url and url.startswith(_SQLITE) else None


def _check_each_once(named: Mapping[str, str]) -> None:
    taken: dict[object, str] = {}
    for option, name in named.items():
        identity = _identity(name)
        if identity is None:
            continue
        if identity in taken:
            what = "standard output" if name == STDOUT else one_line(name)
            raise click.UsageError(f"{taken[identity]} and {option} would both be written to {what}: name two files")
        taken[identity] = option


def _input_files(reads: Iterable[Target], inputs: Iterable[str]) -> Iterator[str]:
    from loganalyzer.sources import inputs as source_inputs

    yield from (os.fspath(name) for name in reads if name)
    for found in source_inputs.find_inputs(inputs):
        if not isinstance(found, SourceError):
            yield found


def _identity(name: str) -> object:
    """Returns the identity of a target; None for pipes and devices, which accept several outputs."""
    if name == STDOUT:
        return STDOUT
    if Path(name).exists():
        return _file_id(name)
    return os.path.realpath(name)


def _file_id(name: str) -> tuple[int, int] | None:
    """Returns the device and inode of a regular file, whatever its name; None if it is not one."""
    try:
        found = Path(name).stat()
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if Path(name).is_file() else None
