"""Loads pattern files. A file whose patterns do not match their own samples is rejected."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from loganalyzer.common.errors import GrammarError
from loganalyzer.common.plugins import PATTERNS, installed_plugins
from loganalyzer.common.resources import data_folder
from loganalyzer.grammar import model
from loganalyzer.grammar.cache import load_cached
from loganalyzer.grammar.lower import check_template
from loganalyzer.grammar.plugin_patterns import InstalledPatterns, collect_patterns
from loganalyzer.grammar.producers import read_producer

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

_REQUIRED = {"id", "event", "title", "why", "stream", "template", "sample", "near"}
_ALLOWED = _REQUIRED | {"when", "since", "until", "signature", "start", "end"}
_WHEN = ("prompt", "idle", "startup", "unclear")
_MIN_SAMPLES = 2


@cache
def load_shipped() -> tuple[model.Pattern, ...]:
    """The shipped patterns, verified like all others."""
    place = data_folder("patterns") / "grammars"
    return load_cached(
        "grammars", [_fragments_file(), *_list_pattern_files(place)], lambda: load_folder(place, load_fragments())
    )


def _fragments_file() -> Traversable:
    return data_folder("patterns") / "fragments.toml"


@cache
def load_fragments() -> Mapping[str, model.Nodes]:
    """The named fragments of `patterns/fragments.toml`. A fragment may use those above it."""
    pieces: dict[str, model.Nodes] = {}
    for name, entry in read_toml(_fragments_file()).items():
        pieces[name] = _parse_notation(entry["template"], pieces)
    return pieces


@cache
def load_installed() -> InstalledPatterns:
    """The patterns of other installed packages."""
    return collect_patterns(installed_plugins(PATTERNS), (one.id for one in load_shipped()), _read_installed_folder)


def _read_installed_folder(name: str, place: Traversable) -> tuple[model.Pattern, ...]:
    sources = [_fragments_file(), *_list_pattern_files(place)]
    return load_cached(name, sources, lambda: load_folder(place, load_fragments()))


def load_all(folders: tuple[Path, ...]) -> tuple[model.Pattern, ...]:
    """The shipped patterns, those of other installed packages, and those of the user's folders.

    Raises:
        GrammarError: a file of the user is invalid, or an id occurs twice.
    """
    patterns = load_shipped() + load_installed().patterns
    for place in folders:
        if not place.is_dir():
            raise GrammarError(f"{place} is not a folder of patterns", "pass the folder that contains *.toml files")
        patterns += load_folder(place, load_fragments())
    _reject_duplicate_ids(patterns)
    return patterns


def find_added(patterns: Iterable[model.Pattern]) -> frozenset[str]:
    """The ids of the patterns that are not shipped: those of the user and of other packages."""
    return frozenset(pattern.id for pattern in patterns) - {pattern.id for pattern in load_shipped()}


def load_folder(place: Traversable, pieces: Mapping[str, model.Nodes]) -> tuple[model.Pattern, ...]:
    """All patterns of the `*.toml` files in a folder, sorted by file name.

    Raises:
        GrammarError: names the file, the pattern, the key and the reason.
    """
    patterns = tuple(pattern for file in _list_pattern_files(place) for pattern in _read_patterns(file, pieces))
    if not patterns:
        raise GrammarError(f"no pattern in {place}", "a pattern file ends in .toml and contains [[pattern]] tables")
    _reject_duplicate_ids(patterns)
    return patterns


def _parse_notation(notation: str, pieces: Mapping[str, model.Nodes]) -> model.Nodes:
    from loganalyzer.grammar.syntax import parse_template  # imports pyparsing, which a cached call does not need

    return parse_template(notation, pieces)


def _verify(pattern: model.Pattern) -> None:
    from loganalyzer.grammar.samples import verify_pattern

    verify_pattern(pattern)


def _list_pattern_files(place: Traversable) -> list[Traversable]:
    return sorted((item for item in place.iterdir() if item.name.endswith(".toml")), key=lambda item: item.name)


def _reject_duplicate_ids(patterns: tuple[model.Pattern, ...]) -> None:
    seen: dict[str, model.Pattern] = {}
    for pattern in patterns:
        other = seen.setdefault(pattern.id, pattern)
        if other is not pattern:
            raise GrammarError(f"the id {pattern.id!r} is in {other.file} and in {pattern.file}", "rename one of them")


def read_toml(file: Traversable) -> dict[str, Any]:
    """Parses a TOML file.

    Raises:
        GrammarError: the file is not UTF-8 or not TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GrammarError(f"{file.name}: not a TOML file: {error}") from None


def _read_patterns(file: Traversable, pieces: Mapping[str, model.Nodes]) -> Iterator[model.Pattern]:
    document = read_toml(file)
    for key in document.keys() - {"pattern", "project", "producer"}:
        raise GrammarError(f"{file.name}: unknown key {key!r}", "allowed: 'project', [producer] and [[pattern]] tables")
    project = document.get("project", "wrapper")
    producer = read_producer(document, project, file.name)
    for entry in document.get("pattern", []):
        where = f"{file.name}: pattern {entry.get('id', '(without id)')!r}"
        try:
            pattern = replace(_build_pattern(entry, project, file.name, pieces), producer=producer)
            _verify(pattern)
        except GrammarError as error:
            raise GrammarError(f"{where}: {error.message}", error.hint) from None
        yield pattern


def _build_pattern(entry: dict[str, Any], project: str, file: str, pieces: Mapping[str, model.Nodes]) -> model.Pattern:
    _check_keys(entry)
    nodes = _parse_template(entry, "template", pieces)
    ends_line = _parse_option(entry, "end", {"line": True, "anywhere": False})
    try:
        check_template(nodes, ends_line=ends_line)
    except GrammarError as error:
        raise GrammarError(f"key 'template': {error.message}", error.hint) from None
    return model.Pattern(
        id=entry["id"],
        event=entry["event"],
        project=project,
        title=entry["title"],
        why=entry["why"],
        stream=entry["stream"],
        when=entry.get("when"),
        since=entry.get("since"),
        until=entry.get("until"),
        notation=entry["template"],
        nodes=nodes,
        signature=_build_signature(entry, nodes, pieces),
        starts_line=_parse_option(entry, "start", {"anywhere": False, "line": True}),
        ends_line=ends_line,
        samples=tuple(_build_sample(sample) for sample in entry["sample"]),
        near=tuple(near["line"] for near in entry["near"]),
        file=file,
    )


def _check_keys(entry: dict[str, Any]) -> None:
    for key in sorted(entry.keys() - _ALLOWED):
        raise GrammarError(f"unknown key {key!r}", f"allowed keys: {', '.join(sorted(_ALLOWED))}")
    for key in sorted(_REQUIRED - entry.keys()):
        raise GrammarError(f"the key {key!r} is missing", "patterns/README.md explains each key")
    _check_values(entry)


def _check_values(entry: dict[str, Any]) -> None:
    for key in ("since", "until"):
        if not isinstance(entry.get(key, date.min), date):
            raise GrammarError(f"key {key!r}: not a date", "write it as 2025-08-20, without quotes")
    for key in _REQUIRED - {"sample", "near"}:
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise GrammarError(f"key {key!r}: not a string")
    if entry["stream"] not in ("stderr", "stdout"):
        raise GrammarError(f"key 'stream': {entry['stream']!r}", "stderr (logging, bars) or stdout (print)")
    if entry.get("when", "prompt") not in _WHEN:
        raise GrammarError(f"key 'when': {entry['when']!r}", f"one of {', '.join(_WHEN)}")
    _check_samples(entry)


def _check_samples(entry: dict[str, Any]) -> None:
    if not entry["near"] and "signature" not in entry:
        raise GrammarError(
            "key 'near': there is no near miss", "add one, or near = [] with a signature that is the complete message"
        )
    if len(entry["sample"]) < _MIN_SAMPLES:
        raise GrammarError("key 'sample': at least two samples are required", "add [[pattern.sample]] tables")


def _parse_option(entry: dict[str, Any], key: str, meanings: dict[str, bool]) -> bool:
    """The meaning of a key's value. The first of `meanings` is the default."""
    value = entry.get(key, next(iter(meanings)))
    if value not in meanings:
        raise GrammarError(f"key {key!r}: {value!r}", f"one of {', '.join(meanings)}")
    return meanings[value]


def _parse_template(entry: dict[str, Any], key: str, pieces: Mapping[str, model.Nodes]) -> model.Nodes:
    try:
        return _parse_notation(entry[key], pieces)
    except GrammarError as error:
        raise GrammarError(f"key {key!r}: {error.message}", error.hint) from None


def _build_signature(entry: dict[str, Any], nodes: model.Nodes, pieces: Mapping[str, model.Nodes]) -> model.Nodes:
    """The template of the key 'signature', else the longest fixed text of the message."""
    if "signature" in entry:
        signature = _parse_template(entry, "signature", pieces)
    else:
        texts = model.find_anchors(nodes)
        signature = (model.Alternatives(tuple((model.Text(text),) for text in texts)),)
    if not model.find_anchors(signature):
        raise GrammarError(
            "the template has no fixed text with which its lines could be found", "add some, or a 'signature'"
        )
    return signature


def _build_sample(entry: dict[str, Any]) -> model.Sample:
    for key in sorted({"line", "values"} - entry.keys()):
        raise GrammarError(f"key 'sample': the key {key!r} is missing")
    return model.Sample(entry["line"], entry["values"])


@cache
def load_prefixes() -> tuple[model.Pattern, ...]:
    """The prefixes before a line (`patterns/prefixes.toml`), with the fields `time`, `stream`, `level`, `part`.

    Raises:
        GrammarError: a prefix does not match its own samples, or an earlier one matches them.
    """
    file = data_folder("patterns") / "prefixes.toml"
    return load_cached("prefixes", [_fragments_file(), file], lambda: _read_prefixes(file))


def _read_prefixes(file: Traversable) -> tuple[model.Pattern, ...]:
    from loganalyzer.grammar.samples import verify_order

    found = []
    for entry in read_toml(file)["prefix"]:
        where = f"{file.name}: prefix {entry.get('id', '(without id)')!r}"
        try:
            pattern = _build_prefix(entry, file.name)
            _verify(pattern)
        except GrammarError as error:
            raise GrammarError(f"{where}: {error.message}", error.hint) from None
        found.append(pattern)
    try:
        verify_order(found)
    except GrammarError as error:
        raise GrammarError(f"{file.name}: prefix {error.message}", error.hint) from None
    return tuple(found)


def _build_prefix(entry: dict[str, Any], file: str) -> model.Pattern:
    nodes = _parse_template(entry, "template", load_fragments())
    return model.Pattern(
        id=entry["id"],
        event="prefix",
        project="container",
        title=entry["title"],
        why=entry["why"],
        stream="stderr",
        when=None,
        since=None,
        until=None,
        notation=entry["template"],
        nodes=nodes,
        signature=nodes,
        starts_line=False,
        ends_line=False,
        samples=tuple(_build_sample(sample) for sample in entry["sample"]),
        near=(),
        file=file,
    )
