"""What a kind of secret is: where it may stand, what finds it, and what only looks like it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from loganalyzer.redact.judging import Span


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that must not be shown.

    Attributes:
        name: stands in the mask.
        what: in words.
        hints: no text without one of these, in small letters, holds it: a look that costs little.
        form: what finds it; the named group that matched last is masked, or all of it where there is none.
        examples: texts that hold one, with what is masked in them.
        harmless: texts that look like one and stay.
        is_one: looks at it again, where a pattern cannot say it all.
    """

    name: str
    what: str
    hints: tuple[str, ...]
    form: str
    examples: dict[str, str]
    harmless: tuple[str, ...]
    is_one: Callable[[Span], bool] = field(default=lambda _: True)

    @property
    def pattern(self) -> re.Pattern[str]:
        """`form`, compiled by the first text that may hold one: most logs have none of most kinds."""
        return re.compile(self.form)


def token(*forms: str) -> str:
    """One of these forms, which begins where a word does."""
    return f"(?<![A-Za-z0-9_‹-])(?:{'|'.join(forms)})"
