"""Caches verified patterns on disk, since reading and verifying them takes longer than a small log.

The cache's file name contains a digest of the pattern files and of this package's code, so the cache is never stale.
It contains no code. A cache that cannot be parsed as patterns is rebuilt.
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

MAX_CACHED = 3
"""Number of cached versions: two versions used in turns must not rebuild their patterns each time."""


def load_cached(name: str, sources: Sequence[Traversable], make: Callable[[], Patterns]) -> Patterns:
    """The patterns that `make` builds from the pattern files `sources`, from the cache if an earlier call stored them.

    A cache that cannot be read or written costs only time.
    """
    try:
        path = user_cache_path("loganalyzer") / f"{name}-{_hash_sources(sources)}.json"
    except (OSError, RuntimeError):  # no home directory, or no source code to hash
        return make()
    with suppress(OSError, ValueError, TypeError, LookupError, RecursionError):
        return _read_cache(path)
    found = make()
    with suppress(OSError):
        _write_cache(path, name, found)
    return found


def _hash_sources(sources: Sequence[Traversable]) -> str:
    """A digest of the files' names and bytes, and of the code that reads them."""
    digest = sha256()
    for file in (*sources, *sorted(Path(__file__).parent.glob("*.py"))):
        data = file.read_bytes()
        digest.update(f"{file.name} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()[:32]


def _read_cache(path: Path) -> Patterns:
    return tuple(_pattern_from_json(entry) for entry in json.loads(path.read_bytes()))


def _write_cache(path: Path, name: str, patterns: Patterns) -> None:
    """Writes a temporary file and renames it, so that readers never see a part; keeps only the latest caches."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="utf-8", delete=False) as file:
        json.dump([_pattern_to_json(pattern) for pattern in patterns], file)
    Path(file.name).replace(path)
    kept = sorted(path.parent.glob(f"{name}-*.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for old in kept[MAX_CACHED:]:
        old.unlink(missing_ok=True)


def _pattern_to_json(pattern: model.Pattern) -> dict[str, Any]:
    values = {field.name: getattr(pattern, field.name) for field in fields(pattern)}
    return values | {
        "since": pattern.since and pattern.since.isoformat(),
        "until": pattern.until and pattern.until.isoformat(),
        "nodes": _nodes_to_json(pattern.nodes),
        "signature": _nodes_to_json(pattern.signature),
        "samples": [(sample.line, sample.values) for sample in pattern.samples],
        "producer": pattern.producer and asdict(pattern.producer),
    }


def _pattern_from_json(entry: dict[str, Any]) -> model.Pattern:
    values = entry | {
        "since": entry["since"] and date.fromisoformat(entry["since"]),
        "until": entry["until"] and date.fromisoformat(entry["until"]),
        "nodes": _nodes_from_json(entry["nodes"]),
        "signature": _nodes_from_json(entry["signature"]),
        "samples": tuple(model.Sample(line, values) for line, values in entry["samples"]),
        "near": tuple(entry["near"]),
        "producer": entry["producer"] and model.Producer(**entry["producer"]),
    }
    return model.Pattern(**values)


def _nodes_to_json(nodes: model.Nodes) -> list[list[Any]]:
    return [_node_to_json(node) for node in nodes]


def _node_to_json(node: model.Node) -> list[Any]:
    match node:
        case model.Text(text):
            return ["text", text]
        case model.Field(name, kind):
            return ["field", name, kind]
        case model.Choice(name, options):
            return ["choice", name, options]
        case model.Skip():
            return ["skip"]
        case model.Optional(body):
            return ["optional", _nodes_to_json(body)]
        case model.Alternatives(parts):
            return ["alternatives", [_nodes_to_json(part) for part in parts]]


def _nodes_from_json(items: list[list[Any]]) -> model.Nodes:
    return tuple(_node_from_json(item) for item in items)


def _node_from_json(item: list[Any]) -> model.Node:
    match item:
        case ["text", text]:
            return model.Text(text)
        case ["field", name, kind]:
            return model.Field(name, kind)
        case ["choice", name, options]:
            return model.Choice(name, tuple(options))
        case ["skip"]:
            return model.Skip()
        case ["optional", body]:
            return model.Optional(_nodes_from_json(body))
        case ["alternatives", parts]:
            return model.Alternatives(tuple(_nodes_from_json(part) for part in parts))
        case _:
            raise ValueError(f"not a node: {item!r:.80}")
