"""Logs to a ticket: analysed, cut, masked with one key, packed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from loganalyzer.common.errors import SourceError
from loganalyzer.engine.read import Progress
from loganalyzer.pipeline import unmasked
from loganalyzer.redact.text_limits import prepare_for_output
from loganalyzer.report.formats import reader
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import STDIN, Input, find, read
from loganalyzer.tables.analysis import Analysis
from loganalyzer.ticket import slices
from loganalyzer.ticket.archive import Ticket, pack


@dataclass(frozen=True)
class Made:
    """The archive, the tables that it shows, and how many values of each kind were masked."""

    ticket: Ticket
    shown: Analysis
    masked: Mapping[str, int]


def make(paths: Sequence[str], settings: Settings, progress: Progress | None, *, generated_at: datetime) -> Made:
    """A ticket about these logs, reports or documents.

    Raises:
        SourceError: standard input is given, which cannot be read twice.
        LogAnalyzerError: as `analyse`.
    """
    if STDIN in paths:
        raise SourceError("-: a ticket reads its log twice", "save it to a file first: `docker logs … > x.log 2>&1`")
    found, masking = unmasked(paths, settings, progress)
    wanted, unsliced = slices.stretches(found)
    shown = prepare_for_output(found, masking, settings)
    mask = masking.mask if settings.redact else str
    parts = slices.read(_inputs(paths), wanted, mask)
    named = tuple(replace(part, stretch=replace(part.stretch, source=mask(part.stretch.source))) for part in parts)
    made = pack(shown, named, masking, settings, generated_at=generated_at, unsliced=unsliced)
    return Made(made, shown, masking.values)


def _inputs(paths: Sequence[str]) -> Iterator[Input]:
    """The logs once more; what could not be read was said before."""
    for name in find(reader.parted(paths)[0]):
        if isinstance(name, SourceError):
            continue
        with suppress(SourceError):
            yield from (given for given in read(name) if not isinstance(given, SourceError))
