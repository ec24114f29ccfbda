"""Pattern files read into patterns; a file that does not keep its own promises is refused."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from loganalyzer.common.errors import GrammarError
from loganalyzer.common.resources import folder
from loganalyzer.grammar import model
from loganalyzer.grammar.cache import remembered
from loganalyzer.grammar.lower import check
from loganalyzer.grammar.producers import read_producer

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

_REQUIRED = {"id", "event", "title", "why", "stream", "template", "sample", "near"}
_ALLOWED = _REQUIRED | {"when", "since", "until", "signature", "start", "end"}
_WHEN = ("prompt", "idle", "startup", "unclear")
_FEWEST_SAMPLES = 2


@cache
def shipped() -> tuple[model.Pattern, ...]:
    """The patterns that come with the tool, verified like any other."""
    place = folder("patterns") / "grammars"
    return remembered("grammars", [_fragments_file(), *_files(place)], lambda: load(place, fragments()))


def _fragments_file() -> Traversable:
    return folder("patterns") / "fragments.toml"


@cache
def fragments() -> Mapping[str, model.Nodes]:
    """The named pieces of `patterns/fragments.toml`; a fragment may use those above it."""
    pieces: dict[str, model.Nodes] = {}
    for name, entry in read_toml(_fragments_file()).items():
        pieces[name] = _parsed(entry["template"], pieces)
    return pieces


def load_all(folders: tuple[Path, ...]) -> tuple[model.Pattern, ...]:
    """The shipped patterns and those of the user's folders.

    Raises:
        GrammarError: where a file is refused, or an id stands twice.
    """
    patterns = shipped()
    for place in folders:
        if not place.is_dir():
            raise GrammarError(f"{place} is not a folder of patterns", "give the folder that holds *.toml files")
        patterns += load(place, fragments())
    _refuse_twins(patterns)
    return patterns


def load(place: Traversable, pieces: Mapping[str, model.Nodes]) -> tuple[model.Pattern, ...]:
    """All patterns of the `*.toml` files in a folder, in the order of the files' names.

    Raises:
        GrammarError: names the file, the pattern, the key and the reason.
    """
    patterns = tuple(pattern for file in _files(place) for pattern in _patterns(file, pieces))
    if not patterns:
        raise GrammarError(f"no pattern in {place}", "a pattern file ends in .toml and holds [[pattern]] tables")
    _refuse_twins(patterns)
    return patterns


def _parsed(notation: str, pieces: Mapping[str, model.Nodes]) -> model.Nodes:
    from loganalyzer.grammar.syntax import parse_template  # pyparsing, which a call with a cache does without

    return parse_template(notation, pieces)


def _verify(pattern: model.Pattern) -> None:
    from loganalyzer.grammar.samples import verify

    verify(pattern)


def _files(place: Traversable) -> list[Traversable]:
    return sorted((item for item in place.iterdir() if item.name.endswith(".toml")), key=lambda item: item.name)


def _refuse_twins(patterns: tuple[model.Pattern, ...]) -> None:
    seen: dict[str, model.Pattern] = {}
    for pattern in patterns:
        twin = seen.setdefault(pattern.id, pattern)
        if twin is not pattern:
            raise GrammarError(f"the id {pattern.id!r} stands in {twin.file} and in {pattern.file}", "rename one")


def read_toml(file: Traversable) -> dict[str, Any]:
    """The document in a TOML file.

    Raises:
        GrammarError: where the file is not UTF-8 or not TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GrammarError(f"{file.name}: not a TOML file: {error}") from None


def _patterns(file: Traversable, pieces: Mapping[str, model.Nodes]) -> Iterator[model.Pattern]:
    document = read_toml(file)
    for key in document.keys() - {"pattern", "project", "producer"}:
        raise GrammarError(
            f"{file.name}: unknown key {key!r}", "allowed are 'project', [producer] and [[pattern]] tables"
        )
    project = document.get("project", "wrapper")
    producer = read_producer(document, project, file.name)
    for entry in document.get("pattern", []):
        where = f"{file.name}: pattern {entry.get('id', '(without id)')!r}"
        try:
            pattern = replace(_pattern(entry, project, file.name, pieces), producer=producer)
            _verify(pattern)
        except GrammarError as error:
            raise GrammarError(f"{where}: {error.message}", error.hint) from None
        yield pattern


def _pattern(entry: dict[str, Any], project: str, file: str, pieces: Mapping[str, model.Nodes]) -> model.Pattern:
    _check_keys(entry)
    nodes = _template(entry, "template", pieces)
    ends_line = _one_of(entry, "end", {"line": True, "anywhere": False})
    try:
        check(nodes, ends_line=ends_line)
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
        signature=_signature(entry, nodes, pieces),
        starts_line=_one_of(entry, "start", {"anywhere": False, "line": True}),
        ends_line=ends_line,
        samples=tuple(_sample(sample) for sample in entry["sample"]),
        near=tuple(near["line"] for near in entry["near"]),
        file=file,
    )


def _check_keys(entry: dict[str, Any]) -> None:
    for key in sorted(entry.keys() - _ALLOWED):
        raise GrammarError(f"unknown key {key!r}", f"allowed are: {', '.join(sorted(_ALLOWED))}")
    for key in sorted(_REQUIRED - entry.keys()):
        raise GrammarError(f"the key {key!r} is missing", "patterns/README.md explains each key")
    _check_values(entry)


def _check_values(entry: dict[str, Any]) -> None:
    for key in ("since", "until"):
        if not isinstance(entry.get(key, date.min), date):
            raise GrammarError(f"key {key!r}: not a date", "write it as 2025-08-20, without quotes")
    for key in _REQUIRED - {"sample", "near"}:
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise GrammarError(f"key {key!r}: not a text")
    if entry["stream"] not in ("stderr", "stdout"):
        raise GrammarError(f"key 'stream': {entry['stream']!r}", "stderr (logging, bars) or stdout (print)")
    if entry.get("when", "prompt") not in _WHEN:
        raise GrammarError(f"key 'when': {entry['when']!r}", f"one of {', '.join(_WHEN)}")
    _check_samples(entry)


def _check_samples(entry: dict[str, Any]) -> None:
    if not entry["near"] and "signature" not in entry:
        raise GrammarError(
            "key 'near': no near miss is given", "add one, or near = [] with a signature that is the message"
        )
    if len(entry["sample"]) < _FEWEST_SAMPLES:
        raise GrammarError("key 'sample': at least two samples are needed", "add [[pattern.sample]] tables")


def _one_of(entry: dict[str, Any], key: str, meanings: dict[str, bool]) -> bool:
    """The first of `meanings` is the default."""
    value = entry.get(key, next(iter(meanings)))
    if value not in meanings:
        raise GrammarError(f"key {key!r}: {value!r}", f"one of {', '.join(meanings)}")
    return meanings[value]


def _template(entry: dict[str, Any], key: str, pieces: Mapping[str, model.Nodes]) -> model.Nodes:
    try:
        return _parsed(entry[key], pieces)
    except GrammarError as error:
        raise GrammarError(f"key {key!r}: {error.message}", error.hint) from None


def _signature(entry: dict[str, Any], nodes: model.Nodes, pieces: Mapping[str, model.Nodes]) -> model.Nodes:
    """The key's template, else the longest fixed text of the message."""
    if "signature" in entry:
        signature = _template(entry, "signature", pieces)
    else:
        texts = model.anchors(nodes)
        signature = (model.Alternatives(tuple((model.Text(text),) for text in texts)),)
    if not model.anchors(signature):
        raise GrammarError(
            "the template has no fixed text by which its lines could be found", "add some, or a 'signature'"
        )
    return signature


def _sample(entry: dict[str, Any]) -> model.Sample:
    for key in sorted({"line", "values"} - entry.keys()):
        raise GrammarError(f"key 'sample': the key {key!r} is missing")
    return model.Sample(entry["line"], entry["values"])


@cache
def wrappers() -> tuple[model.Pattern, ...]:
    """What may stand in front of a line (`patterns/prefixes.toml`); holes `time`, `stream`, `level`, `part`.

    Raises:
        GrammarError: where a wrapper does not read its own samples.
    """
    file = folder("patterns") / "prefixes.toml"
    return remembered("wrappers", [_fragments_file(), file], lambda: _wrappers(file))


def _wrappers(file: Traversable) -> tuple[model.Pattern, ...]:
    found = []
    for entry in read_toml(file)["wrapper"]:
        where = f"{file.name}: wrapper {entry.get('id', '(without id)')!r}"
        try:
            pattern = _wrapper(entry, file.name)
            _verify(pattern)
        except GrammarError as error:
            raise GrammarError(f"{where}: {error.message}", error.hint) from None
        found.append(pattern)
    return tuple(found)


def _wrapper(entry: dict[str, Any], file: str) -> model.Pattern:
    nodes = _template(entry, "template", fragments())
    return model.Pattern(
        id=entry["id"],
        event="wrapper",
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
        samples=tuple(_sample(sample) for sample in entry["sample"]),
        near=(),
        file=file,
    )
