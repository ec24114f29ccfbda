"""What is measured of a run, and what a figure may be compared with."""

from __future__ import annotations

import logtext as log
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.metrics import KEY, MEASURED, METRICS, comparison_keys, measure


def figures(text: str, run: int = 0) -> dict[str, float]:
    found = log.analyze(text, Settings(quantization="Q6_K"))
    rows = measure(found).filter(pl.col("run_id") == found.runs["run_id"][run])
    return dict(rows.select("metric", "value").rows())


def basis(text: str, metric: str) -> list[str | None]:
    found = log.analyze(text, Settings(quantization="Q6_K"))
    return measure(found).filter(pl.col("metric") == metric)["basis"].to_list()


def test_every_metric_of_a_complete_run_is_told_with_its_unit() -> None:
    text = log.BANNER + log.prompt(369).replace("80.36", "130.00")
    assert figures(text) == pytest.approx(
        {
            "s_per_step": 5.0,
            "window_s": 22.0,
            "total_s_per_window": 22.0,
            "prompt_s": 130.0,
            "overhead_s": 20.0,
            "peak_allocated_gib": 15.0,
            "peak_reserved_gib": 16.0,
            "missing_frames": 0.0,
            "observed_windows": 5.0,
        }
    )
    rows = measure(log.analyze(text))
    assert rows.schema == MEASURED
    assert rows["metric"].to_list() == list(METRICS)
    assert rows.filter(pl.col("metric") == "s_per_step").row(0, named=True)["values"] == 19
    assert {name: METRICS[name].unit for name in METRICS} == dict(rows.select("metric", "unit").rows())


def test_the_first_step_of_a_run_is_left_out_of_its_step_time() -> None:
    slow_start = log.window(0, 81, steps=2, step_s=50.0)
    text = log.ARRIVAL + log.MODE + log.header(81, 1, steps=2) + slow_start + log.EXECUTED
    found = log.analyze(text)
    row = measure(found).filter(pl.col("metric") == "s_per_step").row(0, named=True)
    assert row["values"] == 1


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        (log.ARRIVAL + log.MODE + log.header(153, 3) + log.memory() + log.EXECUTED, {"s_per_step", "window_s"}),
        (log.prompt(report=""), {"peak_allocated_gib", "peak_reserved_gib"}),
        (log.prompt().replace(log.EXECUTED, ""), {"prompt_s", "overhead_s"}),
        (log.prompt().replace(log.EXECUTED, "!!! Exception during processing !!! boom\n" + log.EXECUTED),
         {"prompt_s", "overhead_s"}),
        (log.ARRIVAL + log.header(250, 4) + log.window(0, 81) + "!!! Exception during processing !!! boom\n"
         + log.EXECUTED, {"s_per_step", "window_s", "total_s_per_window", "prompt_s"}),
        (log.prompt(427), {"overhead_s"}),
    ],
    ids=["no bars", "no report", "cut off", "failed behind the run", "failed within", "prompt below its windows"],
)  # fmt: skip
def test_what_the_log_does_not_tell_is_absent_never_zero(text: str, absent: set[str]) -> None:
    assert not absent & figures(text).keys()


def test_a_step_time_from_averages_says_so_and_is_compared_only_with_its_like() -> None:
    closing = log.refresh("Sampling audio indices 0-81", 4, 4, 20, " 5.00s/it") + "\n"
    text = log.ARRIVAL + log.MODE + log.header(81, 1) + closing + log.memory() + log.EXECUTED
    found = log.analyze(text)
    rows = measure(found).filter(pl.col("metric") == "s_per_step")
    assert rows["estimated"].to_list() in ([True], [])
    assert rows["basis"].to_list() in (["averages of windows"], [])
    whole = measure(log.analyze(log.prompt())).filter(pl.col("metric") == "s_per_step").row(0, named=True)
    assert (whole["estimated"], whole["basis"]) == (False, None)


@pytest.mark.parametrize(
    ("metric", "texts", "expected"),
    [
        ("s_per_step", (log.prompt(153), log.prompt(369)), [[None], [None]]),
        ("peak_allocated_gib", (log.prompt(), log.prompt(report=log.memory_2026())), [["stage"], ["last-decode"]]),
        ("prompt_s", (log.prompt(153), log.prompt(369).replace(log.lora(), "")),
         [["2 windows, models loaded"], ["5 windows, models kept"]]),
        ("missing_frames", (log.prompt(153), log.prompt(427)), [["153 frames of audio"], ["427 frames of audio"]]),
    ],
)  # fmt: skip
def test_the_basis_says_what_a_figure_may_be_compared_with(
    metric: str, texts: tuple[str, ...], expected: list[list[str | None]]
) -> None:
    assert [basis(text, metric) for text in texts] == expected


def test_a_prompt_with_two_stages_counts_its_time_once() -> None:
    twice = log.ARRIVAL + log.lora() + log.run(153) + log.run(153) + "Prompt executed in 100.00 seconds\n"
    found = log.analyze(twice)
    assert found.runs.height == 2
    rows = measure(found).filter(pl.col("metric").is_in(["prompt_s", "overhead_s"]))
    assert rows["value"].to_list() == [100.0, 12.0]
    assert rows["basis"].unique().to_list() == ["4 windows, models loaded"]


def test_the_key_takes_the_card_from_the_settings_where_the_log_names_none() -> None:
    found = log.analyze(log.prompt())
    assert comparison_keys(found.runs, "RTX 5090")["gpu"].to_list() == ["RTX 5090"]
    assert comparison_keys(found.runs).columns == ["run_id", *KEY]
    banner = log.analyze(log.BANNER + log.prompt())
    assert comparison_keys(banner.runs, "RTX 4090")["gpu"].to_list() == ["NVIDIA GeForce RTX 5090"]


@given(st.lists(st.floats(0.5, 500), min_size=2, max_size=9))
def test_the_step_time_is_the_median_of_all_but_the_first(durations: list[float]) -> None:
    runs = pl.DataFrame({"run_id": ["a"], "prompt_id": ["p"], "status": ["completed"]})
    from loganalyzer.tables import schema

    steps = pl.DataFrame(
        {
            "run_id": "a",
            "window": 1,
            "step": range(1, len(durations) + 1),
            "duration_s": durations,
            "method": "rate",
        }
    )
    found = Analysis(runs=schema.conform(runs, "runs"), steps=schema.conform(steps, "steps"))
    row = measure(found).filter(pl.col("metric") == "s_per_step").row(0, named=True)
    assert row["value"] == pytest.approx(pl.Series(durations[1:]).median())


def test_no_runs_have_no_figures() -> None:
    assert measure(Analysis()).schema == MEASURED
    assert measure(Analysis()).is_empty()
