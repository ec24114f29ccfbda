"""With a history: these runs among the earlier ones, the change marked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import logtext as log
import polars as pl
import pytest
from click.testing import CliRunner

from loganalyzer.cli.group import main
from loganalyzer.report.figures import trend
from loganalyzer.report.formats import reader
from loganalyzer.report.page.trends import build_trends
from loganalyzer.tables import concat
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.schema import TRENDS


def series(
    values: list[float],
    *,
    change: int | None = None,
    band: tuple[float | None, float | None] = (None, None),
) -> pl.DataFrame:
    begin = datetime(2026, 1, 1)
    rows = [
        (
            1, "s_per_step", "time per step", "s", "infinitetalk, Q6_K", "regressed", "5 % slower.", f"R{place}",
            begin + timedelta(days=place), value, place == len(values) - 1, place == change, *band,
        )
        for place, value in enumerate(values)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=TRENDS, orient="row")


def test_a_series_is_a_row_with_its_verdict_and_the_levels_before_and_after_the_change() -> None:
    found = build_trends(series([5.0, 5.0, 5.1, 6.0, 6.1], change=3))
    assert found
    cells = [cell.text for cell in found.table.rows[0]]
    assert cells == ["time per step", "infinitetalk, Q6_K", "regressed", "5", "5.00 s", "6.05 s", "R3"]
    assert found.table.rows[0][2].kind == "error"
    assert found.table.rows[0][6].note == "2026-01-04 00:00"


def test_the_drawing_marks_the_change_and_says_why() -> None:
    drawn = trend.draw(series([5.0, 5.0, 5.1, 6.0], change=3).to_dicts(), "trend-1")
    assert drawn
    assert ">change<" in drawn.svg
    assert drawn.caption == "4 runs; dark dots are from this report. 5 % slower."
    assert ">change<" not in (trend.draw(series([5.0, 5.0, 5.1]).to_dicts(), "x") or drawn).svg


@pytest.mark.parametrize(("unit", "label"), [("s", "5 s"), ("GiB", "5 GiB"), ("frames", "5")])
def test_a_unit_that_does_not_fit_beside_the_axis_is_left_to_the_title(unit: str, label: str) -> None:
    rows = series([4.0, 5.0, 6.0]).with_columns(pl.lit(unit).alias("unit")).to_dicts()
    drawn = trend.draw(rows, "trend-1")
    assert drawn
    assert f">{label}<" in drawn.svg


def test_the_normal_range_is_a_band_behind_the_dots() -> None:
    drawn = trend.draw(series([5.0, 5.0, 5.1, 6.0], band=(4.9, 5.1)).to_dicts(), "trend-1")
    bare = trend.draw(series([5.0, 5.0, 5.1, 6.0]).to_dicts(), "trend-1")
    assert drawn
    assert bare
    assert "ok-soft" not in bare.svg
    (band,) = re.findall(r'<path fill="[^"]*ok-soft[^"]*" d="([^"]*)"', drawn.svg)
    corners = [float(height) for height in re.findall(r"[ML][0-9.]+ ([0-9.]+)", band)]
    (of_5_s,) = (float(y) for y in re.findall(r'y="([0-9.]+)">5 s<', drawn.svg))
    assert min(corners) < of_5_s < max(corners)
    assert "Shaded: the normal range of one night." in drawn.caption
    assert "Shaded" not in bare.caption


@pytest.mark.parametrize("values", [[5.0, 5.01, 5.02], [100.0, 100.5, 101.0], [-5.0, -5.01, -5.02]])
def test_the_axis_spans_the_data_and_does_not_begin_at_0(values: list[float]) -> None:
    drawn = trend.draw(series(values).to_dicts(), "x")
    assert drawn
    labels = [float(text) for text in re.findall(r">(-?[0-9.]+) s<", drawn.svg)]
    assert len(labels) >= 2
    extent = max(values) - min(values)
    assert all(min(values) - extent <= label <= max(values) + extent for label in labels)
    low, high = trend._axis_limits(values)
    assert 0 < min(values) - low < extent
    assert 0 < high - max(values) < extent


@pytest.mark.parametrize("band", [(None, 5.0), (5.0, None), (float("nan"), 5.0), (5.0, 5.0), (6.0, 5.0)])
def test_a_range_that_is_none_has_no_band(band: tuple[float | None, float | None]) -> None:
    drawn = trend.draw(series([5.0, 5.1, 5.2], band=band).to_dicts(), "x")
    assert drawn
    assert "Shaded" not in drawn.caption


@pytest.mark.parametrize("values", [[], [5.0], [5.0, 5.1]])
def test_too_few_runs_are_not_drawn(values: list[float]) -> None:
    assert trend.draw(series(values).to_dicts(), "x") is None


@pytest.mark.parametrize("values", [[0.0, 0.0, 0.0], [-1.0, -2.0, -3.0], [1e300, 1.0, 2.0]])
def test_odd_figures_are_drawn_all_the_same(values: list[float]) -> None:
    drawn = trend.draw(series(values).to_dicts(), "x")
    assert drawn
    assert "nan" not in drawn.svg


def test_series_of_several_documents_stay_apart() -> None:
    parts = [("a", Analysis(trends=series([5.0, 6.0]))), ("b", Analysis(trends=series([7.0, 8.0])))]
    assert concat.concat_analyses(parts).trends["series"].to_list() == [1, 1, 2, 2]


def test_without_a_history_there_is_no_section(three_runs: Analysis, rendered: Callable[..., str]) -> None:
    assert 'id="trends"' not in rendered(three_runs)


def test_the_command_puts_tonight_among_the_runs_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    history = "sqlite:///h.db"
    for night in range(6):
        Path(f"{night}_Q6_K.log").write_text(log.BANNER + log.prompt(369) + f"night {night}\n")
        words = [f"{night}_Q6_K.log", "--history", history, "--at", f"2026-01-0{night + 1}", "--json", "x.json", "-q"]
        assert CliRunner().invoke(main, words).exit_code == 0
    told = json.loads(Path("x.json").read_text())["trends"]
    steps = [row for row in told if row["metric"] == "s_per_step"]
    assert [row["tonight"] for row in steps] == [False] * 5 + [True]
    page = Path("loganalyze-report.html").read_text()
    assert 'id="trends"' in page
    assert "Time per step" in page
    assert reader.read_analysis("loganalyze-report.html").trends.height == len(told)
