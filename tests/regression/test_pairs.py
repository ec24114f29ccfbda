"""What is said about two samples, lower being better unless said otherwise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from noises import series

from loganalyzer.regression.pairs import compare_samples
from loganalyzer.regression.ranks import difference_p, mean_ranks, smallest_p

MIRRORED = {"regressed": "improved", "improved": "regressed"}
SAMPLE = st.lists(st.none() | st.floats(-1e9, 1e9), max_size=12)
FIVE = [20.0, 20.1, 19.9, 20.2, 19.8]


def times(values: list[float], factor: float) -> list[float]:
    return [value * factor for value in values]


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        pytest.param([20.0], [20.3], "same", id="one against one, 1.5 %"),
        pytest.param([20.0], [21.6], "unknown", id="one against one, 8 %"),
        pytest.param([20.0], [22.5], "regressed", id="one against one, 12 %"),
        pytest.param([20.0], [17.5], "improved", id="one against one, 12 % better"),
        pytest.param(FIVE, [21.6], "unknown", id="one run against five, 8 %"),
        pytest.param(FIVE, [23.0], "unknown", id="one run against five, 15 %: few runs do not know their spikes"),
        pytest.param(FIVE, [23.3], "regressed", id="one run against five, 16.5 % and far beyond their scatter"),
        pytest.param([20.0, 24, 16, 22, 18], [27.0], "unknown", id="one run against five that scatter"),
        pytest.param([20.0, 20.1], [21.5, 21.6], "unknown", id="two against two, 8 %"),
        pytest.param([20.0, 20.1], [23.0, 23.1], "regressed", id="two against two, 15 %"),
        pytest.param([20.0, 24.0], [23.0, 27.0], "unknown", id="two against two that overlap"),
        pytest.param([20.0, 20.1, 19.9], [21.0, 21.1, 20.9], "unknown", id="three against three, 5 %"),
        pytest.param([20.0, 20.1, 19.9], [21.6, 21.7, 21.5], "regressed", id="three against three, 8 %"),
        pytest.param([20.0, 20.1, 19.9], [20.5, 20.6, 20.4], "unknown", id="three against three, 2.5 %"),
        pytest.param(FIVE, times(FIVE, 1.05), "regressed", id="five against five, 5 %"),
        pytest.param(FIVE, times(FIVE, 0.95), "improved", id="five against five, 5 % better"),
        pytest.param(FIVE, times(FIVE, 1.01), "same", id="five against five, 1 %"),
        pytest.param([20.0, 22, 18, 24, 16], [21.0, 23, 19, 25, 17], "same", id="within the scatter"),
        pytest.param([15.3] * 10, [15.3] * 9 + [30], "same", id="a constant with a blip"),
        pytest.param([15.3] * 10, [16.8] * 9 + [15.3], "regressed", id="another constant with a blip"),
        pytest.param([0.0] * 5, [0.0] * 5, "same", id="zero throughout"),
        pytest.param([0.0] * 5, [12.0] * 5, "regressed", id="from zero"),
        pytest.param([12.0] * 5, [0.0] * 5, "improved", id="to zero"),
        pytest.param([0.0], [12.0], "regressed", id="from zero, one run each"),
        pytest.param(times(FIVE, -1), times(FIVE, -0.9), "regressed", id="negative and rising"),
        pytest.param([], FIVE, "unknown", id="no base"),
        pytest.param(FIVE, [None, math.nan], "unknown", id="no head"),
    ],
)
def test_the_verdict_on(base: list[float | None], head: list[float | None], expected: str) -> None:
    assert compare_samples(base, head).verdict == expected


def test_a_comparison_gives_medians_and_the_change_between_them() -> None:
    found = compare_samples([*FIVE, None], [*times(FIVE, 1.05), math.inf])
    assert (found.base, found.head, found.base_n, found.head_n, found.dropped) == (20.0, 21.0, 5, 5, 2)
    assert found.change_percent == pytest.approx(5)
    assert found.noise_percent == pytest.approx(0.74, abs=0.1)
    assert "left out" in found.reason


def test_one_run_against_one_says_why_it_is_cautious() -> None:
    assert compare_samples([20.0], [21.6]).reason == (
        "Medians differ by 8.0 %, 20 → 21.6. With one run each, only a difference of more than 10 %, without overlap, "
        "can be distinguished from noise. With five runs each, 2 % is enough."
    )


@pytest.mark.parametrize(("base", "head"), [([20.0], [23.0]), ([20.0], [17.0])])
def test_a_single_run_found_changed_says_that_it_is_one(base: list[float], head: list[float]) -> None:
    assert "A single run counts only beyond 10 %" in compare_samples(base, head).reason


def test_from_zero_there_is_no_percentage() -> None:
    found = compare_samples([0.0] * 5, [12.0] * 5)
    assert (found.change_percent, found.noise_percent) == (None, None)
    assert "from zero" in found.reason


@pytest.mark.parametrize(("factor", "expected"), [(1.05, "unknown"), (1.15, "regressed"), (1.0, "same")])
def test_many_steps_of_one_run_are_still_one_run(factor: float, expected: str) -> None:
    steps = list(series("gaussian 2 %", 0, 24))
    assert compare_samples(steps, times(steps, factor), runs=(1, 1)).verdict == expected


@pytest.mark.parametrize(
    ("base_n", "head_n", "enough"), [(5, 5, True), (4, 6, True), (3, 9, True), (4, 5, False), (3, 8, False)]
)
def test_so_many_runs_suffice_to_tell_chance(base_n: int, head_n: int, enough: bool) -> None:
    assert (smallest_p(base_n, head_n) <= 0.01) == enough


def test_samples_that_do_not_overlap_have_the_smallest_p() -> None:
    for base_n, head_n in ((1, 1), (2, 2), (3, 5), (5, 3), (6, 6)):
        p = difference_p(np.arange(base_n) * 1.0, 100 + np.arange(head_n) * 1.0)
        assert p == pytest.approx(smallest_p(base_n, head_n))


def test_large_samples_are_dealt_out_by_a_seed() -> None:
    base, head = series("gaussian 2 %", 0, 30), series("gaussian 2 %", 1, 30)
    assert difference_p(base, head) == difference_p(base, head) > 0.01
    assert difference_p(base, head + 5) == 1 / 2000


def test_equal_values_share_their_rank() -> None:
    assert mean_ranks(np.array([3.0, 1.0, 3.0, 7.0])).tolist() == [2.5, 1.0, 2.5, 4.0]


@pytest.mark.parametrize("size", [2, 3, 4, 5, 10])
def test_the_same_code_twice_is_hardly_ever_called_worse(size: int) -> None:
    noise = [series("gaussian 2 %", seed, 2 * size) for seed in range(200)]
    assert sum(compare_samples(values[:size], values[size:]).verdict == "regressed" for values in noise) <= 2


@given(SAMPLE, SAMPLE)
def test_exchanging_the_direction_swaps_regressed_and_improved(
    base: list[float | None], head: list[float | None]
) -> None:
    lower, higher = compare_samples(base, head), compare_samples(base, head, higher_is_better=True)
    assert higher.verdict == MIRRORED.get(lower.verdict, lower.verdict)


@given(SAMPLE, SAMPLE)
def test_the_order_of_the_runs_does_not_matter(base: list[float | None], head: list[float | None]) -> None:
    assert compare_samples(base, head) == compare_samples(base[::-1], head[::-1])


@given(SAMPLE)
def test_a_sample_is_the_same_as_itself(values: list[float | None]) -> None:
    assert compare_samples(values, values).verdict == (
        "same" if any(value is not None for value in values) else "unknown"
    )


@given(SAMPLE, SAMPLE, st.sampled_from([0.25, 2.0, 1024.0]))
def test_another_unit_gives_the_same_verdict(base: list[float | None], head: list[float | None], factor: float) -> None:
    scaled = ([None if value is None else value * factor for value in side] for side in (base, head))
    assert compare_samples(*scaled).verdict == compare_samples(base, head).verdict
