"""Runs the stages in order: inputs, tables, expectations, findings, masks, output formats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import polars as pl

from loganalyzer.checks import expected
from loganalyzer.checks.expected import Expected
from loganalyzer.checks.ignoring import Ignoring
from loganalyzer.checks.judge import judge
from loganalyzer.checks.selectors import with_ids
from loganalyzer.checks.volumes import judge_volumes
from loganalyzer.common.errors import SourceError
from loganalyzer.common.formatting import one_line
from loganalyzer.engine.collector import Tables
from loganalyzer.engine.isolation import is_fault, isolate
from loganalyzer.engine.local import open_inputs
from loganalyzer.engine.read import Progress, tabulate, tabulate_volumes
from loganalyzer.redact import masking
from loganalyzer.redact.text_limits import prepare_for_output
from loganalyzer.report.formats import reader
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import Input, find_inputs
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.concat import concat_analyses
from loganalyzer.tables.spool import ROOM, Spool

if TYPE_CHECKING:
    from loganalyzer.engine.interface import Engine
    from loganalyzer.history.past import Past
    from loganalyzer.settings.ignores import Ignore


class RowWriter(Protocol):
    """Takes the rows of all tables, volume by volume."""

    def add(self, part: Analysis) -> None:
        """Takes the rows of one volume. A short log is a single volume."""


def analyze(
    paths: Iterable[str],
    settings: Settings | None = None,
    progress: Progress | None = None,
    engine: Engine | None = None,
    past: Past | None = None,
) -> Analysis:
    """Analyzes files, folders, patterns, URLs, `-`, and documents that the tool wrote before.

    JSON documents and HTML reports are read back as they are; their findings are not checked again. An input that
    cannot be read becomes one entry of `problems`; other inputs are still processed. `engine` says where logs are
    read: in this process by default. `past` has the figures of earlier runs for the rules on history.

    Raises:
        LogAnalyzerError: a pattern, schedule, baselines or workflow file is invalid, or the engine cannot be reached.
    """
    settings = with_ids(settings or Settings())
    found, masker = analyze_unmasked(paths, settings, progress, engine, past)
    return prepare_for_output(found, masker, settings)


def analyze_volumes(
    paths: Iterable[str],
    settings: Settings,
    ignores: Iterable[Ignore],
    rows: RowWriter | None = None,
    progress: Progress | None = None,
    room: int = ROOM,
) -> Analysis:
    """Analyzes logs of any size in bounded memory, and leaves out ignored findings.

    If the tables of all logs need more than `room` bytes, the result has the worst runs and the totals of all.
    `rows` receives every row: each input's rows in their order, findings volume by volume.

    Raises:
        LogAnalyzerError: as `analyze`; or the disk is full.
    """
    ignoring, settings = Ignoring(ignores), with_ids(settings)
    logs, documents = reader.split_arguments(paths)
    if documents:
        return _finish_single(analyze([*logs, *documents], settings, progress), ignoring, settings, rows)
    names = list(find_inputs(logs))
    known = expected.load(settings)

    def work(chosen: Sequence[str | SourceError], rows: RowWriter | None = None) -> Analysis:
        with Spool(room) as spool:
            found = tabulate_volumes(open_inputs(chosen), settings, spool, progress=progress)
            return judge_volumes(found, known, ignoring, settings, rows.add if rows else _drop_rows)

    watched = _RecordingWriter(rows)
    try:
        return work(names, watched)
    except BaseException as error:
        if watched.has_rows or not is_fault(error):
            raise
        rest = isolate(names, work, error)
    ignoring.reset()
    return add_faults(work(rest.names, rows), rest.faults)


def _finish_single(found: Analysis, ignoring: Ignoring, settings: Settings, rows: RowWriter | None) -> Analysis:
    """An analysis that is a single volume, without ignored findings."""
    result = ignoring.finish(ignoring.apply(found), settings)
    if rows is not None:
        rows.add(result)
    return result


class _RecordingWriter:
    """Passes rows on and remembers that it did: rows that were written cannot be taken back."""

    def __init__(self, rows: RowWriter | None) -> None:
        self._rows = rows
        self.has_rows = False

    def add(self, part: Analysis) -> None:
        """Takes the rows of one volume."""
        self.has_rows = True
        if self._rows is not None:
            self._rows.add(part)


def _drop_rows(_part: Analysis) -> None:
    """Drops the rows of a volume."""


def analyze_unmasked(
    paths: Iterable[str],
    settings: Settings,
    progress: Progress | None = None,
    engine: Engine | None = None,
    past: Past | None = None,
) -> tuple[Analysis, masking.Masker]:
    """What `analyze` returns before secrets are masked, and the masker.

    Raises:
        LogAnalyzerError: as `analyze`.
    """
    logs, documents = reader.split_arguments(paths)
    parts: list[tuple[str, Analysis]] = []
    secrets: list[str] = []
    if logs or not documents:
        found, own = _analyze_logs(list(find_inputs(logs)), settings, progress, engine, expected.load(settings, past))
        parts.append(("", found))
        secrets += own
    for name in documents:
        parts.append((name, _read_back(name, settings)))
        secrets += parts[-1][1].sources["digest"].drop_nulls().to_list()
    return concat_analyses(parts) if documents else parts[0][1], masking.create_masker(secrets)


def _analyze_logs(
    names: list[str | SourceError],
    settings: Settings,
    progress: Progress | None,
    engine: Engine | None,
    known: Expected,
) -> tuple[Analysis, tuple[str, ...]]:
    """Judged tables of these logs and the secrets for the masks. An input on which the tool itself fails is skipped."""

    def work(chosen: Sequence[str | SourceError]) -> tuple[Analysis, tuple[str, ...]]:
        found = (
            tabulate(open_inputs(chosen), settings, progress=progress)
            if engine is None
            else engine.tables(chosen, settings, progress)
        )
        return judge(found, known, settings), found.secrets

    try:
        return work(names)
    except BaseException as error:
        if not is_fault(error):
            raise
        rest = isolate(names, work, error)
    found, secrets = work(rest.names)
    return add_faults(found, rest.faults), secrets


def add_faults(found: Analysis, faults: tuple[str, ...]) -> Analysis:
    """`found` with the messages about inputs on which the tool itself failed."""
    return replace(found, problems=(*found.problems, *faults), faults=found.faults + len(faults))


def _read_back(name: str, settings: Settings) -> Analysis:
    """The tables of a document, with a note that says where they come from."""
    try:
        document = reader.load_document(name)
    except SourceError as error:
        return Analysis(problems=(str(error),))
    found = _select_findings(document.analysis, settings)
    note = f"{one_line(name)}: read back as {document.written}; its findings were not checked again"
    return replace(found, notes=(*found.notes, note))


def _select_findings(found: Analysis, settings: Settings) -> Analysis:
    """Only the findings of the selected rules."""
    is_selected = ~pl.col("rule").is_in(settings.ignore)
    if settings.select:
        is_selected &= pl.col("rule").is_in(settings.select)
    is_selected = is_selected.fill_null(value=True)
    counted = None if found.counted is None else found.counted.select_rules(is_selected)
    return replace(
        found,
        findings=found.findings.filter(is_selected),
        not_checked=found.not_checked.filter(is_selected),
        counted=counted,
    )


def analyze_inputs(inputs: Iterable[Input], settings: Settings | None = None) -> Analysis:
    """Analyzes inputs that are already open."""
    settings = with_ids(settings or Settings())
    return judge_tables(tabulate(inputs, settings), settings)


def judge_tables(found: Tables, settings: Settings, past: Past | None = None) -> Analysis:
    """Tables of logs compared with what is expected; secrets are masked."""
    return prepare_for_output(
        judge(found, expected.load(settings, past), settings), masking.create_masker(found.secrets), settings
    )
