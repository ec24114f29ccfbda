"""The stages in their order: the only place that names them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from loganalyzer.checks.registry import WHOLE, Extent, run_all
from loganalyzer.common.errors import SourceError
from loganalyzer.common.formatting import one_line
from loganalyzer.engine.collector import Tables
from loganalyzer.engine.interface import Engine
from loganalyzer.engine.isolation import is_fault, isolate
from loganalyzer.engine.local import Local
from loganalyzer.engine.read import Progress, tabulate
from loganalyzer.expectations import baselines
from loganalyzer.redact import masking
from loganalyzer.redact.text_limits import presentable
from loganalyzer.report.formats import reader
from loganalyzer.runs.given_audio import with_audio
from loganalyzer.runs.quantization import with_declared
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import Input, find
from loganalyzer.tables import completeness, concat, schema
from loganalyzer.tables.analysis import Analysis

if TYPE_CHECKING:
    from loganalyzer.history.past import Past
    from loganalyzer.workflow.requested import Asked


def analyse(
    paths: Iterable[str],
    settings: Settings | None = None,
    progress: Progress | None = None,
    engine: Engine | None = None,
    past: Past | None = None,
) -> Analysis:
    """Everything there is to say about these inputs: files, folders, patterns, `-`, and what the tool wrote before.

    JSON documents and HTML reports are read back as they are, their findings unchecked. An input that cannot be read
    becomes one entry of `problems`; the others keep their results. `engine` says where logs are read; in this process
    by default. `past` holds the figures of earlier runs, for the rules on history.

    Raises:
        LogAnalyzerError: a pattern, schedule, baselines or workflow file is refused, or the engine is out of reach.
    """
    settings = settings or Settings()
    plain, masks = unmasked(paths, settings, progress, engine, past)
    return presentable(plain, masks, settings)


def unmasked(
    paths: Iterable[str],
    settings: Settings,
    progress: Progress | None = None,
    engine: Engine | None = None,
    past: Past | None = None,
) -> tuple[Analysis, masking.Masker]:
    """What `analyse` gives before anything is masked, and what would mask it.

    Raises:
        LogAnalyzerError: as `analyse`.
    """
    logs, recorded = reader.parted(paths)
    parts: list[tuple[str, Analysis]] = []
    secrets: list[str] = []
    if logs or not recorded:
        found, own = _of_logs(find(logs), settings, progress, engine or Local(), past)
        parts.append(("", found))
        secrets += own
    for name in recorded:
        parts.append((name, _read_back(name, settings)))
        secrets += parts[-1][1].sources["digest"].drop_nulls().to_list()
    return concat.joined(parts) if recorded else parts[0][1], masking.masker(secrets)


def _of_logs(
    names: Iterable[str | SourceError],
    settings: Settings,
    progress: Progress | None,
    engine: Engine,
    past: Past | None,
) -> tuple[Analysis, tuple[str, ...]]:
    """What these inputs say, nothing masked, and what would mask it; an input on which the tool fails is left out."""
    every = list(names)

    def work(chosen: Sequence[str | SourceError]) -> tuple[Analysis, tuple[str, ...]]:
        read = engine.tables(chosen, settings, progress)
        return checked(read, settings, past), read.secrets

    try:
        return work(every)
    except BaseException as error:
        if not is_fault(error):
            raise
        rest = isolate(every, work, error)
    found, secrets = work(rest.names)
    return with_faults(found, rest.faults), secrets


def with_faults(found: Analysis, faults: tuple[str, ...]) -> Analysis:
    """`found` with the messages about inputs on which the tool itself failed."""
    return replace(found, problems=(*found.problems, *faults), faults=found.faults + len(faults))


def _read_back(name: str, settings: Settings) -> Analysis:
    """A document's tables, with a note that says where they come from."""
    try:
        document = reader.load(name)
    except SourceError as error:
        return Analysis(problems=(str(error),))
    found = _chosen(document.analysis, settings)
    note = f"{one_line(name)}: read back as {document.written}; its findings were not checked again"
    return replace(found, notes=(*found.notes, note))


def _chosen(found: Analysis, settings: Settings) -> Analysis:
    """Without the findings of rules that are not asked for."""
    asked = ~pl.col("rule").is_in(settings.ignore)
    if settings.select:
        asked &= pl.col("rule").is_in(settings.select)
    asked = asked.fill_null(value=True)
    counted = None if found.counted is None else found.counted.chosen(asked)
    return replace(
        found,
        findings=found.findings.filter(asked),
        not_checked=found.not_checked.filter(asked),
        counted=counted,
    )


def analyse_sources(inputs: Iterable[Input], settings: Settings | None = None) -> Analysis:
    """The same for inputs already opened."""
    settings = settings or Settings()
    return judged(tabulate(inputs, settings), settings)


def judged(found: Tables, settings: Settings, past: Past | None = None) -> Analysis:
    """Tables of logs held against what was to be expected; masked."""
    whole = checked(found, settings, past)
    return presentable(whole, masking.masker(found.secrets), settings)


def checked(found: Tables, settings: Settings, past: Past | None = None, extent: Extent = WHOLE) -> Analysis:
    """Tables of logs, or a part of them, held against what was to be expected; nothing is masked."""
    shelf = baselines.load(settings.baselines)
    frames = dict(found.frames)
    frames["memory"] = schema.conform(frames["memory"], "memory")
    asked = _asked(settings)
    told = with_audio(with_declared(frames["runs"], shelf, settings, asked), frames["windows"], settings, asked)
    frames["runs"] = _with_bands(told, shelf)
    whole = Analysis(**frames, problems=found.problems, notes=found.notes, counted=None, faults=0)
    analysis = _with_verdicts(run_all(whole, shelf, settings, past, asked, extent))
    series = schema.empty("trends") if past is None else _trends(past, analysis, settings)
    cited = pl.concat([schema.conform(analysis.excerpts, "excerpts"), _cited(found, analysis.findings)])
    return replace(analysis, excerpts=cited, trends=series)


def _with_verdicts(found: Analysis) -> Analysis:
    runs = completeness.with_completeness(found.runs, found.not_checked)
    return replace(found, runs=completeness.with_verdicts(runs, found.findings))


def _asked(settings: Settings) -> Asked | None:
    """What the workflow of these runs asks for, where one is named; only then are its readers worth their import."""
    if settings.workflow is None:
        return None
    from loganalyzer.workflow import reading

    return reading.load(settings.workflow).first.asked


def _trends(past: Past, analysis: Analysis, settings: Settings) -> pl.DataFrame:
    from loganalyzer.history.trends import trends  # numpy takes a third of a small log's time to load

    return trends(past, analysis, settings.gpu)


def _with_bands(runs: pl.DataFrame, shelf: baselines.Shelf) -> pl.DataFrame:
    """`runs` with the band of its baseline, so that a report can be drawn again without the baselines file."""
    held = shelf.with_vram(runs.drop("band_low_gib", "band_high_gib"))
    return schema.conform(held.rename({"vram_low": "band_low_gib", "vram_high": "band_high_gib"}), "runs")


def _cited(found: Tables, findings: pl.DataFrame) -> pl.DataFrame:
    """The log lines that findings name."""
    return pl.concat([schema.empty("excerpts"), *(lines.cited(findings) for lines in found.lines)])
