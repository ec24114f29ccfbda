"""Entries into a baselines file: as a diff to look at, and written whole or not at all."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Table

from loganalyzer.baselining.proposing import Proposal
from loganalyzer.common.atomic_write import replacement
from loganalyzer.common.errors import ExpectationError
from loganalyzer.expectations import baselines

_NEW: Final = "# What our runs take. Entries here replace the shipped ones with the same key.\n"


def edited(file: Path, entries: Iterable[Proposal]) -> tuple[str, str]:
    """The file's text as it is (empty where there is none) and as it would be; all else in it is kept.

    Raises:
        ExpectationError: it is no TOML, or holds something else under an entry's name.
    """
    before = _text(file)
    try:
        document = tomlkit.parse(before or _NEW)
    except TOMLKitError as error:
        raise ExpectationError(f"{file}: not a baselines file: {error}") from None
    for entry in entries:
        if entry.kind not in document:
            document.add(tomlkit.nl())
            document.add(entry.kind, tomlkit.aot())
        tables = document[entry.kind]
        if not isinstance(tables, AoT):
            raise ExpectationError(f"{file}: {entry.kind!r} is no list of tables", f"write it as [[{entry.kind}]]")
        _enter(tables, entry)
    return before, tomlkit.dumps(document)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ExpectationError(f"{file}: cannot be read as a baselines file: {error}") from None


def _enter(tables: AoT, entry: Proposal) -> None:
    """Into the entry of this key, or behind the last one."""
    for table in tables:
        if _is_for(table, entry.key):
            _fill(table, entry.figures)
            return
    table = tomlkit.table()
    _fill(table, {**entry.key, **entry.figures})
    tables.append(table)


def _is_for(table: Table, key: Any) -> bool:  # noqa: ANN401
    """Whether a table has this key; width and height may be swapped."""
    turned = {**key, "width": key["height"], "height": key["width"]} if "width" in key else key
    return any(all(table.get(name) == value for name, value in wanted.items()) for wanted in (key, turned))


def _fill(table: Table, values: Any) -> None:  # noqa: ANN401
    for name, value in values.items():
        table[name] = value


def diff(file: Path, before: str, after: str) -> str:
    """A unified diff; empty where nothing changes."""
    old, new = (text.splitlines(keepends=True) for text in (before, after))
    return "".join(difflib.unified_diff(old, new, fromfile=str(file), tofile=f"{file} (accepted)"))


def write(file: Path, text: str) -> None:
    """Put `text` in the file's place at once, if it is a baselines file.

    Raises:
        ExpectationError: it would not be one; the file stays as it was.
        ReportError: it cannot be written.
    """
    with replacement(file, text) as fresh:
        baselines.load_baselines(fresh)
