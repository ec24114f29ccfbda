"""Whether a pattern keeps its promises: its samples are read as stated, its near misses are near misses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from math import isclose

from loganalyzer.common.errors import GrammarError
from loganalyzer.grammar import model
from loganalyzer.grammar.lower import Lowered, lower
from loganalyzer.grammar.meaning import Parsed, read
from loganalyzer.grammar.types import TYPES

_TOLERANCE = 1e-9


def verify(pattern: model.Pattern) -> None:
    """Read each sample and each near miss with the pattern's fast form, which takes a millisecond.

    Raises:
        GrammarError: the first promise that is not kept: the sample, and what came out instead.
    """
    verify_readings(pattern)
    signature = re.compile(lower(pattern.signature, starts_line=pattern.starts_line).regex)
    for sample in pattern.samples:
        if not signature.search(sample.line):
            raise GrammarError(f"key 'signature': does not fit the sample {sample.line!r}")
    for line in pattern.near:
        if not signature.search(line):
            raise GrammarError(f"key 'near': {line!r} does not carry the signature, so it would go unnoticed")


def verify_readings(pattern: model.Pattern) -> None:
    """Check the fast form only: each sample parses to its stated values, and no near miss parses.

    Raises:
        GrammarError: as `verify`.
    """
    fast = lower(pattern.nodes, starts_line=pattern.starts_line, ends_line=pattern.ends_line)
    template = re.compile(fast.regex)
    for sample in pattern.samples:
        match = template.search(sample.line)
        if match is None:
            raise GrammarError(f"key 'sample': {sample.line!r} does not parse", _why_not(pattern, sample.line))
        _compare(sample, _values(fast, match))
    for line in pattern.near:
        if template.search(line):
            raise GrammarError(f"key 'near': {line!r} parses, so it is no near miss")


def verify_meaning(pattern: model.Pattern) -> None:
    """The same with the form that defines the pattern, its pyparsing parser; some ten times slower.

    Raises:
        GrammarError: as `verify`.
    """
    for sample in pattern.samples:
        parsed = read(pattern, sample.line)
        if not isinstance(parsed, Parsed):
            raise GrammarError(f"key 'sample': {sample.line!r} does not parse", _why_not(pattern, sample.line))
        _compare(sample, parsed.values)
    for line in pattern.near:
        if isinstance(read(pattern, line), Parsed):
            raise GrammarError(f"key 'near': {line!r} parses, so it is no near miss")


def _why_not(pattern: model.Pattern, line: str) -> str:
    stopped = read(pattern, line)
    if isinstance(stopped, Parsed):
        return "the two forms of the template disagree about it"
    return f"it stops at column {stopped.column}: expected {stopped.expected}"


def _values(fast: Lowered, match: re.Match[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for index, hole in enumerate(fast.groups, 1):
        kind = TYPES[hole.type if isinstance(hole, model.Hole) else "text"]
        text = match[index]
        found = dict.fromkeys(kind.suffixes) if text is None else kind.read(text)
        for suffix, value in found.items():
            if values.get(f"{hole.name}{suffix}") is None:
                values[f"{hole.name}{suffix}"] = value
    return values


def _compare(sample: model.Sample, values: Mapping[str, object]) -> None:
    for name in sorted(sample.values.keys() - values.keys()):
        raise GrammarError(f"key 'sample': {sample.line!r}: there is no hole {name!r}")
    for name, value in values.items():
        stated = sample.values.get(name)
        if name.endswith("_error") and name not in sample.values:
            continue
        if not _equal(stated, value):
            raise GrammarError(f"key 'sample': {sample.line!r}: {name} is {value!r}, stated is {stated!r}")


def _equal(stated: object, value: object) -> bool:
    if isinstance(stated, int | float) and isinstance(value, int | float):
        return isclose(stated, value, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    if isinstance(value, datetime) and isinstance(stated, str):
        return stated == value.isoformat()
    if isinstance(value, str) and stated is None:
        return not value.strip()
    return stated == value
