"""What counts as a measurement, and what as a spike."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loganalyzer.regression.series import change_percent, clean_series, is_large

NAN = math.nan
QUIET = [20.0, 20.2, 19.9, 20.1, 19.8, 20.0, 20.1, 19.9, 20.2, 20.0, 19.9, 20.1]


def with_value(value: float, *places: int) -> list[float]:
    return [value if place in places else usual for place, usual in enumerate(QUIET)]


@pytest.mark.parametrize(
    ("values", "kept", "dropped"),
    [
        ([], [], 0),
        ([None, NAN, math.inf, -math.inf], [], 4),
        ([1, None, 3], [0, 2], 1),
        ([1e308, -1e308, 3], [2], 2),
        ([NAN, 2.0, 3.0], [1, 2], 1),
    ],
)
def test_what_is_no_number_is_dropped_and_counted(values: list[float | None], kept: list[int], dropped: int) -> None:
    series = clean_series(values)
    assert series.positions.tolist() == kept
    assert (series.dropped, series.runs, series.given) == (dropped, len(kept), len(values))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(QUIET, (), id="noise holds none"),
        pytest.param(with_value(30, 5), (5,), id="a high run"),
        pytest.param(with_value(3, 0), (0,), id="a low run, the first"),
        pytest.param(with_value(30, 11), (11,), id="the last run: nothing says yet that it stays"),
        pytest.param(with_value(30, 9, 10, 11), (), id="three runs on a new level are no spike"),
        pytest.param([20.0] * 11 + [20.5], (11,), id="a blip of a constant"),
        pytest.param([20.0] * 12, (), id="a constant"),
        pytest.param([20.0, 22.0] * 6, (), id="two modes"),
        pytest.param([20.0, 20.1, 20.2, 19.5, 23.2, 23.3, 23.0, 22.9], (), id="noise beside a step in few runs"),
        pytest.param([1.0, 1.0, 1.0, 9.0, 1.0, 1.0], (), id="six runs are too few to tell"),
    ],
)
def test_spikes_are_lone_and_far_from_their_neighbours(values: list[float], expected: tuple[int, ...]) -> None:
    assert clean_series(values).spikes == expected


def test_many_odd_values_are_how_the_series_is() -> None:
    values = np.full(40, 20.0)
    values[::5] = 22
    assert clean_series(values).spikes == ()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (20, 21, 5.0),
        (20, 19, -5.0),
        (-20, -21, -5.0),
        (-20, -19, 5.0),
        (0, 0, 0.0),
        (0, 3, None),
        (5, 0, -100.0),
        (1e-320, 1e300, None),
    ],
)
def test_percentages_are_of_the_size_before_and_absent_from_zero(
    before: float, after: float, expected: float | None
) -> None:
    assert change_percent(before, after) == (expected if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(("percent", "large"), [(2.0, True), (-2.0, True), (1.99, False), (None, True), (0.0, False)])
def test_a_change_from_zero_reaches_every_floor(percent: float | None, large: bool) -> None:
    assert is_large(percent, 2.0) == large
