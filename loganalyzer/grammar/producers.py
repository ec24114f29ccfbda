"""Reads the table [producer] of a pattern file, which describes a program that samples by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from loganalyzer.common.errors import GrammarError
from loganalyzer.grammar.model import Producer

if TYPE_CHECKING:
    from collections.abc import Mapping

_REQUIRED: Final = {"title", "windows"}
_ALLOWED: Final = _REQUIRED | {"mode", "tail", "models", "unquantized"}
_ONE_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "windows": ("lines", "bars"),
    "tail": ("mirrored",),
    "mode": ("infinitetalk", "multitalk"),
}
_RESERVED: Final = ("wrapper", "comfyui", "core", "autosampler", "add-on")


def read_producer(document: Mapping[str, Any], project: str, file: str) -> Producer | None:
    """The producer that a pattern file describes, or None.

    Raises:
        GrammarError: a key is missing, unknown, or has an unknown value.
    """
    entry = document.get("producer")
    if entry is None:
        return None
    where = f"{file}: [producer]"
    if not isinstance(entry, dict):
        raise GrammarError(f"{where}: not a table", "write its keys below a line [producer]")
    if project in _RESERVED:
        raise GrammarError(f"{where}: project {project!r} is another producer's name", "set project to a new name")
    for key in sorted(entry.keys() - _ALLOWED):
        raise GrammarError(f"{where}: unknown key {key!r}", f"allowed keys: {', '.join(sorted(_ALLOWED))}")
    for key in sorted(_REQUIRED - entry.keys()):
        raise GrammarError(f"{where}: the key {key!r} is missing", "docs/producers.md explains each key")
    for key, value in entry.items():
        _check_producer_key(where, key, value)
    return Producer(name=project, **entry)


def _check_producer_key(where: str, key: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise GrammarError(f"{where}: key {key!r}: not a string")
    if value not in _ONE_OF.get(key, (value,)):
        raise GrammarError(f"{where}: key {key!r}: {value!r}", f"one of {', '.join(_ONE_OF[key])}")
    if key == "models":
        try:
            pl.Series([""]).str.contains(value)
        except pl.exceptions.ComputeError:
            raise GrammarError(f"{where}: key {key!r}: not a regular expression: {value!r}") from None
