"""Times of steps: which of the bar's figures are believed, and within what bounds."""

from __future__ import annotations

import logtext as log
import polars as pl
import pytest

DESC = "Sampling audio indices 0-81"


def steps(*refreshes: tuple[int, int, str], total: int = 4, behind: str = "\n" + log.EXECUTED) -> pl.DataFrame:
    """The steps of one bar that shows these (n, elapsed, rate)."""
    bar = log.refresh(DESC, 0, total, 0, "?it/s")
    bar += "".join(log.refresh(DESC, n, total, elapsed, rate) for n, elapsed, rate in refreshes)
    return log.analyze(log.ARRIVAL + log.MODE + log.header(81, 1, steps=total) + bar + behind).steps


def told(table: pl.DataFrame) -> list[tuple[int, float, str]]:
    rounded = pl.col("duration_s").round(2)
    return table.select("step", rounded, "method").rows()


@pytest.mark.parametrize(
    ("elapsed", "rate", "method", "seconds"),
    [
        (10, " 5.56s/it", "rate", 5.95),
        (10, " 5.71s/it", "elapsed", 5.0),
        (10, " 4.45s/it", "rate", 4.07),
        (10, " 4.35s/it", "elapsed", 5.0),
        (12, " 5.60s/it", "rate", 6.02),
        (13, " 5.56s/it", "elapsed", 8.0),
    ],
    ids=["0.95 s above", "1.2 s above", "0.9 s below", "1.1 s below", "the other side", "2 s below"],
)
def test_a_rate_that_the_whole_second_clock_contradicts_by_more_than_a_second_is_not_believed(
    elapsed: int, rate: str, method: str, seconds: float
) -> None:
    """After a first step of 5 s, rates of two steps: the second took 1.7 × rate - 3.5 s."""
    found = steps((1, 5, " 5.00s/it"), (2, elapsed, rate), total=8)
    assert told(found)[1] == (2, pytest.approx(seconds, abs=0.02), method)


def test_a_steps_bound_holds_the_rounding_of_the_rates() -> None:
    """Rates are rounded to 0.005 s; undone, that is (0.51 × 0.005 + 0.7 × 0.3 × 0.005) / 0.3."""
    found = steps((1, 5, " 5.00s/it"), (2, 10, " 5.00s/it"), total=8)
    assert found["uncertainty_s"].to_list() == pytest.approx([0.005, 0.012], abs=1e-4)
    assert found["duration_s"].to_list() == pytest.approx([5.0, 5.0])


def test_a_step_that_only_the_clock_tells_is_known_to_a_second_and_the_first_to_half_a_second() -> None:
    found = steps((1, 5, "?it/s"), (2, 11, "?it/s"), total=8)
    assert told(found) == [(1, 5.5, "elapsed"), (2, 6.0, "elapsed")]
    assert found["uncertainty_s"].to_list() == [0.5, 1.0]


def test_steps_told_together_share_their_time() -> None:
    found = steps((1, 5, " 5.00s/it"), (3, 17, "?it/s"), total=8)
    assert told(found) == [(1, 5.0, "rate"), (2, 6.0, "elapsed"), (3, 6.0, "elapsed")]
    assert found["uncertainty_s"].to_list()[1:] == [7.0, 7.0]


@pytest.mark.parametrize(("later", "method"), [(6.1, "timestamps"), (6.3, "elapsed")])
def test_stamps_of_lines_tell_a_step_where_the_bars_clock_agrees_within_a_tick(later: float, method: str) -> None:
    """The bar's clock says 5 s between the two refreshes."""
    lines = (log.ARRIVAL + log.MODE + log.header(81, 1, steps=8)).splitlines()
    bar = [log.refresh(DESC, 1, 8, 5, "?it/s").lstrip("\r"), log.refresh(DESC, 2, 8, 10, "?it/s").lstrip("\r")]
    moments = [0.0] * len(lines) + [10.0, 10.0 + later - 0.1]
    stamped = (
        f"2026-01-14T03:00:{moment:09.6f}Z {line}\n" for moment, line in zip(moments, [*lines, *bar], strict=True)
    )
    found = log.analyze("".join(stamped)).steps
    assert found["method"].to_list()[1] == method
    assert found["uncertainty_s"].to_list()[1] == 1.0


def test_where_only_the_closing_average_is_left_every_step_has_it_with_a_wide_bound() -> None:
    bar = log.refresh(DESC, 4, 4, 22, " 5.50s/it")
    found = log.analyze(log.ARRIVAL + log.MODE + log.header(81, 1) + bar + "\n" + log.memory() + log.EXECUTED).steps
    assert found["method"].to_list() == ["average"] * 4
    assert found["duration_s"].to_list() == [5.5] * 4
    assert found["uncertainty_s"].to_list() == pytest.approx([16.52] * 4, abs=0.01)


def test_steps_behind_the_last_one_seen_have_no_time_of_their_own_in_the_closing_average() -> None:
    found = steps((1, 5, " 5.00s/it"), (2, 10, " 5.00s/it"), (4, 30, " 7.50s/it"))
    assert found["step"].to_list() == [1, 2, 3, 4]
    assert found["duration_s"].to_list()[:2] == pytest.approx([5.0, 5.0])
    assert found["method"].to_list()[:2] == ["rate", "rate"]


def test_a_bar_drawn_twice_at_its_end_has_each_step_once() -> None:
    found = log.analyze(log.prompt(81)).steps
    assert told(found) == [(k, 5.0, "rate") for k in (1, 2, 3, 4)]
    assert found["uncertainty_s"].max() < 0.03


def test_a_refresh_out_of_order_tells_no_step_twice() -> None:
    found = steps((1, 5, " 5.00s/it"), (3, 15, " 5.00s/it"), (2, 10, " 5.00s/it"), (4, 20, " 5.00s/it"), total=8)
    assert found["step"].to_list() == [1, 2, 3, 4]


@pytest.mark.parametrize(("rate", "method"), [("10.00it/s", "rate"), (" 8.00it/s", "elapsed")])
def test_a_gap_between_steps_slower_than_nine_a_second_is_a_lost_refresh(rate: str, method: str) -> None:
    """tqdm leaves refreshes out of faster bars, and its rate then tells the time of several steps."""
    found = steps((1, 0, rate), (3, 0, rate), total=100)
    assert found["method"].to_list()[1:] == [method, method]
