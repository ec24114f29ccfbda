"""Inputs to tables: the unit of work. It depends on its inputs alone, so any number may run at once, anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import polars as pl

from loganalyzer.common.errors import SourceError
from loganalyzer.common.parallel import in_order
from loganalyzer.engine.collector import Collection, Extracted, Tables, Volumes
from loganalyzer.grammar.compiled import Grammars, compile_all
from loganalyzer.grammar.load import load_all
from loganalyzer.lines.segmentation import Segments, joined, segments
from loganalyzer.records import evidence
from loganalyzer.records.extraction import extract
from loganalyzer.runs.vocabulary import EVENTS
from loganalyzer.settings.model import Settings
from loganalyzer.sources.chunks import PIECE_BYTES, Piece, Source, cut
from loganalyzer.sources.inputs import Input
from loganalyzer.tables.spool import Spool

_SEGMENTS: Final = 1 << 18
"""Segments read in one go."""
_MOST_GATHERED: Final = 16
"""Batches gathered for that; their text is held together."""

Progress = Callable[[str, int], None]
"""Is told, again and again, the name of an input and how many bytes of it were read more: unpacked, not yet decoded."""


def tabulate(
    inputs: Iterable[Input | SourceError],
    settings: Settings,
    *,
    progress: Progress | None = None,
    piece_bytes: int = PIECE_BYTES,
) -> Tables:
    """The tables of these inputs. An input that cannot be read is one of `problems`; the others keep their results.

    `piece_bytes` bounds what is held of the text; it changes nothing in the tables.

    Raises:
        LogAnalyzerError: a pattern or schedule file is refused.
    """
    return _collected(inputs, settings, progress, piece_bytes, None).finished()


def volumes(
    inputs: Iterable[Input | SourceError],
    settings: Settings,
    spool: Spool,
    *,
    progress: Progress | None = None,
    piece_bytes: int = PIECE_BYTES,
) -> Volumes:
    """The same tables volume by volume, so that inputs of any size need no more memory than the `spool` has room for.

    Raises:
        LogAnalyzerError: as `tabulate`; or the disk has no room.
    """
    return _collected(inputs, settings, progress, piece_bytes, spool).volumes()


def _collected(
    inputs: Iterable[Input | SourceError],
    settings: Settings,
    progress: Progress | None,
    piece_bytes: int,
    spool: Spool | None,
) -> Collection:
    collection = Collection(compile_all(load_all(settings.patterns), EVENTS), settings, spool)
    batches = _batches(_pieces(inputs, progress, piece_bytes), piece_bytes)
    searched = in_order(partial(_searched, grammars=collection.grammars), batches)
    for extracted in in_order(partial(_extracted, grammars=collection.grammars), _gathered(searched)):
        collection.add(extracted)
    return collection


@dataclass(frozen=True, eq=False)
class _Batch:
    """Pieces joined so that one query serves many, and the inputs that end with them, or could not be opened."""

    pieces: Sequence[Piece]
    ended: Sequence[Source | SourceError]


def _pieces(
    inputs: Iterable[Input | SourceError], progress: Progress | None, size: int
) -> Iterator[Piece | Source | SourceError]:
    number = 0
    for given in inputs:
        if isinstance(given, SourceError):
            yield given
            continue
        yield from cut(_watched(given, progress) if progress else given, number, size)
        number += 1


def _watched(given: Input, progress: Progress) -> Input:
    """The same input, which tells how far it is read."""

    def chunks() -> Iterator[bytes]:
        for chunk in given.chunks:
            progress(given.name, len(chunk))
            yield chunk

    return Input(given.name, chunks())


def _batches(pieces: Iterable[Piece | Source | SourceError], limit: int) -> Iterator[_Batch]:
    held: list[Piece] = []
    ended: list[Source | SourceError] = []
    size = 0
    for piece in pieces:
        if not isinstance(piece, Piece):
            ended.append(piece)
            continue
        if held and size + len(piece.data) > limit:
            yield _Batch(held, ended)
            held, ended, size = [], [], 0
        held.append(piece)
        size += len(piece.data)
    yield _Batch(held, ended)


@dataclass(frozen=True, eq=False)
class _Searched:
    """The segments of some pieces, and the inputs that end with them, or could not be opened."""

    segments: Segments
    ended: Sequence[Source | SourceError]


def _searched(batch: _Batch, grammars: Grammars) -> _Searched:
    return _Searched(segments(batch.pieces, grammars.anchors), batch.ended)


def _gathered(searched: Iterable[_Searched]) -> Iterator[_Searched]:
    """Several as one while they hold little: most lines of most logs are of no concern, and each query costs."""
    held: list[_Searched] = []
    for one in searched:
        held.append(one)
        if sum(part.segments.places.height for part in held) >= _SEGMENTS or len(held) >= _MOST_GATHERED:
            yield _one(held)
            held = []
    if held:
        yield _one(held)


def _one(parts: Sequence[_Searched]) -> _Searched:
    return _Searched(joined([part.segments for part in parts]), [source for part in parts for source in part.ended])


def _extracted(searched: _Searched, grammars: Grammars) -> Extracted:
    records = extract(searched.segments, grammars)
    slim = replace(records, bars=())
    places = searched.segments.places
    reach = None if places.is_empty() else (_place(places, 0), _place(places, -1))
    return Extracted(slim, evidence.failures(records), evidence.kept(records), reach, searched.ended)


def _place(places: pl.DataFrame, row: int) -> tuple[int, int]:
    return places["source"][row], places["line"][row]
