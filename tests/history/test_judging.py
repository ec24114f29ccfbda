"""Tonight against the past: what is regressed, suspected, the same, or not to be told yet."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import logtext as log
import nights
import polars as pl
import pytest

from loganalyzer.checks.expected import Expected
from loganalyzer.checks.registry import run_all
from loganalyzer.expectations import baselines
from loganalyzer.history.past import Past
from loganalyzer.history.series import MOST_RUNS, judge_series
from loganalyzer.history.store import Store
from loganalyzer.tables.analysis import Analysis


def tonight(tmp_path: Path, before: list[float], *found: Analysis) -> Analysis:
    """The last of `found` held against a past of `before` and the others."""
    url = f"sqlite:///{tmp_path / 'h.db'}"
    nights.fill(url, before)
    moment = nights.FIRST + timedelta(days=len(before))
    with Store.at(url) as store:
        for one in found[:-1]:
            store.add(one, added_at=moment)
        past = Past(store.recorded(), moment)
    return run_all(found[-1], Expected(baselines.load_baselines(), past=past), nights.Q6)


def rows(found: Analysis, rule: str) -> pl.DataFrame:
    return found.findings.filter(pl.col("rule") == rule)


def test_a_lasting_step_of_5_percent_is_regressed_and_says_since_when(tmp_path: Path) -> None:
    steps = [*nights.noisy(40), *nights.noisy(11, 5.25, seed=1)]
    found = tonight(tmp_path, steps[:-1], nights.analysis(steps[-1], 50))
    row = rows(found, "REG001").filter(pl.col("message").str.starts_with("Time per step")).row(0, named=True)
    assert row["severity"] == "error"
    assert row["run_id"] == found.runs["run_id"].item()
    assert row["source"] == "night-050.log"
    assert "Worse by 5." in row["message"]
    assert "First affected run: " in row["message"]
    assert float(row["observed"].split()[0]) == pytest.approx(5.25, rel=0.01)
    assert float(row["expected"].split()[0]) == pytest.approx(5.0, rel=0.01)
    assert found.verdict == "fail"


@pytest.mark.parametrize("seed", range(5))
def test_a_noisy_week_is_no_regression(tmp_path: Path, seed: int) -> None:
    steps = nights.noisy(37, deviation=0.02, seed=seed)
    found = tonight(tmp_path, steps[:-1], nights.analysis(steps[-1], 36))
    assert rows(found, "REG001").is_empty()


def test_a_fresh_step_is_suspected_and_says_how_many_more_runs_will_tell(tmp_path: Path) -> None:
    steps = [*nights.noisy(40, deviation=0.02), *nights.noisy(4, 5.35, 0.02, seed=3)]
    found = tonight(tmp_path, steps[:-1], nights.analysis(steps[-1], 43))
    assert rows(found, "REG001").is_empty()
    row = rows(found, "REG003").row(0, named=True)
    assert row["severity"] == "warning"
    assert "If the change lasts, about " in row["message"]


def test_too_few_runs_are_not_checked_and_say_how_many_are_missing(tmp_path: Path) -> None:
    found = tonight(tmp_path, [5.0], nights.analysis(9.0, 2))
    assert rows(found, "REG001").is_empty()
    reasons = found.not_checked.filter(pl.col("rule") == "REG001")["reason"].to_list()
    assert any("time per step" in text and "Only 2 nights: 2 more needed" in text for text in reasons)


def test_a_run_that_tells_no_figure_is_not_checked(tmp_path: Path) -> None:
    found = tonight(tmp_path, [5.0], log.analyze(log.ARRIVAL + log.MODE + log.header(153, 3)))
    reasons = found.not_checked.filter(pl.col("rule") == "REG001")["reason"].to_list()
    assert reasons == ["the log has no metric to compare"]


def test_without_a_history_the_rule_says_that_it_was_not_checked() -> None:
    found = nights.analysis(5.0, 0)
    reasons = found.not_checked.filter(pl.col("rule") == "REG001")["reason"].to_list()
    assert reasons == ["no history is configured (--history URL)"]


def test_a_run_that_is_in_the_history_already_counts_once_at_its_own_place(tmp_path: Path) -> None:
    steps = [*nights.noisy(40), *nights.noisy(11, 5.25, seed=1)]
    again = nights.analysis(steps[10], 10)
    url = f"sqlite:///{tmp_path / 'h.db'}"
    nights.fill(url, steps)
    with Store.at(url) as store:
        past = Past(store.recorded(), nights.FIRST + timedelta(days=99))
    together = past.with_tonight(again, None).filter(pl.col("metric") == "s_per_step")
    assert together.height == len(steps)
    assert together["tonight"].to_list().index(True) == 10


def test_an_old_log_is_judged_by_what_came_before_it(tmp_path: Path) -> None:
    """It was fine in its day, though runs have become slower since."""
    steps = [*nights.noisy(40), *nights.noisy(15, 5.5, seed=1)]
    url = f"sqlite:///{tmp_path / 'h.db'}"
    nights.fill(url, steps)
    with Store.at(url) as store:
        past = Past(store.recorded(), nights.FIRST + timedelta(days=99))
    found = run_all(nights.analysis(steps[30], 30), Expected(baselines.load_baselines(), past=past), nights.Q6)
    assert rows(found, "REG001").is_empty()
    found = run_all(nights.analysis(steps[54], 54), Expected(baselines.load_baselines(), past=past), nights.Q6)
    assert not rows(found, "REG001").is_empty()


def test_other_kinds_of_runs_do_not_mix(tmp_path: Path) -> None:
    """A larger picture takes longer; that is no regression."""
    steps = nights.noisy(20)
    large = [
        log.analyze(nights.text(8.0, night).replace("1280x720", "1920x1080"), nights.Q6, f"{night}.log")
        for night in range(20, 25)
    ]
    found = tonight(tmp_path, steps, *large)
    assert rows(found, "REG001").is_empty()
    assert rows(found, "REG004").is_empty()


def test_a_peak_that_covers_something_else_since_an_update_is_no_saving(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'h.db'}"
    nights.fill(url, [5.0] * 40, [log.memory(15.0)] * 20 + [log.memory_2026(9.0)] * 20)
    with Store.at(url) as store:
        series = judge_series(store.recorded(), ("peak_allocated_gib",))
    assert [(one.basis, one.verdict.verdict) for one in series] == [("last-decode", "same"), ("stage", "same")]


def test_a_change_below_the_floor_of_its_unit_does_not_count(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'h.db'}"
    nights.fill(url, [5.0] * 40, [log.memory(4.0)] * 20 + [log.memory(4.1)] * 20)
    with Store.at(url) as store:
        (series,) = judge_series(store.recorded(), ("peak_allocated_gib",))
    assert series.verdict.verdict == "same"
    assert "less than 0.15 GiB" in series.verdict.reason


def test_only_the_latest_runs_are_judged_and_positions_stay_right(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'h.db'}"
    nights.fill(url, [*nights.noisy(30, 9.0), *nights.noisy(45), *nights.noisy(15, 5.25, seed=2)])
    with Store.at(url) as store:
        (series,) = judge_series(store.recorded(), ("s_per_step",))
    assert len(series.points) == 90
    assert series.first == 90 - MOST_RUNS
    change = series.verdict.change
    assert change is not None
    assert abs(series.points.index(series.at(change)) - 75) <= 2


def test_a_peak_that_rises_for_good_is_regressed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'h.db'}"
    nights.fill(url, [5.0] * 40, [log.memory(15.0)] * 28 + [log.memory(15.6)] * 12)
    with Store.at(url) as store:
        (series,) = judge_series(store.recorded(), ("peak_allocated_gib",))
    assert series.verdict.verdict == "regressed"
