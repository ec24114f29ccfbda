"""Suggests the name that somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_CUTOFF: Final = 0.6
"""Similarity of two words from which one is probably a misspelling of the other (difflib's own default)."""


MOST_SUGGESTIONS: Final = 3


def closest(word: str, known: Iterable[str]) -> list[str]:
    """The known names that are most similar to `word`, whatever their case, the most similar first."""
    by_folded = {name.casefold(): name for name in known}
    found = get_close_matches(word.casefold(), by_folded, n=MOST_SUGGESTIONS, cutoff=_CUTOFF)
    return [by_folded[name] for name in found]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean 'AUD001' or 'AUD010'?`, or an empty text."""
    found = [repr(name) for name in sorted(closest(word, known))]
    if not found:
        return ""
    *others, last = found
    return f"did you mean {', '.join(others)} or {last}?" if others else f"did you mean {last}?"
