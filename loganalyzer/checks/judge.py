"""Judges the tables of logs: adds quantizations, baseline bands, findings, verdicts, trends and cited lines."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from loganalyzer.checks.expected import Expected
from loganalyzer.checks.plugin_rules import describe_failures
from loganalyzer.checks.registry import EVERYTHING, Scope, plugin_problems, run_all
from loganalyzer.engine.collector import Tables
from loganalyzer.expectations.baselines import Baselines
from loganalyzer.runs.given_audio import with_given_audio
from loganalyzer.runs.quantization import with_quantization
from loganalyzer.settings.model import Settings
from loganalyzer.tables import completeness, schema
from loganalyzer.tables.analysis import Analysis


def judge(found: Tables, expected: Expected, settings: Settings, scope: Scope = EVERYTHING) -> Analysis:
    """Compares tables (or one volume of them) with the expectations. Masks nothing."""
    frames = dict(found.frames)
    frames["memory"] = schema.conform(frames["memory"], "memory")
    runs = with_quantization(frames["runs"], expected.baselines, settings, expected.requested)
    runs = with_given_audio(runs, frames["windows"], settings, expected.requested)
    frames["runs"] = _add_bands(runs, expected.baselines)
    unchecked = Analysis(**frames, problems=found.problems, notes=found.notes, counted=None, faults=0)
    analysis = _add_verdicts(run_all(unchecked, expected, settings, scope))
    if scope is EVERYTHING:
        failures = describe_failures(analysis.not_checked, plugin_problems)
        analysis = replace(analysis, notes=(*analysis.notes, *failures))
    return replace(analysis, excerpts=_cited_lines(found, analysis), trends=_trends(analysis, expected, settings))


def _add_bands(runs: pl.DataFrame, known: Baselines) -> pl.DataFrame:
    """Returns `runs` with their baselines' bands: a report can then be drawn again without the baselines file."""
    banded = known.with_vram(runs.drop("band_low_gib", "band_high_gib"))
    return schema.conform(banded.rename({"vram_low": "band_low_gib", "vram_high": "band_high_gib"}), "runs")


def _add_verdicts(found: Analysis) -> Analysis:
    runs = completeness.with_completeness(found.runs, found.not_checked)
    return replace(found, runs=completeness.with_verdicts(runs, found.findings))


def _trends(analysis: Analysis, expected: Expected, settings: Settings) -> pl.DataFrame:
    if expected.past is None:
        return schema.empty("trends")
    from loganalyzer.history.trends import make_trends  # numpy takes a third of a small log's time to import

    return make_trends(expected.past, analysis, settings.gpu)


def _cited_lines(found: Tables, analysis: Analysis) -> pl.DataFrame:
    """Returns the log lines that findings cite."""
    own = schema.conform(analysis.excerpts, "excerpts")
    return pl.concat([own, *(lines.select_cited(analysis.findings) for lines in found.lines)])
