"""An analysis of inputs of any size in bounded memory: volume by volume, each finished and let go before the next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import polars as pl

from loganalyzer.checks.growth import concerned, latest
from loganalyzer.checks.ignoring import Ignoring
from loganalyzer.checks.registry import Extent, by_gravity, run_all
from loganalyzer.common.errors import SourceError
from loganalyzer.engine.collector import Volumes
from loganalyzer.engine.isolation import is_fault, isolate
from loganalyzer.engine.local import opened
from loganalyzer.engine.read import Progress, volumes
from loganalyzer.expectations import baselines
from loganalyzer.pipeline import analyse, checked, judged, with_faults
from loganalyzer.redact import masking
from loganalyzer.redact.text_limits import presentable
from loganalyzer.report.formats import reader
from loganalyzer.settings.ignores import Ignore
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import find
from loganalyzer.tables import schema
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.spool import ROOM, Spool
from loganalyzer.tables.totals import GRAVE, Totals, count, together
from loganalyzer.tables.worst_runs import MOST_RUNS, gravest

_PLACE = ("source", "line")


class Sink(Protocol):
    """Is given every row of every table: all at once, or part after part."""

    def whole(self, analysis: Analysis) -> None:
        """Everything."""

    def part(self, analysis: Analysis) -> None:
        """Some volume, of which there are several."""


def analyse_bounded(
    paths: Iterable[str],
    settings: Settings,
    ignores: Iterable[Ignore],
    sink: Sink | None = None,
    progress: Progress | None = None,
    room: int = ROOM,
) -> Analysis:
    """What `analyse` and then `without_ignored` say of these inputs, however large they are.

    Where the tables of all logs need more than `room` bytes, the analysis that is returned holds the gravest runs only,
    and the totals of all. A `sink` sees everything: each input's rows in their order, findings volume by volume.

    Raises:
        LogAnalyzerError: as `analyse`; or the disk has no room for what does not fit into memory.
    """
    ignoring = Ignoring(ignores)
    logs, recorded = reader.parted(paths)
    if recorded:
        return _whole(analyse([*logs, *recorded], settings, progress), ignoring, settings, sink)
    names = list(find(logs))

    def work(chosen: Sequence[str | SourceError], sink: Sink | None = None) -> Analysis:
        with Spool(room) as spool:
            found = volumes(opened(chosen), settings, spool, progress=progress)
            if found.whole is not None:
                return _whole(judged(found.whole, settings), ignoring, settings, sink)
            return _in_volumes(found, ignoring, settings, sink)

    filled = _Filled(sink)
    try:
        return work(names, filled)
    except BaseException as error:
        if filled.has_rows or not is_fault(error):
            raise
        rest = isolate(names, work, error)
    ignoring.forget()
    return with_faults(work(rest.names, sink), rest.faults)


class _Filled:
    """Hands everything on to a sink, and knows whether it did: rows that were written cannot be taken back."""

    def __init__(self, sink: Sink | None) -> None:
        self._sink = sink
        self.has_rows = False

    def whole(self, analysis: Analysis) -> None:
        """Everything."""
        self.has_rows = True
        if self._sink is not None:
            self._sink.whole(analysis)

    def part(self, analysis: Analysis) -> None:
        """Some volume."""
        self.has_rows = True
        if self._sink is not None:
            self._sink.part(analysis)


def _whole(found: Analysis, ignoring: Ignoring, settings: Settings, sink: Sink | None) -> Analysis:
    whole = ignoring.finished(ignoring.taken(found), settings)
    if sink is not None:
        sink.whole(whole)
    return whole


def _in_volumes(found: Volumes, ignoring: Ignoring, settings: Settings, sink: Sink | None) -> Analysis:
    masks = masking.masker(found.secrets)
    held, across = Analysis(), _Across()
    before: pl.DataFrame | None = None
    near: pl.DataFrame | None = None
    for volume in found.parts:
        near = volume.frames["near_misses"] if near is None else near
        part = checked(volume, settings, extent=Extent("run", before, near))
        before = latest(before, part.runs)
        across.add(part)
        part = replace(_finished(part, masks, ignoring, settings), masked=schema.empty("masked"))
        across.touched.append(_touched(part.findings))
        if sink is not None:
            sink.part(across.unsaid(part))
        held = gravest(_joined(held, part), MOST_RUNS)
    last = across.judged(settings)
    cited = across.not_yet(found.lines.cited(last.findings))
    last = replace(last, excerpts=cited, problems=found.problems, notes=found.notes)
    last = _finished(last, masks, ignoring, settings)
    last = replace(last, counted=across.counted(last))
    whole = ignoring.finished(gravest(_joined(held, last), MOST_RUNS), settings)
    whole = replace(whole, counted=replace(whole.totals, runless=across.runless(found.sources)))
    if sink is not None:
        sink.part(replace(last, findings=_added(last, held, whole)))
    return whole


def _finished(part: Analysis, masks: masking.Masker, ignoring: Ignoring, settings: Settings) -> Analysis:
    """A part masked, without what is ignored."""
    return ignoring.taken(presentable(part, masks, settings))


def _joined(one: Analysis, other: Analysis) -> Analysis:
    """Two parts of an analysis, which share no row; the totals are those of both."""
    frames = {name: pl.concat([frame, getattr(other, name)]) for name, frame in one.tables()}
    return Analysis(
        **frames | {"findings": by_gravity(frames["findings"])},
        problems=(*one.problems, *other.problems),
        notes=(*one.notes, *other.notes),
        counted=together([one.totals, other.totals]),
    )


def _added(last: Analysis, held: Analysis, whole: Analysis) -> pl.DataFrame:
    """The findings of the last part, with those that speak of the configuration, which come with the whole."""
    known = pl.concat([held.findings, last.findings])
    return pl.concat([last.findings, whole.findings.join(known, on="rule", how="anti", maintain_order="left")])


@dataclass(eq=False)
class _Across:
    """What the rules that hold runs against one another need of all volumes: little of few runs.

    `touched` are the runs of which an error or a warning is told that is not ignored, `shared` the excerpts that
    findings of no run cite, `inputs` the names of those that hold a run.
    """

    runs: list[pl.DataFrame] = field(default_factory=list)
    memory: list[pl.DataFrame] = field(default_factory=list)
    cited: list[pl.DataFrame] = field(default_factory=list)
    touched: list[pl.Series] = field(default_factory=list)
    shared: list[pl.DataFrame] = field(default_factory=list)
    inputs: set[str] = field(default_factory=set)

    def add(self, part: Analysis) -> None:
        """A part before it is masked."""
        runs, memory = concerned(part)
        self.runs.append(runs)
        self.inputs |= set(part.runs["source"].unique())
        self.memory.append(memory)
        reports = memory.join(runs.select("run_id", "source"), on="run_id").select("source", "line")
        lines = pl.concat([reports, runs.select("source", "line")])
        self.cited.append(part.excerpts.select(_PLACE).join(lines, on=_PLACE, how="semi").unique())

    def unsaid(self, part: Analysis) -> Analysis:
        """A finished part without the excerpts that findings of no run cite in an earlier one."""
        before = pl.concat([part.excerpts.clear(), *self.shared])
        places = part.findings.filter(pl.col("run_id").is_null()).select(_PLACE)
        self.shared.append(part.excerpts.join(places, on=_PLACE, how="semi"))
        own = part.excerpts.join(before, on=part.excerpts.columns, how="anti", nulls_equal=True, maintain_order="left")
        return replace(part, excerpts=own)

    def runless(self, sources: pl.DataFrame) -> int:
        """How many of the inputs hold no run."""
        return sources.filter(~pl.col("source").is_in(list(self.inputs))).height

    def not_yet(self, excerpts: pl.DataFrame) -> pl.DataFrame:
        """Those that no finding of a volume cites."""
        return excerpts.join(pl.concat(self.cited), on=_PLACE, how="anti", maintain_order="left")

    def judged(self, settings: Settings) -> Analysis:
        """Their findings, and what they could not check."""
        found = Analysis(runs=pl.concat(self.runs), memory=pl.concat(self.memory))
        said = run_all(found, baselines.load(settings.baselines), settings, extent=Extent("runs"))
        return Analysis(findings=said.findings, not_checked=said.not_checked)

    def counted(self, last: Analysis) -> Totals:
        """The totals of the last part: runs that an earlier one found fault with are not counted again."""
        totals = count(last.sources, last.runs, last.findings, last.not_checked)
        others = _touched(last.findings)
        known = pl.concat(self.touched).to_frame()
        return replace(totals, touched=others.to_frame().join(known, on="run_id", how="anti").height)


def _touched(findings: pl.DataFrame) -> pl.Series:
    """The runs that have an error or a warning."""
    return findings.filter(pl.col("severity").is_in(GRAVE))["run_id"].drop_nulls().unique()
