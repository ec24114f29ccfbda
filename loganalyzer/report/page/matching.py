"""Finds which part of a log line is the message that a finding refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from loganalyzer.grammar.load import load_all
from loganalyzer.grammar.lower import lower

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Span = tuple[int, int]


_BAR_END: Final = " \t])}>|"
"""Characters at the end of a progress bar, which may precede a message on the same line."""


def _strip_bar_end(match: str, notation: str) -> str:
    border = "".join(sign for sign in _BAR_END if not notation.startswith(sign))
    return match.lstrip(border)


def find_spans(lines: Iterable[tuple[str | None, str]], folders: tuple[Path, ...] = ()) -> dict[tuple[str, str], Span]:
    """The start and end of the event's message in each text, by (event, text).

    Texts that no pattern matches are absent: masking or shortening may have changed them. The page shows them
    without a mark.
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
            message = _strip_bar_end(match or "", pattern.notation)
            if message:
                begin = text.find(match) + len(match) - len(message)
                found[pattern.event, text] = (begin, begin + len(message.rstrip()))
    return found
