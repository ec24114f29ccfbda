"""The first bad night is red, says what changed with it, and the first good one says that it is over."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import nights
import polars as pl
import pytest

from loganalyzer.checks.expected import Expected
from loganalyzer.checks.history import _MOST_DIFFERENCES, _RECOVERY_NIGHTS, describe_changes
from loganalyzer.checks.registry import run_all
from loganalyzer.expectations import baselines
from loganalyzer.history.past import Past
from loganalyzer.history.series import judge_series
from loganalyzer.history.store import Store
from loganalyzer.report.history import document
from loganalyzer.tables.analysis import Analysis

CALM = nights.noisy(20, deviation=0.006)


def tonight(tmp_path: Path, steps: list[float]) -> Analysis:
    """The last of the nights checked against those before it."""
    url = f"sqlite:///{tmp_path / 'h.db'}"
    nights.fill(url, steps[:-1])
    with Store.at(url) as store:
        past = Past(store.recorded(), nights.FIRST + timedelta(days=len(steps) - 1), runs=store.runs())
    return run_all(
        nights.analysis(steps[-1], len(steps) - 1), Expected(baselines.load_baselines(), past=past), nights.Q6
    )


def of_step_time(found: Analysis, rule: str) -> list[dict[str, object]]:
    chosen = (pl.col("rule") == rule) & pl.col("message").str.starts_with("Time per step")
    return found.findings.filter(chosen).to_dicts()


def test_a_doubled_time_is_red_on_the_first_night_and_says_how_far_outside(tmp_path: Path) -> None:
    found = tonight(tmp_path, [*CALM, 10.06])
    (row,) = of_step_time(found, "REG004")
    assert row["severity"] == "error"
    assert found.verdict == "fail"
    message = str(row["message"])
    for part in ("tonight 10.06 s", "normal 4.9", "above the range", "First affected run: ", "for 1 night", "in 1,000"):
        assert part in message
    assert "No setting or version in the logs changed at the same time." in message
    assert not of_step_time(found, "REG001")


def test_an_ordinary_night_has_no_finding_of_the_history(tmp_path: Path) -> None:
    found = tonight(tmp_path, [*CALM, 5.02])
    assert not [row for rule in ("REG001", "REG003", "REG004", "REG005") for row in of_step_time(found, rule)]


@pytest.mark.parametrize(("normal", "count"), [(1, 1), (_RECOVERY_NIGHTS, 1), (_RECOVERY_NIGHTS + 1, 0)])
def test_some_nights_long_it_is_said_that_a_figure_is_back_to_normal(tmp_path: Path, normal: int, count: int) -> None:
    found = tonight(tmp_path, [*CALM, 10.1, 10.0, 10.2, *[5.01] * normal])
    rows = of_step_time(found, "REG005")
    assert len(rows) == count
    assert all(row["severity"] == "info" and "back to normal since" in str(row["message"]) for row in rows)
    assert not of_step_time(found, "REG004")


def test_memory_of_a_flat_series_is_red_at_once_beyond_its_floor() -> None:
    recorded = flat_memory([20.0] * 10 + [20.4])
    (series,) = judge_series(recorded)
    assert series.verdict.verdict == "regressed"
    (calm,) = judge_series(flat_memory([20.0] * 10 + [20.1]))
    assert calm.verdict.verdict == "same"


def flat_memory(values: list[float]) -> pl.DataFrame:
    """Figures of one peak, one run a night."""
    from loganalyzer.history.past import RECORDED
    from loganalyzer.tables.metrics import METRICS

    metric = next(name for name, one in METRICS.items() if one.kind == "steady" and one.unit == "GiB")
    rows = [
        {
            "run_id": f"R{place}", "metric": metric, "value": value, "at": nights.FIRST + timedelta(days=place),
            "added_at": nights.FIRST + timedelta(days=place), "number": place,
        }
        for place, value in enumerate(values)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides=RECORDED).select(
        *(pl.col(name) if name in rows[0] else pl.lit(None, kind).alias(name) for name, kind in RECORDED.items())
    )


def test_the_document_of_a_trend_holds_the_normal_range_tonight_and_since_when(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'h.db'}"
    nights.fill(url, [*CALM, 10.06, 10.1])
    with Store.at(url) as store:
        found = judge_series(store.recorded(), ("s_per_step",))
    (series,) = json.loads(document.trend_document(found))["series"]
    limits = series["normal"]
    assert limits["low"] < min(CALM) < limits["median"] < max(CALM) < limits["high"] < 5.2
    assert limits["nights"] == len(CALM)
    assert series["tonight"] == pytest.approx(10.1)
    assert series["since"]["run_id"] == series["points"][len(CALM)]["run_id"]
    assert series["back_to_normal_since"] is None


def test_the_document_of_a_trend_says_since_when_it_is_back_to_normal(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'h.db'}"
    nights.fill(url, [*CALM, 10.06, 5.0])
    with Store.at(url) as store:
        found = judge_series(store.recorded(), ("s_per_step",))
    (series,) = json.loads(document.trend_document(found))["series"]
    assert series["since"] is None
    assert series["back_to_normal_since"]["run_id"] == series["points"][-1]["run_id"]


def test_too_few_nights_have_no_normal_range(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'h.db'}"
    nights.fill(url, [5.0, 5.0, 5.0])
    with Store.at(url) as store:
        found = judge_series(store.recorded(), ("s_per_step",))
    (series,) = json.loads(document.trend_document(found))["series"]
    assert (series["normal"], series["tonight"]) == (None, None)


def runs(**columns: list[object]) -> pl.DataFrame:
    count = len(next(iter(columns.values())))
    return pl.DataFrame({"run_id": [f"R{place}" for place in range(count)], **columns})


def test_what_describe_changes_it_is_a_value_that_no_run_before_had() -> None:
    table = runs(torch_version=["2.7", "2.8", "2.9"], comfyui_version=["0.3", "0.4", "0.3"])
    assert describe_changes(table, ["R0", "R1"], ["R2"]) == "torch_version 2.8 → 2.9"


def test_of_many_packs_only_those_are_named_that_changed() -> None:
    packs = [f"pack-{number:02}" for number in range(50)]
    table = runs(custom_nodes=[", ".join([*packs, "KJNodes 1.2"]), ", ".join([*packs, "KJNodes 1.3"])])
    assert describe_changes(table, ["R0"], ["R1"]) == "custom_nodes KJNodes 1.2 → KJNodes 1.3"


def test_a_pack_that_is_new_stands_against_none() -> None:
    table = runs(custom_nodes=["a, b", "a, b, c"])
    assert describe_changes(table, ["R0"], ["R1"]) == "custom_nodes none → c"


def test_a_pack_whose_version_became_known_is_no_change() -> None:
    table = runs(custom_nodes=["a, b", "a 1.0, b"])
    assert describe_changes(table, ["R0"], ["R1"]) == ""


def test_a_value_that_no_log_before_states_is_no_change() -> None:
    assert describe_changes(runs(torch_version=[None, None, "2.9"]), ["R0", "R1"], ["R2"]) == ""
    assert describe_changes(runs(torch_version=["2.8", "2.8", None]), ["R0", "R1"], ["R2"]) == ""


def test_runs_and_columns_that_are_not_there_are_left_out() -> None:
    assert describe_changes(runs(height=[480, 720]), ["R0", "R9"], ["R1"]) == ""


def test_hostile_values_are_one_short_line() -> None:
    phrase = describe_changes(runs(torch_version=["2.8", "x\n\x1b[31m" + "y" * 500]), ["R0"], ["R1"])
    assert "\n" not in phrase
    assert "\x1b" not in phrase
    assert len(phrase) < 120


@pytest.mark.parametrize(("count", "more"), [(_MOST_DIFFERENCES, False), (_MOST_DIFFERENCES + 1, True)])
def test_only_the_first_differences_are_named(monkeypatch: pytest.MonkeyPatch, count: int, more: bool) -> None:
    names = [f"fact_{number}" for number in range(count)]
    monkeypatch.setattr("loganalyzer.comparison.comparing.OTHER_COLUMNS", names)
    phrase = describe_changes(runs(**{name: ["a", "b"] for name in names}), ["R0"], ["R1"])
    assert (", and 1 more" in phrase) == more
    assert phrase.count("→") == _MOST_DIFFERENCES
