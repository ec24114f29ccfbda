"""Faults that are known and not mended yet: the only place where they are passed over.

Once they are mended, empty the three constants; nothing else changes.
"""

from __future__ import annotations

from typing import Final

CLAIMS: Final[tuple[str, ...]] = ()
"""Pieces of claims, as `claims.broken` tells them, that are known not to hold."""

CASES: Final[dict[str, str]] = {}
"""Kept inputs that break a claim today, by file name, with the reason."""

COMPANY: Final[tuple[bytes, ...]] = ()
"""What a log may not hold to be compared alone and in company: whether a code inside words hides its line differs."""


def unknown(broken: list[str]) -> list[str]:
    """The claims among these that no known fault explains."""
    return [claim for claim in broken if not any(known in claim for known in CLAIMS)]
