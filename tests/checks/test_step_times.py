"""What steps usually took, in whatever order they come."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from loganalyzer.checks import step_times
from loganalyzer.checks.registry import Context
from loganalyzer.checks.timing import slowdown_trend
from loganalyzer.expectations import baselines
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.schema import STEPS, conform

SHELF = baselines.load_baselines()
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["f-R2", "f-R10", "f-R7"]),
        st.sampled_from([1, 2, 3, None]),
        st.integers(1, 4),
        st.sampled_from([5.0, 5.5, 9.25, None]),
        st.just(0.01),
        st.sampled_from(["rate", "timestamps", "average"]),
        st.integers(1, 50),
    ),
    max_size=30,
)


def of(steps: pl.DataFrame) -> Context:
    return Context(Analysis(steps=steps), SHELF, Settings())


def all_windows(context: Context) -> pl.DataFrame:
    return step_times.by_window(context, step_times.by_run(context)["run"])


def known(steps: pl.DataFrame) -> pl.DataFrame:
    """Steps of known duration, but each run's first."""
    first = (pl.col("window") == 1) & (pl.col("step") == 1)
    measured = pl.col("method").is_in(["rate", "timestamps"]) & pl.col("duration_s").is_not_null()
    return steps.filter(measured & ~first.fill_null(value=False))


@given(ROWS)
def test_a_windows_median_is_that_of_all_its_steps_wherever_they_stand(rows: list[tuple[object, ...]]) -> None:
    steps = pl.DataFrame(rows, schema=STEPS, orient="row")
    wanted = known(steps).group_by("run_id", "window", maintain_order=True).agg(
        pl.col("duration_s").median().alias("median"), pl.col("line").first()
    )  # fmt: skip
    found = all_windows(of(steps)).select(wanted.columns)
    assert_frame_equal(found, wanted, check_row_order=False)


@given(ROWS)
def test_a_runs_median_is_that_of_all_its_steps_and_found_by_its_number(rows: list[tuple[object, ...]]) -> None:
    steps = pl.DataFrame(rows, schema=STEPS, orient="row")
    context = of(steps)
    wanted = known(steps).group_by("run_id").agg(pl.col("duration_s").median().alias("median"), pl.len().alias("count"))
    runs = step_times.by_run(context)
    found = step_times.medians(context, runs["run"]).join(runs.select("run", "run_id"), on="run")
    assert_frame_equal(found.select(wanted.columns), wanted, check_row_order=False)
    own = runs["run_id"].gather(step_times.measured(context)["run"])
    assert own.to_list() == step_times.measured(context)["run_id"].to_list()


@given(ROWS)
def test_of_a_run_the_shortest_and_longest_step_and_the_number_of_windows_are_known(
    rows: list[tuple[object, ...]],
) -> None:
    steps = pl.DataFrame(rows, schema=STEPS, orient="row")
    wanted = known(steps).group_by("run_id").agg(
        pl.col("duration_s").min().alias("least"),
        pl.col("duration_s").max().alias("most"),
        pl.col("window").n_unique().alias("windows"),
        pl.len().alias("count"),
    )  # fmt: skip
    found = step_times.by_run(of(steps)).select(wanted.columns)
    assert_frame_equal(found, wanted, check_row_order=False)


@given(ROWS, st.sets(st.integers(0, 2)))
def test_windows_are_those_of_the_runs_asked_for(rows: list[tuple[object, ...]], asked: set[int]) -> None:
    context = of(pl.DataFrame(rows, schema=STEPS, orient="row"))
    runs = step_times.by_run(context)["run"]
    wanted = runs.filter(runs.is_in(list(asked)))
    found = step_times.by_window(context, wanted)
    every = all_windows(context)
    assert_frame_equal(found, every.filter(pl.col("run").is_in(wanted.implode())))


@given(ROWS)
def test_the_windows_of_a_run_stand_together_and_in_their_order(rows: list[tuple[object, ...]]) -> None:
    found = all_windows(of(pl.DataFrame(rows, schema=STEPS, orient="row")))
    runs = found["run_id"].rle().struct.field("value")
    assert runs.n_unique() == runs.len()
    windows = found.select(pl.col("window").fill_null(0).diff().over("run_id").min()).item()
    assert windows is None or windows > 0


def test_steps_without_a_duration_do_not_slow_down() -> None:
    steps = [
        ("f-R2", window, step, 0.0, 0.0, "rate", 10 * window + step) for window in range(1, 7) for step in (1, 2, 3)
    ]
    runs = conform(pl.DataFrame({"run_id": ["f-R2"], "source": ["a.log"], "line": [2]}), "runs")
    found = Analysis(steps=pl.DataFrame(steps, schema=STEPS, orient="row"), runs=runs)
    assert slowdown_trend(Context(found, SHELF, Settings())).findings.is_empty()
