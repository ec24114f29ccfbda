"""Reads inputs into tables. The result depends only on the inputs, so calls can run in parallel anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import polars as pl

from loganalyzer.common.errors import SourceError
from loganalyzer.common.parallel import map_in_order
from loganalyzer.engine.collector import Collector, Extracted, Tables, Volumes
from loganalyzer.grammar.compiled import Grammars, compile_all
from loganalyzer.grammar.load import find_added, load_all
from loganalyzer.lines.segmentation import Segments, concat_segments, split_segments
from loganalyzer.records import evidence
from loganalyzer.records.extraction import extract
from loganalyzer.runs.vocabulary import EVENTS
from loganalyzer.settings.model import Settings
from loganalyzer.sources.chunks import CHUNK_BYTES, Chunk, Source, cut_chunks
from loganalyzer.sources.inputs import Input
from loganalyzer.tables.spool import Spool

_SEGMENTS_PER_PASS: Final = 1 << 18
"""Segments that one pass extracts."""
_MAX_GATHERED: Final = 16
"""At most this many batches are gathered for one pass: their text is in memory together."""

Progress = Callable[[str, int], None]
"""Called repeatedly with an input's name and the number of bytes read since: unpacked, not yet decoded."""


def tabulate(
    inputs: Iterable[Input | SourceError],
    settings: Settings,
    *,
    progress: Progress | None = None,
    chunk_bytes: int = CHUNK_BYTES,
) -> Tables:
    """The tables of these inputs. An input that cannot be read becomes one of `problems`; the others are still read.

    `chunk_bytes` limits how much text is in memory; it does not change the tables.

    Raises:
        LogAnalyzerError: a pattern or schedule file is invalid.
    """
    return _collect(inputs, settings, progress, chunk_bytes, None).finish()


def tabulate_volumes(
    inputs: Iterable[Input | SourceError],
    settings: Settings,
    spool: Spool,
    *,
    progress: Progress | None = None,
    chunk_bytes: int = CHUNK_BYTES,
) -> Volumes:
    """The same tables in volumes: inputs of any size need no more memory than the `spool` allows.

    Raises:
        LogAnalyzerError: as `tabulate`; or the disk is full.
    """
    return _collect(inputs, settings, progress, chunk_bytes, spool).volumes()


def _collect(
    inputs: Iterable[Input | SourceError],
    settings: Settings,
    progress: Progress | None,
    chunk_bytes: int,
    spool: Spool | None,
) -> Collector:
    patterns = load_all(settings.patterns)
    collector = Collector(compile_all(patterns, EVENTS, find_added(patterns)), settings, spool)
    batches = _group_chunks(_cut_inputs(inputs, progress, chunk_bytes), chunk_bytes)
    searched = map_in_order(partial(_search, grammars=collector.grammars), batches)
    for extracted in map_in_order(partial(_extract, grammars=collector.grammars), _gather(searched)):
        collector.add(extracted)
    return collector


@dataclass(frozen=True, eq=False)
class _ChunkGroup:
    """Chunks processed together, since one query beats many, and the inputs that end here or could not be opened."""

    chunks: Sequence[Chunk]
    ended: Sequence[Source | SourceError]


def _cut_inputs(
    inputs: Iterable[Input | SourceError], progress: Progress | None, size: int
) -> Iterator[Chunk | Source | SourceError]:
    number = 0
    for source in inputs:
        if isinstance(source, SourceError):
            yield source
            continue
        yield from cut_chunks(_with_progress(source, progress) if progress else source, number, size)
        number += 1


def _with_progress(source: Input, progress: Progress) -> Input:
    """The same input; `progress` is called as its bytes are read."""

    def chunks() -> Iterator[bytes]:
        for chunk in source.chunks:
            progress(source.name, len(chunk))
            yield chunk

    return Input(source.name, chunks())


def _group_chunks(chunks: Iterable[Chunk | Source | SourceError], limit: int) -> Iterator[_ChunkGroup]:
    group: list[Chunk] = []
    ended: list[Source | SourceError] = []
    size = 0
    for chunk in chunks:
        if not isinstance(chunk, Chunk):
            ended.append(chunk)
            continue
        if group and size + len(chunk.data) > limit:
            yield _ChunkGroup(group, ended)
            group, ended, size = [], [], 0
        group.append(chunk)
        size += len(chunk.data)
    yield _ChunkGroup(group, ended)


@dataclass(frozen=True, eq=False)
class _Searched:
    """The segments of some chunks, and the inputs that end with them or could not be opened."""

    segments: Segments
    ended: Sequence[Source | SourceError]


def _search(batch: _ChunkGroup, grammars: Grammars) -> _Searched:
    return _Searched(split_segments(batch.chunks, grammars.anchors), batch.ended)


def _gather(searched: Iterable[_Searched]) -> Iterator[_Searched]:
    """Concatenates small batches: most lines of most logs contain no message, and each query has a fixed cost."""
    group: list[_Searched] = []
    for item in searched:
        group.append(item)
        if sum(part.segments.places.height for part in group) >= _SEGMENTS_PER_PASS or len(group) >= _MAX_GATHERED:
            yield _concat_searched(group)
            group = []
    if group:
        yield _concat_searched(group)


def _concat_searched(group: Sequence[_Searched]) -> _Searched:
    return _Searched(
        concat_segments([part.segments for part in group]), [source for part in group for source in part.ended]
    )


def _extract(searched: _Searched, grammars: Grammars) -> Extracted:
    records = extract(searched.segments, grammars)
    slim = replace(records, bars=())
    places = searched.segments.places
    line_range = None if places.is_empty() else (_line_at(places, 0), _line_at(places, -1))
    return Extracted(
        slim, evidence.select_failures(records), evidence.pack_evidence(records), line_range, searched.ended
    )


def _line_at(places: pl.DataFrame, row: int) -> tuple[int, int]:
    return places["source"][row], places["line"][row]
