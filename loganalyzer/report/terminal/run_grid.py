"""One row for each run: its verdict, its main cause in words, and the figures that fit beside them."""

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
"""The ranks say what is left out first on a narrow terminal: the mode, then the frames, …"""
_USUAL: Final = "wrapper"
"""What samples usually: where something else does, the mode says so, and matters."""
_RANKS: Final = {"fail": 0, "warn": 1}
_VERDICTS: Final = {"error": "fail", "warning": "warn"}
_INCOMPLETE: Final = "not fully checked"
_LOST: Final = "the prompt failed after sampling"


def run_grid(analysis: Analysis, places: Places) -> Iterator[Block]:
    """The runs, in their order; of many those with problems."""
    runs = _shown(analysis.runs)
    medians = _medians(analysis.steps, runs)
    said = {run: rest for run, *rest in main_causes(analysis.findings).rows()}
    lacking = set(select_deciding(analysis.not_checked)["run_id"])
    failed = set(analysis.prompts.filter(pl.col("status") == "failed")["prompt_id"])
    several = set(analysis.runs.filter(pl.col("source").is_duplicated())["source"])
    rows = tuple(
        [
            (places(run["source"], run["line"] if run["source"] in several else None, run["stream"]), ""),
            *_judged(
                run, said.get(run["run_id"]), is_lacking=run["run_id"] in lacking, is_lost=run["prompt_id"] in failed
            ),
            *_figures(run, medians.get(run["run_id"])),
        ]
        for run in runs.iter_rows(named=True)
    )
    is_usual = runs.select((pl.col("producer").fill_null(_USUAL) == _USUAL).all()).item()
    yield Grid(_COLUMNS if is_usual else (*_COLUMNS[:-1], _COLUMNS[-1]._replace(rank=1)), rows)
    left_out = analysis.totals.runs - runs.height
    if left_out > 0:
        yield left_out_line(f"{plural(left_out, 'more run')}: {elsewhere(analysis.totals.runs)}")


def left_out_line(what: str) -> Line:
    """Says that there is more."""
    return Line(((f"… and {what}", "dim"),), indent=2)


def elsewhere(runs: int) -> str:
    """Where the other ones of so many runs are."""
    if runs <= worst_runs.MAX_RUNS:
        return "see the report"
    return f"the report has the {worst_runs.MAX_RUNS} most severe, --json and --tables have all"


def _shown(runs: pl.DataFrame) -> pl.DataFrame:
    """The runs that are shown: of many those that fail, then those with warnings, in their order."""
    if runs.height <= MOST_RUNS:
        return runs
    rank = pl.col("verdict").replace_strict(_RANKS, default=len(_RANKS), return_dtype=pl.Int64)
    kept = runs.with_row_index("place").sort(rank, "place").head(MOST_RUNS)
    return kept.sort("place").drop("place")


def _medians(steps: pl.DataFrame, runs: pl.DataFrame) -> dict[str, float]:
    """The median step of each of these runs."""
    own = pl.col("run_id").is_in(runs["run_id"].implode())
    single = steps.filter(own & (pl.col("method") != "average"))
    return dict(group_agg(single, ["run_id"], pl.col("duration_s").median()).rows())


def _judged(run: dict[str, Any], cause: list[Any] | None, *, is_lacking: bool, is_lost: bool) -> Iterator[Words]:
    """The verdict, and what it rests on; the prompt of a run that passes may have failed after sampling."""
    verdict = run["verdict"] if run["verdict"] in _STYLES else words.DASH
    severity, said, others = cause or ["info", "", 0]
    if severity not in ("error", "warning"):
        yield verdict, "yellow" if is_lacking and verdict == "pass" else _STYLES.get(verdict, "")
        yield (_LOST, "bold red") if is_lost else (_INCOMPLETE, "yellow") if is_lacking else ("", "")
        return
    if verdict not in _RANKS:  # of what shows only beside other runs, the run's own verdict says nothing
        verdict = _VERDICTS[severity]
    more = f" (+{others} more)" if others else ""
    yield verdict, _STYLES.get(verdict, "")
    yield printable(f"{said}{more}"), ""


def _figures(run: dict[str, Any], median: float | None) -> Iterator[Words]:
    seen, expected = run["observed_windows"], run["expected_windows"]
    yield words.DASH if expected is None and seen is None else f"{_dash(seen)}/{_dash(expected)}", ""
    yield "–" if median is None else f"{median:.2f}", ""
    yield _peak(run), ""
    yield duration(run["total_s"]), ""
    yield _dash(run["audio_frames"]), ""
    yield printable(words.mode(run["mode"] or "unknown", run["producer"])), ""


def _peak(run: dict[str, Any]) -> str:
    if run["peak_allocated_gib"] is None:
        return words.DASH
    peak = f"{run['peak_allocated_gib']:.2f}"
    if run["peak_covers"] in (None, *TRUE_PEAKS):
        return peak
    return f"{peak} ({'decode' if run['peak_covers'] == 'last-decode' else 'residue'})"


def _dash(value: object) -> str:
    return words.DASH if value is None else str(value)
