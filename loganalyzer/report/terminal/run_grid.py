"""Formats one row per run: verdict, main cause, and as many figures as fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from loganalyzer.checks.causes import main_causes
from loganalyzer.common.formatting import duration, plural, printable
from loganalyzer.expectations.names import TRUE_PEAKS
from loganalyzer.report import words
from loganalyzer.report.facts import Places
from loganalyzer.report.terminal.layout import Block, Column, Grid, Line, Words
from loganalyzer.tables import worst_runs
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.completeness import select_deciding
from loganalyzer.tables.frames import group_agg

MOST_RUNS: Final = 30
_STYLES: Final = {"pass": "green", "warn": "yellow", "fail": "bold red"}
_COLUMNS: Final = (
    Column("run", left=True, cut="middle", least=22),
    Column("verdict", left=True),
    Column("main cause", left=True, cut="end", least=34),
    Column("windows", rank=1),
    Column("s/step", rank=2),
    Column("peak GiB", rank=3),
    Column("total", rank=4),
    Column("frames", rank=5),
    Column("mode", left=True, rank=6),
)
"""The ranks define which columns a narrow terminal drops first: the mode, then the frames, …"""
_USUAL_PRODUCER: Final = "wrapper"
"""The usual producer. If another program sampled, the mode column names it and ranks higher."""
_RANKS: Final = {"fail": 0, "warn": 1}
_VERDICTS: Final = {"error": "fail", "warning": "warn"}
_INCOMPLETE: Final = "not fully checked"
_FAILED_LATER: Final = "the prompt failed after sampling"


def run_grid(analysis: Analysis, places: Places) -> Iterator[Block]:
    """Yields the grid of runs in order; of many runs, those with problems."""
    runs = _runs_to_show(analysis.runs)
    medians = _medians(analysis.steps, runs)
    main = {run: rest for run, *rest in main_causes(analysis.findings).rows()}
    lacking = set(select_deciding(analysis.not_checked)["run_id"])
    failed = set(analysis.prompts.filter(pl.col("status") == "failed")["prompt_id"])
    several = set(analysis.runs.filter(pl.col("source").is_duplicated())["source"])
    rows = tuple(
        [
            (places(run["source"], run["line"] if run["source"] in several else None, run["stream"]), ""),
            *_verdict_cells(
                run, main.get(run["run_id"]), is_lacking=run["run_id"] in lacking, is_lost=run["prompt_id"] in failed
            ),
            *_figure_cells(run, medians.get(run["run_id"])),
        ]
        for run in runs.iter_rows(named=True)
    )
    is_usual = runs.select((pl.col("producer").fill_null(_USUAL_PRODUCER) == _USUAL_PRODUCER).all()).item()
    yield Grid(_COLUMNS if is_usual else (*_COLUMNS[:-1], _COLUMNS[-1]._replace(rank=1)), rows)
    left_out = analysis.totals.runs - runs.height
    if left_out > 0:
        yield left_out_line(f"{plural(left_out, 'more run')}: {elsewhere(analysis.totals.runs)}")


def left_out_line(what: str) -> Line:
    """Returns a line that says there is more."""
    return Line(((f"… and {what}", "dim"),), indent=2)


def elsewhere(runs: int) -> str:
    """Returns where to find the runs that are not shown."""
    if runs <= worst_runs.MAX_RUNS:
        return "see the report"
    return f"the report has the {worst_runs.MAX_RUNS} most severe, --json and --tables have all"


def _runs_to_show(runs: pl.DataFrame) -> pl.DataFrame:
    """Returns the runs to show, in order; of many, first those that failed, then those with warnings."""
    if runs.height <= MOST_RUNS:
        return runs
    rank = pl.col("verdict").replace_strict(_RANKS, default=len(_RANKS), return_dtype=pl.Int64)
    kept = runs.with_row_index("place").sort(rank, "place").head(MOST_RUNS)
    return kept.sort("place").drop("place")


def _medians(steps: pl.DataFrame, runs: pl.DataFrame) -> dict[str, float]:
    """Returns the median step time (s) of each of these runs."""
    own = pl.col("run_id").is_in(runs["run_id"].implode())
    single = steps.filter(own & (pl.col("method") != "average"))
    return dict(group_agg(single, ["run_id"], pl.col("duration_s").median()).rows())


def _verdict_cells(run: dict[str, Any], cause: list[Any] | None, *, is_lacking: bool, is_lost: bool) -> Iterator[Words]:
    """Yields the cells for verdict and main cause. The prompt of a passing run may have failed after sampling."""
    verdict = run["verdict"] if run["verdict"] in _STYLES else words.DASH
    severity, text, others = cause or ["info", "", 0]
    if severity not in ("error", "warning"):
        yield verdict, "yellow" if is_lacking and verdict == "pass" else _STYLES.get(verdict, "")
        yield (_FAILED_LATER, "bold red") if is_lost else (_INCOMPLETE, "yellow") if is_lacking else ("", "")
        return
    if verdict not in _RANKS:  # findings from comparing runs do not change the run's own verdict
        verdict = _VERDICTS[severity]
    more = f" (+{others} more)" if others else ""
    yield verdict, _STYLES.get(verdict, "")
    yield printable(f"{text}{more}"), ""


def _figure_cells(run: dict[str, Any], median: float | None) -> Iterator[Words]:
    seen, expected = run["observed_windows"], run["expected_windows"]
    yield words.DASH if expected is None and seen is None else f"{_or_dash(seen)}/{_or_dash(expected)}", ""
    yield "–" if median is None else f"{median:.2f}", ""
    yield _peak_cell(run), ""
    yield duration(run["total_s"]), ""
    yield _or_dash(run["audio_frames"]), ""
    yield printable(words.mode(run["mode"] or "unknown", run["producer"])), ""


def _peak_cell(run: dict[str, Any]) -> str:
    if run["peak_allocated_gib"] is None:
        return words.DASH
    peak = f"{run['peak_allocated_gib']:.2f}"
    if run["peak_covers"] in (None, *TRUE_PEAKS):
        return peak
    return f"{peak} ({'decode' if run['peak_covers'] == 'last-decode' else 'residue'})"


def _or_dash(value: object) -> str:
    return words.DASH if value is None else str(value)
