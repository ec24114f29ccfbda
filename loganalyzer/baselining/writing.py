"""Adds entries to a baselines file: shows them as a diff, and writes the file atomically."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Table

from loganalyzer.baselining.proposing import Proposal
from loganalyzer.common.atomic_write import replacement
from loganalyzer.common.errors import ExpectationError
from loganalyzer.expectations import baselines

_NEW_FILE: Final = "# Baselines of our runs. Entries here replace the shipped ones with the same key.\n"


def edit_document(file: Path, entries: Iterable[Proposal]) -> tuple[str, str]:
    """The text of the file (empty if it does not exist), and the text with the entries. Everything else is kept.

    Raises:
        ExpectationError: the file is not TOML, or the name of an entry is used for something else.
    """
    before = _read_or_empty(file)
    try:
        document = tomlkit.parse(before or _NEW_FILE)
    except TOMLKitError as error:
        raise ExpectationError(f"{file}: not a baselines file: {error}") from None
    for entry in entries:
        if entry.kind not in document:
            document.add(tomlkit.nl())
            document.add(entry.kind, tomlkit.aot())
        tables = document[entry.kind]
        if not isinstance(tables, AoT):
            raise ExpectationError(f"{file}: {entry.kind!r} must be a list of tables", f"write it as [[{entry.kind}]]")
        _add_entry(tables, entry)
    return before, tomlkit.dumps(document)


def _read_or_empty(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ExpectationError(f"{file}: cannot read the baselines file: {error}") from None


def _add_entry(tables: AoT, entry: Proposal) -> None:
    """Updates the entry with this key, or appends a new one."""
    for table in tables:
        if _has_key(table, entry.key):
            _set_values(table, entry.figures)
            return
    table = tomlkit.table()
    _set_values(table, {**entry.key, **entry.figures})
    tables.append(table)


def _has_key(table: Table, key: Mapping[str, object]) -> bool:
    """Whether a table has this key; width and height may be swapped."""
    turned = {**key, "width": key["height"], "height": key["width"]} if "width" in key else key
    return any(all(table.get(name) == value for name, value in wanted.items()) for wanted in (key, turned))


def _set_values(table: Table, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        table[name] = value


def diff(file: Path, before: str, after: str) -> str:
    """A unified diff; empty if nothing changes."""
    old, new = (text.splitlines(keepends=True) for text in (before, after))
    return "".join(difflib.unified_diff(old, new, fromfile=str(file), tofile=f"{file} (accepted)"))


def write_baselines(file: Path, text: str) -> None:
    """Replaces the file with `text` atomically, if `text` is a valid baselines file.

    Raises:
        ExpectationError: `text` is not valid; the file is unchanged.
        ReportError: the file cannot be written.
    """
    with replacement(file, text) as fresh:
        baselines.load_baselines(fresh)
