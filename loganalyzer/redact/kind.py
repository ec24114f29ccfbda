"""Defines a kind of secret: the pattern that finds it, and examples of secrets and of look-alikes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from loganalyzer.redact.judging import Span


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of secret.

    Attributes:
        name: appears in the mask.
        description: for people; docs/redaction.md repeats it.
        hints: lower-case texts; a text without any of them cannot hold this kind. A cheap first test.
        regex: finds the secret; the named group that matched last is masked, or the complete match without groups.
        examples: text to the part of it that is masked.
        harmless: texts that look similar and stay as they are.
        is_secret: the final decision on a match, where a regular expression is not enough.
    """

    name: str
    description: str
    hints: tuple[str, ...]
    regex: str
    examples: dict[str, str]
    harmless: tuple[str, ...]
    is_secret: Callable[[Span], bool] = field(default=lambda _: True)

    @property
    def pattern(self) -> re.Pattern[str]:
        """`regex`, compiled when the first text may hold this kind: most logs hold few kinds."""
        return re.compile(self.regex)


def token_regex(*forms: str) -> str:
    """A regular expression for any of `forms` at the start of a word."""
    return f"(?<![A-Za-z0-9_‹-])(?:{'|'.join(forms)})"
