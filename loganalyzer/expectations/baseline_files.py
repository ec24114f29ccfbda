"""Reads baselines files without polars, whose import takes longer than planning a run."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loganalyzer.common.errors import ExpectationError
from loganalyzer.common.resources import data_folder

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def read_documents(user_file: Path | None = None) -> list[tuple[str, dict[str, Any]]]:
    """Name and contents of each file, a user's first: its entries replace those with the same key.

    Raises:
        ExpectationError: a file cannot be read.
    """
    files: list[Traversable | Path] = [user_file] if user_file is not None else []
    shipped = sorted((data_folder("patterns") / "baselines").iterdir(), key=lambda item: item.name)
    files += [file for file in shipped if file.name.endswith(".toml")]
    return [(str(file) if file is user_file else file.name, _read_baselines_file(file)) for file in files]


def select_entries(found: Sequence[tuple[str, Mapping[str, Any]]], kind: str) -> list[Mapping[str, Any]]:
    """The entries of a kind (`timing`, `cost`, `requirement`, …) of all files, a user's first."""
    return [entry for _, document in found for entry in document.get(kind, []) if isinstance(entry, dict)]


def find_ranking(found: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Quantizations from the lightest to the best, from the first file that ranks them."""
    return next((list(document["ranking"]) for _, document in found if "ranking" in document), [])


def _read_baselines_file(file: Traversable | Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExpectationError(f"{file}: not a baselines file: {error}") from None
