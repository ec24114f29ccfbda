"""Where a call may write: never over what it reads, and each file, or standard output, once."""

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
    """Refuse outputs (option to target) that would replace one another, or what is read.

    `reads` are single files, `inputs` the arguments of `find_inputs`: folders and patterns too. Links are followed.

    Raises:
        click.UsageError: names the option and the file.
    """
    named = {option: os.fspath(target) for option, target in writes.items() if target}
    _each_once(named)
    there = {option: name for option, name in named.items() if _file(name) is not None}
    if not there:
        return
    read = {file: name for name in _read(reads, inputs) if (file := _file(name)) is not None}
    for option, name in there.items():
        file = _file(name)
        if file in read:
            raise click.UsageError(
                f"{option} {one_line(name)} would overwrite what is read, {one_line(read[file])}: name another file"
            )


def configured(found: Configuration, given: Mapping[str, Any]) -> tuple[Target, ...]:
    """The files that a configuration and the options name: itself, the workflow, the baselines."""
    return found.path, given.get("workflow"), given.get("baselines"), found.values.get("baselines")


def tables(folders: Mapping[str, Path | None]) -> dict[str, Path]:
    """The files that options such as `--tables` write: option to folder.

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
    """The file of a history; None where it is no file."""
    return url.removeprefix(_SQLITE) if url and url.startswith(_SQLITE) else None


def _each_once(named: Mapping[str, str]) -> None:
    taken: dict[object, str] = {}
    for option, name in named.items():
        place = _place(name)
        if place is None:
            continue
        if place in taken:
            what = "standard output" if name == STDOUT else one_line(name)
            raise click.UsageError(f"{taken[place]} and {option} would both be written to {what}: name two files")
        taken[place] = option


def _read(reads: Iterable[Target], inputs: Iterable[str]) -> Iterator[str]:
    from loganalyzer.sources import inputs as source_inputs

    yield from (os.fspath(name) for name in reads if name)
    for found in source_inputs.find_inputs(inputs):
        if not isinstance(found, SourceError):
            yield found


def _place(name: str) -> object:
    """What tells a target from every other; None for pipes and devices, which take any number."""
    if name == STDOUT:
        return STDOUT
    if Path(name).exists():
        return _file(name)
    return os.path.realpath(name)


def _file(name: str) -> tuple[int, int] | None:
    """A regular file's own number, whatever it is called; None for what is not there, or no file."""
    try:
        found = Path(name).stat()
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if Path(name).is_file() else None
