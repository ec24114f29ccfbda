"""Which part of a log line is the message that a finding is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from loganalyzer.grammar.load import load_all
from loganalyzer.grammar.lower import lower

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Span = tuple[int, int]


_BORDER: Final = " \t])}>|"
"""What a progress bar ends with, and a message may stand behind."""


def _without_border(match: str, notation: str) -> str:
    border = "".join(sign for sign in _BORDER if not notation.startswith(sign))
    return match.lstrip(border)


def spans(lines: Iterable[tuple[str | None, str]], folders: tuple[Path, ...] = ()) -> dict[tuple[str, str], Span]:
    """(event, text) to where the event's message begins and ends in the text; nothing where no pattern fits any more.

    Lines that were masked or shortened may fit no longer: they are shown without a mark.
    """
    texts: dict[str, dict[str, None]] = {}
    for event, text in lines:
        if event:
            texts.setdefault(event, {})[text] = None
    if not texts:
        return {}
    found: dict[tuple[str, str], Span] = {}
    for pattern in load_all(folders):
        wanted = [text for text in texts.get(pattern.event, ()) if (pattern.event, text) not in found]
        if not wanted:
            continue
        regex = lower(pattern.nodes, starts_line=pattern.starts_line, ends_line=pattern.ends_line).regex
        matches = pl.Series(wanted, dtype=pl.String).str.extract(f"({regex})", 1)
        for text, match in zip(wanted, matches, strict=True):
            kept = _without_border(match or "", pattern.notation)
            if kept:
                begin = text.find(match) + len(match) - len(kept)
                found[pattern.event, text] = (begin, begin + len(kept.rstrip()))
    return found
