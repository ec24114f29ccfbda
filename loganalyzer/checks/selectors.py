"""Resolves rule selectors: ids, prefixes of ids, names, or lists of these, in any case (`AUD001`, `slow-run,mem`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from loganalyzer.checks.registry import Rule, rules
from loganalyzer.common.errors import ConfigurationError
from loganalyzer.common.suggestions import did_you_mean
from loganalyzer.settings.model import Settings

_FEWEST_OF_A_PREFIX: Final = 2


def select(selector: str) -> tuple[Rule, ...]:
    """Returns the rules that a selector names, sorted by id.

    Raises:
        ConfigurationError: it names no rule; the message suggests one.
    """
    known = rules()
    found = {rule.id: rule for part in selector.split(",") for rule in _matching(part.strip(), known)}
    return tuple(found[id_] for id_ in sorted(found))


def _matching(word: str, known: Mapping[str, Rule]) -> list[Rule]:
    """Returns the rules with this id, name or prefix. A prefix of one id only (`AUD01`) counts as a misspelling."""
    by_name = {rule.name: rule for rule in known.values()}
    exact = known.get(word.upper()) or by_name.get(word.lower())
    if exact:
        return [exact]
    found = [rule for rule in known.values() if word and rule.id.startswith(word.upper())]
    if len(found) < _FEWEST_OF_A_PREFIX:
        hint = did_you_mean(word, [*known, *by_name])
        raise ConfigurationError(f"there is no rule {word!r}", f"{hint} `loganalyze rules` lists all rules".strip())
    return found


def with_ids(settings: Settings) -> Settings:
    """Returns `settings` with ids in place of the selectors in `select`, `ignore` and `severities`.

    Raises:
        ConfigurationError: one of them names no rule.
    """
    if not (settings.select or settings.ignore or settings.severities):
        return settings
    severities = {rule.id: severity for name, severity in settings.severities.items() for rule in select(name)}
    return replace(
        settings, select=_rule_ids(settings.select), ignore=_rule_ids(settings.ignore), severities=severities
    )


def _rule_ids(selectors: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rule.id for selector in selectors for rule in select(selector)))
