"""Loads the catalog of failures from `patterns/failures.toml`: error messages, their causes and their fixes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from loganalyzer.common.errors import GrammarError
from loganalyzer.common.resources import data_folder
from loganalyzer.grammar import model
from loganalyzer.grammar.cache import load_cached
from loganalyzer.grammar.load import read_toml
from loganalyzer.grammar.lower import check_template, lower

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

MAX_ADVICE_LENGTH = 200
"""Maximum characters of a cause or a fix, before values are filled in."""
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""The placeholder for a field's value in a cause or a fix."""
PIP_NAME = "pip_name"
"""The placeholder for pip's name of the field `package`."""

_KNOWN_PACKAGE = "known_package"
_KEYS = {"id", "messages", "samples", "near", "cause", "fix", "provenance"}
_MIN_SAMPLES = 2


@dataclass(frozen=True, slots=True)
class Failure:
    """One cause of failures.

    Attributes:
        id: unique name, e.g. `missing-package`.
        messages: the forms of its message, each with the samples that it is the first to match.
        cause: what went wrong, with placeholders for the fields of the messages.
        fix: what the user can do, with placeholders.
        provenance: who prints the message, and where it was seen.
    """

    id: str
    messages: tuple[model.Pattern, ...]
    cause: str
    fix: str
    provenance: str


class Catalog(NamedTuple):
    """All failures, specific ones before general ones, and the pip name of each known package."""

    failures: tuple[Failure, ...]
    pip_names: Mapping[str, str]


@cache
def load_shipped_failures() -> Catalog:
    """The shipped catalog, verified."""
    return load_failures(data_folder("patterns") / "failures.toml")


def load_failures(file: Traversable) -> Catalog:
    """The failures of a file, in order.

    Raises:
        GrammarError: names the file, the failure, the key and the reason.
    """
    document = read_toml(file)
    for key in sorted(document.keys() - {"pip_names", "failure"}):
        raise GrammarError(f"{file.name}: unknown key {key!r}", "allowed: [pip_names] and [[failure]] tables")
    entries, pip_names = document.get("failure", []), document.get("pip_names", {})
    patterns = load_cached("failures", [file], lambda: tuple(_build_patterns(entries, pip_names, file.name)))
    return Catalog(tuple(_build_failure(entry, patterns) for entry in entries), pip_names)


def collapse_blanks(text: str) -> str:
    """The text with each run of white space replaced by one blank, as it is matched."""
    return " ".join(text.split())


def _build_failure(entry: dict[str, Any], patterns: tuple[model.Pattern, ...]) -> Failure:
    own = tuple(pattern for pattern in patterns if pattern.event == entry["id"])
    return Failure(entry["id"], own, entry["cause"], entry["fix"], entry["provenance"])


def _build_patterns(entries: list[dict[str, Any]], pip_names: Mapping[str, str], file: str) -> Iterator[model.Pattern]:
    pieces = {_KNOWN_PACKAGE: (model.Choice("package", tuple(pip_names)),)}
    seen: set[str] = set()
    for entry in entries:
        try:
            _check_keys(entry)
            if entry["id"] in seen:
                raise GrammarError("key 'id': another failure has the same id", "rename one of them")
            seen.add(entry["id"])
            own = _build_messages(entry, pieces, file)
            _verify_failure(entry, own)
        except GrammarError as error:
            where = f"{file}: failure {entry.get('id', '(without id)')!r}"
            raise GrammarError(f"{where}: {error.message}", error.hint) from None
        yield from own


def _check_keys(entry: dict[str, Any]) -> None:
    for key in sorted(entry.keys() - _KEYS):
        raise GrammarError(f"unknown key {key!r}", f"allowed keys: {', '.join(sorted(_KEYS))}")
    for key in sorted(_KEYS - entry.keys()):
        raise GrammarError(f"the key {key!r} is missing", "patterns/README.md explains each key")
    for key in ("cause", "fix"):
        if len(entry[key]) >= MAX_ADVICE_LENGTH:
            raise GrammarError(f"key {key!r}: {len(entry[key])} characters", f"write fewer than {MAX_ADVICE_LENGTH}")
    if len(entry["samples"]) < _MIN_SAMPLES:
        raise GrammarError("key 'samples': at least two samples are needed")
    if not entry["near"]:
        raise GrammarError("key 'near': at least one line that must not match is needed")


def _build_messages(entry: dict[str, Any], pieces: Mapping[str, model.Nodes], file: str) -> tuple[model.Pattern, ...]:
    """One pattern per message. A sample belongs to the first message that matches it."""
    left = [model.Sample(collapse_blanks(sample["line"]), sample.get("values", {})) for sample in entry["samples"]]
    near = tuple(map(collapse_blanks, entry["near"]))
    made = []
    for number, notation in enumerate(entry["messages"], start=1):
        nodes = _parse_message(notation, pieces)
        finds = re.compile(lower(nodes).regex).search
        samples = tuple(sample for sample in left if finds(sample.line))
        left = [sample for sample in left if not finds(sample.line)]
        if not samples:
            raise GrammarError(f"key 'messages': no sample matches {notation!r}", "add one to 'samples'")
        made.append(_build_pattern(f"{entry['id']}/{number}", entry, (notation, nodes), (samples, near), file))
    for sample in left:
        raise GrammarError(f"key 'samples': no message matches {sample.line!r}")
    return tuple(made)


def _parse_message(notation: str, pieces: Mapping[str, model.Nodes]) -> model.Nodes:
    from loganalyzer.grammar.syntax import parse_template  # imports pyparsing, which a cached call does not need

    try:
        nodes = parse_template(notation, pieces)
        check_template(nodes, ends_line=False)
    except GrammarError as error:
        raise GrammarError(f"key 'messages': {notation!r}: {error.message}", error.hint) from None
    return nodes


def _build_pattern(
    name: str,
    entry: dict[str, Any],
    template: tuple[str, model.Nodes],
    lines: tuple[tuple[model.Sample, ...], tuple[str, ...]],
    file: str,
) -> model.Pattern:
    notation, nodes = template
    samples, near = lines
    return model.Pattern(
        id=name,
        event=entry["id"],
        project=entry["provenance"],
        title=entry["cause"],
        why=entry["fix"],
        stream="stderr",
        when=None,
        since=None,
        until=None,
        notation=notation,
        nodes=nodes,
        signature=nodes,
        starts_line=False,
        ends_line=False,
        samples=samples,
        near=near,
        file=file,
    )


def _verify_failure(entry: dict[str, Any], messages: tuple[model.Pattern, ...]) -> None:
    """Checks that samples match as stated, near misses do not match, and every placeholder is always filled."""
    from loganalyzer.grammar.samples import verify_readings

    for message in messages:
        verify_readings(message)
        filled = _always_filled(message.nodes)
        filled |= {PIP_NAME} if "package" in filled else set()
        for key in ("cause", "fix"):
            for name in sorted(set(PLACEHOLDER.findall(entry[key])) - filled):
                raise GrammarError(
                    f"key {key!r}: {{{name}}} is not filled by {message.notation!r}",
                    "use a field that every message always fills",
                )
            if re.search(r"[{}]", PLACEHOLDER.sub("", entry[key])):
                raise GrammarError(f"key {key!r}: a brace that is not part of a placeholder", "write {name}")


def _always_filled(nodes: model.Nodes) -> set[str]:
    """The fields that have a value whenever the template matches."""
    names: set[str] = set()
    for node in nodes:
        match node:
            case model.Field(name, _) | model.Choice(name, _) if name is not None:
                names.add(name)
            case model.Alternatives(options):
                names |= set.intersection(*map(_always_filled, options))
            case _:
                continue
    return names
