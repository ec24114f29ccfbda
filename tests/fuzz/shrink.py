"""Makes an input that breaks a claim as small as it gets: `python tests/fuzz/shrink.py INPUT OUTPUT`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz import claims

TOGETHER = 64
"""Smaller inputs that are tried in one call."""


def shrunk(data: bytes, claim: str | None = None) -> bytes:
    """The smallest input found that breaks the same claim as `data`, the first of them; `data` if it breaks none."""
    (found,) = claims.broken([data])
    return _shrunk(data, claim or found[0]) if found else data


def _shrunk(data: bytes, claim: str) -> bytes:
    for pieces in (_kept_lines, _kept_bytes):
        size = max(1, len(data) // 2)
        while size:
            smaller = _first_that_breaks(claim, [item for item in pieces(data, size) if len(item) < len(data)])
            if smaller is None:
                size //= 2
            else:
                data, size = smaller, min(size, len(smaller))
    return data


def _kept_lines(data: bytes, size: int) -> Iterator[bytes]:
    lines = data.splitlines(keepends=True)
    size = min(size, len(lines)) or 1
    for start in range(0, len(lines), size):
        yield b"".join(lines[:start] + lines[start + size :])


def _kept_bytes(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[:start] + data[start + size :]


def _first_that_breaks(claim: str, inputs: list[bytes]) -> bytes | None:
    for start in range(0, len(inputs), TOGETHER):
        some = inputs[start : start + TOGETHER]
        for item, broken in zip(some, claims.broken(some), strict=True):
            if claim in broken:
                return item
    return None


if __name__ == "__main__":
    read, write = map(Path, sys.argv[1:])
    write.write_bytes(shrunk(read.read_bytes()))
