"""Makes a ticket from logs: analyzes, slices, masks and packs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from loganalyzer.common.errors import SourceError
from loganalyzer.engine.read import Progress
from loganalyzer.pipeline import analyze_unmasked
from loganalyzer.redact.text_limits import prepare_for_output
from loganalyzer.report.formats import reader
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import STDIN, Input, find_inputs, open_input
from loganalyzer.tables.analysis import Analysis
from loganalyzer.ticket import slices
from loganalyzer.ticket.archive import Ticket, pack_ticket


@dataclass(frozen=True)
class MadeTicket:
    """A ticket with its tables and the number of masked values per kind."""

    ticket: Ticket
    shown: Analysis
    masked: Mapping[str, int]


def make_ticket(
    paths: Sequence[str], settings: Settings, progress: Progress | None, *, generated_at: datetime
) -> MadeTicket:
    """A ticket about these logs, reports or documents.

    Raises:
        SourceError: standard input is among the paths, which cannot be read twice.
        LogAnalyzerError: as `analyse`.
    """
    if STDIN in paths:
        raise SourceError(
            "-: a ticket cannot use standard input, because it reads the log twice",
            "save the log to a file first: `docker logs … > x.log 2>&1`",
        )
    found, masking = analyze_unmasked(paths, settings, progress)
    wanted, unsliced = slices.find_sections(found)
    shown = prepare_for_output(found, masking, settings)
    mask = masking.mask if settings.redact else str
    parts = slices.read_slices(_read_again(paths), wanted, mask)
    named = tuple(replace(part, section=replace(part.section, source=mask(part.section.source))) for part in parts)
    made = pack_ticket(shown, named, masking, settings, generated_at=generated_at, unsliced=unsliced)
    return MadeTicket(made, shown, masking.values)


def _read_again(paths: Sequence[str]) -> Iterator[Input]:
    """Reads the logs again. The analysis has already reported read errors."""
    for name in find_inputs(reader.split_arguments(paths)[0]):
        if isinstance(name, SourceError):
            continue
        with suppress(SourceError):
            yield from (given for given in open_input(name) if not isinstance(given, SourceError))
