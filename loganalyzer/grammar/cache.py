"""Patterns that were read and verified once, kept for the next call: reading them takes longer than a small log.

What is kept is found by a digest of all that it follows from, the pattern files and this folder's code, so that it is
never out of date. It holds no code: what does not read back as patterns is made anew.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, fields
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_cache_path

from loganalyzer.grammar import model

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

Patterns = tuple[model.Pattern, ...]

MOST_KEPT = 3
"""Two versions used by turns must not read their patterns anew each time."""


def remembered(name: str, sources: Sequence[Traversable], make: Callable[[], Patterns]) -> Patterns:
    """What `make` makes of the pattern files `sources`, read back where an earlier call has kept it.

    A cache that cannot be read or written costs time and nothing else.
    """
    try:
        path = user_cache_path("loganalyzer") / f"{name}-{_digest(sources)}.json"
    except (OSError, RuntimeError):  # no home, or no code to take a digest of
        return make()
    with suppress(OSError, ValueError, TypeError, LookupError, RecursionError):
        return _read(path)
    found = make()
    with suppress(OSError):
        _write(path, name, found)
    return found


def _digest(sources: Sequence[Traversable]) -> str:
    """Of the files' names and bytes, and of the code that reads them."""
    digest = sha256()
    for file in (*sources, *sorted(Path(__file__).parent.glob("*.py"))):
        data = file.read_bytes()
        digest.update(f"{file.name} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()[:32]


def _read(path: Path) -> Patterns:
    return tuple(_pattern(entry) for entry in json.loads(path.read_bytes()))


def _write(path: Path, name: str, patterns: Patterns) -> None:
    """Written aside and renamed, so that nobody reads half of it; of what others kept the latest stay."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="utf-8", delete=False) as file:
        json.dump([_entry(pattern) for pattern in patterns], file)
    Path(file.name).replace(path)
    kept = sorted(path.parent.glob(f"{name}-*.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for old in kept[MOST_KEPT:]:
        old.unlink(missing_ok=True)


def _entry(pattern: model.Pattern) -> dict[str, Any]:
    values = {field.name: getattr(pattern, field.name) for field in fields(pattern)}
    return values | {
        "since": pattern.since and pattern.since.isoformat(),
        "until": pattern.until and pattern.until.isoformat(),
        "nodes": _listed(pattern.nodes),
        "signature": _listed(pattern.signature),
        "samples": [(sample.line, sample.values) for sample in pattern.samples],
        "producer": pattern.producer and asdict(pattern.producer),
    }


def _pattern(entry: dict[str, Any]) -> model.Pattern:
    values = entry | {
        "since": entry["since"] and date.fromisoformat(entry["since"]),
        "until": entry["until"] and date.fromisoformat(entry["until"]),
        "nodes": _nodes(entry["nodes"]),
        "signature": _nodes(entry["signature"]),
        "samples": tuple(model.Sample(line, values) for line, values in entry["samples"]),
        "near": tuple(entry["near"]),
        "producer": entry["producer"] and model.Producer(**entry["producer"]),
    }
    return model.Pattern(**values)


def _listed(nodes: model.Nodes) -> list[list[Any]]:
    return [_item(node) for node in nodes]


def _item(node: model.Node) -> list[Any]:
    match node:
        case model.Text(text):
            return ["text", text]
        case model.Hole(name, kind):
            return ["hole", name, kind]
        case model.Choice(name, options):
            return ["choice", name, options]
        case model.Skip():
            return ["skip"]
        case model.Optional(body):
            return ["optional", _listed(body)]
        case model.Alternatives(parts):
            return ["alternatives", [_listed(part) for part in parts]]


def _nodes(items: list[list[Any]]) -> model.Nodes:
    return tuple(_node(item) for item in items)


def _node(item: list[Any]) -> model.Node:
    match item:
        case ["text", text]:
            return model.Text(text)
        case ["hole", name, kind]:
            return model.Hole(name, kind)
        case ["choice", name, options]:
            return model.Choice(name, tuple(options))
        case ["skip"]:
            return model.Skip()
        case ["optional", body]:
            return model.Optional(_nodes(body))
        case ["alternatives", parts]:
            return model.Alternatives(tuple(_nodes(part) for part in parts))
        case _:
            raise ValueError(f"no node: {item!r:.80}")
