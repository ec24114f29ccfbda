"""Judges logs of any size volume by volume; writes and drops each volume before the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import polars as pl

from loganalyzer.checks.expected import Expected
from loganalyzer.checks.growth import latest_peaks, select_comparable
from loganalyzer.checks.ignoring import Ignoring
from loganalyzer.checks.judge import judge
from loganalyzer.checks.plugin_rules import describe_failures
from loganalyzer.checks.registry import Scope, by_severity, plugin_problems, run_all
from loganalyzer.common.severity import SEVERE
from loganalyzer.engine.collector import Volumes
from loganalyzer.redact import masking
from loganalyzer.redact.text_limits import prepare_for_output
from loganalyzer.settings.model import Settings
from loganalyzer.tables import schema
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.concat import concat_parts
from loganalyzer.tables.totals import Totals, count_totals
from loganalyzer.tables.worst_runs import MAX_RUNS, select_worst_runs

Add = Callable[[Analysis], None]
"""A function that takes the rows of a volume."""

_PLACE = ("source", "line")


def judge_volumes(found: Volumes, expected: Expected, ignoring: Ignoring, settings: Settings, add: Add) -> Analysis:
    """Judges every volume and passes its rows to `add`. A short log is a single volume.

    Returns everything if there is one volume. Otherwise returns the worst runs, with the totals of all volumes.
    """
    masker = masking.create_masker(found.secrets if found.single is None else found.single.secrets)

    def finish_part(part: Analysis) -> Analysis:
        """Returns a part masked and without ignored findings."""
        return ignoring.apply(prepare_for_output(part, masker, settings))

    if found.single is not None:
        result = ignoring.finish(finish_part(judge(found.single, expected, settings)), settings)
        add(result)
        return result
    worst, across = Analysis(), _AcrossVolumes()
    before: pl.DataFrame | None = None
    near: pl.DataFrame | None = None
    for volume in found.parts:
        near = volume.frames["near_misses"] if near is None else near
        part = judge(volume, expected, settings, Scope("run", before, near))
        before = latest_peaks(before, part.runs)
        across.add(part)
        part = replace(finish_part(part), masked=schema.empty("masked"))
        across.touched.append(_runs_with_problems(part.findings))
        add(across.without_shown(part))
        worst = select_worst_runs(_concat_findings(worst, part), MAX_RUNS)
    last = across.judge(expected, settings)
    cited = across.not_cited(found.lines.select_cited(last.findings))
    last = finish_part(replace(last, excerpts=cited, problems=found.problems, notes=found.notes))
    last = replace(last, counted=across.count(last))
    result = ignoring.finish(select_worst_runs(_concat_findings(worst, last), MAX_RUNS), settings)
    failures = describe_failures(result.totals.not_checked, plugin_problems)
    totals = replace(result.totals, runless=across.runless(found.sources))
    result = replace(result, counted=totals, notes=(*result.notes, *failures))
    add(replace(last, findings=_add_configuration_findings(last, worst, result)))
    return result


def _concat_findings(one: Analysis, other: Analysis) -> Analysis:
    both = concat_parts([one, other])
    return replace(both, findings=by_severity(both.findings))


def _add_configuration_findings(last: Analysis, worst: Analysis, result: Analysis) -> pl.DataFrame:
    """Returns the findings of the last part, and those on the configuration, which only the result has."""
    known = pl.concat([worst.findings, last.findings])
    added = result.findings.join(known, on="rule", how="anti", maintain_order="left")
    return pl.concat([last.findings, added])


@dataclass(eq=False)
class _AcrossVolumes:
    """Collects what rules that compare runs need from all volumes: a few columns of a few runs.

    Attributes:
        runs, memory: the runs that these rules compare, and their memory reports.
        cited: places of the excerpts that findings of a volume cite.
        touched: runs with an error or a warning that is not ignored.
        shared: excerpts that findings without a run cite.
        inputs: names of the inputs that contain a run.
    """

    runs: list[pl.DataFrame] = field(default_factory=list)
    memory: list[pl.DataFrame] = field(default_factory=list)
    cited: list[pl.DataFrame] = field(default_factory=list)
    touched: list[pl.Series] = field(default_factory=list)
    shared: list[pl.DataFrame] = field(default_factory=list)
    inputs: set[str] = field(default_factory=set)

    def add(self, part: Analysis) -> None:
        """Adds a volume, which must not be masked yet."""
        runs, memory = select_comparable(part)
        self.runs.append(runs)
        self.inputs |= set(part.runs["source"].unique())
        self.memory.append(memory)
        reports = memory.join(runs.select("run_id", "source"), on="run_id").select("source", "line")
        lines = pl.concat([reports, runs.select("source", "line")])
        self.cited.append(part.excerpts.select(_PLACE).join(lines, on=_PLACE, how="semi").unique())

    def without_shown(self, part: Analysis) -> Analysis:
        """Returns a finished volume without excerpts of findings without a run that an earlier volume has."""
        before = pl.concat([part.excerpts.clear(), *self.shared])
        places = part.findings.filter(pl.col("run_id").is_null()).select(_PLACE)
        self.shared.append(part.excerpts.join(places, on=_PLACE, how="semi"))
        own = part.excerpts.join(before, on=part.excerpts.columns, how="anti", nulls_equal=True, maintain_order="left")
        return replace(part, excerpts=own)

    def runless(self, sources: pl.DataFrame) -> int:
        """Counts the inputs without a run."""
        return sources.filter(~pl.col("source").is_in(list(self.inputs))).height

    def not_cited(self, excerpts: pl.DataFrame) -> pl.DataFrame:
        """Returns the excerpts that no finding of a volume cites."""
        return excerpts.join(pl.concat(self.cited), on=_PLACE, how="anti", maintain_order="left")

    def judge(self, expected: Expected, settings: Settings) -> Analysis:
        """Runs the rules that compare runs; returns their findings and rows of `not_checked`."""
        found = Analysis(runs=pl.concat(self.runs), memory=pl.concat(self.memory))
        judged = run_all(found, expected, settings, Scope("runs"))
        return Analysis(findings=judged.findings, not_checked=judged.not_checked)

    def count(self, last: Analysis) -> Totals:
        """Returns the totals of the last part, without counting again a run that already has an error or a warning."""
        totals = count_totals(last.sources, last.runs, last.findings, last.not_checked)
        others = _runs_with_problems(last.findings)
        known = pl.concat(self.touched).to_frame()
        return replace(totals, touched=others.to_frame().join(known, on="run_id", how="anti").height)


def _runs_with_problems(findings: pl.DataFrame) -> pl.Series:
    """Returns ids of the runs that have an error or a warning."""
    return findings.filter(pl.col("severity").is_in(SEVERE))["run_id"].drop_nulls().unique()
