"""Parses findings that are ignored until a date, with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from loganalyzer.common.errors import ConfigurationError

_EXAMPLE = 'an entry has rule, reason and until, e.g. { rule = "REG001", reason = "new driver", until = 2026-12-31 }'


@dataclass(frozen=True)
class Ignore:
    """One entry of `[[ignore]]`.

    Attributes:
        rule: the rule's id.
        reason: why its findings do not count.
        until: the last day on which they are ignored.
        contains: only findings whose message contains this text; if empty, all findings of the rule.
        path, line: the position of the entry.
    """

    rule: str
    reason: str
    until: date
    contains: str = ""
    path: Path | None = None
    line: int = 1

    def is_over(self, today: date) -> bool:
        """Whether the last day has passed."""
        return today > self.until


def parse_ignore(entry: Mapping[str, object], path: Path, line: int) -> Ignore:
    """One validated entry.

    Raises:
        ConfigurationError: names the key, the file and the line.
    """
    where = f"{path}:{line}: "
    for key in entry.keys() - {"rule", "reason", "until", "contains"}:
        raise ConfigurationError(f"{where}unknown key {key!r} in an entry of 'ignore'", _EXAMPLE)
    texts = {key: entry.get(key, "") for key in ("rule", "reason", "contains")}
    for key, value in texts.items():
        if not isinstance(value, str) or (key != "contains" and not value.strip()):
            raise ConfigurationError(f"{where}an entry of 'ignore' has no {key}", _EXAMPLE)
    rule, reason, contains = (str(value) for value in texts.values())
    return Ignore(rule, reason, _parse_date(entry.get("until"), where), contains, path, line)


def _parse_date(value: object, where: str) -> date:
    """A TOML date, or one written as a string; of a time its date."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        problem = "has no until" if value is None else f"has {value!r} as until, which is not a date"
        raise ConfigurationError(f"{where}an entry of 'ignore' {problem}", _EXAMPLE) from None
