"""Findings that are ignored for a while: with a reason, and a day on which that ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from loganalyzer.common.errors import ConfigurationError

_FORM = 'it takes rule, reason and until, e.g. { rule = "REG001", reason = "new driver", until = 2026-12-31 }'


@dataclass(frozen=True)
class Ignore:
    """One entry of `[[ignore]]`.

    Attributes:
        rule: the rule's id.
        reason: why its findings do not count.
        until: the last day on which they do not.
        contains: only findings whose message holds this text; all of the rule where it is empty.
        path, line: where the entry stands.
    """

    rule: str
    reason: str
    until: date
    contains: str = ""
    path: Path | None = None
    line: int = 1

    def is_over(self, today: date) -> bool:
        """Whether its last day has passed."""
        return today > self.until


def parse(entry: Mapping[str, object], path: Path, line: int) -> Ignore:
    """One entry, checked.

    Raises:
        ConfigurationError: names the key, the file and the line.
    """
    where = f"{path}:{line}: "
    for key in entry.keys() - {"rule", "reason", "until", "contains"}:
        raise ConfigurationError(f"{where}unknown key {key!r} in an entry of 'ignore'", _FORM)
    texts = {key: entry.get(key, "") for key in ("rule", "reason", "contains")}
    for key, value in texts.items():
        if not isinstance(value, str) or (key != "contains" and not value.strip()):
            raise ConfigurationError(f"{where}an entry of 'ignore' has no {key}", _FORM)
    rule, reason, contains = (str(value) for value in texts.values())
    return Ignore(rule, reason, _day(entry.get("until"), where), contains, path, line)


def _day(value: object, where: str) -> date:
    """A TOML date, or one written as text; of a time its day."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ConfigurationError(f"{where}an entry of 'ignore' ends at {value!r}, which is no day", _FORM) from None
