"""Verifies patterns: their samples must match with the stated values, and their near misses must be near misses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isclose

from loganalyzer.common.errors import GrammarError
from loganalyzer.grammar import model
from loganalyzer.grammar.lower import Lowered, lower
from loganalyzer.grammar.meaning import Parsed, parse_line
from loganalyzer.grammar.types import TYPES

_TOLERANCE = 1e-9


def verify_pattern(pattern: model.Pattern) -> None:
    """Matches each sample and each near miss with the pattern's fast form, which takes a millisecond.

    Raises:
        GrammarError: the first sample or near miss that fails, and its actual result.
    """
    verify_readings(pattern)
    signature = re.compile(lower(pattern.signature, starts_line=pattern.starts_line).regex)
    for sample in pattern.samples:
        if not signature.search(sample.line):
            raise GrammarError(f"key 'signature': does not match the sample {sample.line!r}")
    for line in pattern.near:
        if not signature.search(line):
            raise GrammarError(f"key 'near': {line!r} does not match the signature, so it would go unnoticed")


def verify_readings(pattern: model.Pattern) -> None:
    """Checks the fast form only: each sample has its stated values, and no near miss matches.

    Raises:
        GrammarError: as `verify_pattern`.
    """
    fast = lower(pattern.nodes, starts_line=pattern.starts_line, ends_line=pattern.ends_line)
    template = re.compile(fast.regex)
    for sample in pattern.samples:
        match = template.search(sample.line)
        if match is None:
            raise GrammarError(f"key 'sample': {sample.line!r} does not match", _explain_mismatch(pattern, sample.line))
        _compare_values(sample, _match_values(fast, match))
    for line in pattern.near:
        if template.search(line):
            raise GrammarError(f"key 'near': {line!r} matches, so it is not a near miss")


def verify_meaning(pattern: model.Pattern) -> None:
    """The same check with the form that defines the pattern, its pyparsing parser; about ten times slower.

    Raises:
        GrammarError: as `verify_pattern`.
    """
    for sample in pattern.samples:
        parsed = parse_line(pattern, sample.line)
        if not isinstance(parsed, Parsed):
            raise GrammarError(f"key 'sample': {sample.line!r} does not match", _explain_mismatch(pattern, sample.line))
        _compare_values(sample, parsed.values)
    for line in pattern.near:
        if isinstance(parse_line(pattern, line), Parsed):
            raise GrammarError(f"key 'near': {line!r} matches, so it is not a near miss")


def verify_order(patterns: Sequence[model.Pattern]) -> None:
    """Checks that no pattern takes the samples of a later one, where the first match at the start of a line wins.

    Raises:
        GrammarError: the first pattern that an earlier one hides.
    """
    earlier: list[model.Pattern] = []
    for pattern in patterns:
        for sample in pattern.samples:
            for other in earlier:
                if re.match(lower(other.nodes, starts_line=True).regex, sample.line):
                    raise GrammarError(
                        f"{pattern.id!r}: {other.id!r}, which comes first, matches the sample {sample.line!r}",
                        f"move {pattern.id!r} above {other.id!r}",
                    )
        earlier.append(pattern)


def _explain_mismatch(pattern: model.Pattern, line: str) -> str:
    stopped = parse_line(pattern, line)
    if isinstance(stopped, Parsed):
        return "the two forms of the template disagree about it"
    return f"it stops at column {stopped.column}: expected {stopped.expected}"


def _match_values(fast: Lowered, match: re.Match[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for index, field in enumerate(fast.groups, 1):
        kind = TYPES[field.type if isinstance(field, model.Field) else "text"]
        text = match[index]
        found = dict.fromkeys(kind.suffixes) if text is None else kind.read(text)
        for suffix, value in found.items():
            if values.get(f"{field.name}{suffix}") is None:
                values[f"{field.name}{suffix}"] = value
    return values


def _compare_values(sample: model.Sample, values: Mapping[str, object]) -> None:
    for name in sorted(sample.values.keys() - values.keys()):
        raise GrammarError(f"key 'sample': {sample.line!r}: the template has no field {name!r}")
    for name, value in values.items():
        stated = sample.values.get(name)
        if name.endswith("_error") and name not in sample.values:
            continue
        if not _values_agree(stated, value):
            raise GrammarError(f"key 'sample': {sample.line!r}: {name} is {value!r}, but the sample states {stated!r}")


def _values_agree(stated: object, value: object) -> bool:
    if isinstance(stated, int | float) and isinstance(value, int | float):
        return isclose(stated, value, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    if isinstance(value, datetime) and isinstance(stated, str):
        return stated == value.isoformat()
    if isinstance(value, str) and stated is None:
        return not value.strip()
    return stated == value
