"""The permutation scan."""

from __future__ import annotations

import numpy as np
import pytest
from noises import series, stepped

from loganalyzer.regression.scan import PERMUTATIONS, RESOLUTION, permutation_p, permuted_orders, scan
from loganalyzer.regression.series import Numbers


@pytest.mark.parametrize(("count", "block"), [(8, 1), (8, 4), (9, 4), (60, 4), (61, 4), (70, 4), (3, 4)])
def test_every_arrangement_holds_each_run_once(count: int, block: int) -> None:
    orders = permuted_orders(count, block)
    assert orders.shape == (PERMUTATIONS, count)
    assert (np.sort(orders, axis=1) == np.arange(count)).all()


def test_runs_of_a_block_stay_neighbours_in_their_order() -> None:
    neighbours = np.diff(permuted_orders(60, 4), axis=1) == 1
    assert neighbours.sum(axis=1).min() >= 60 - 16


def test_blocks_begin_anywhere() -> None:
    orders = permuted_orders(60, 4)
    follows = np.array([(np.diff(orders, axis=1) == 1)[orders[:, :-1] == place].mean() for place in range(20, 24)])
    assert follows == pytest.approx(0.77, abs=0.05)


def test_equal_arguments_give_equal_arrangements() -> None:
    assert (permuted_orders(100, 4) == permuted_orders(100, 4)).all()
    assert permuted_orders(60, 4)[0].tolist() != permuted_orders(60, 1)[0].tolist()


@pytest.mark.parametrize("at", [10, 30, 45, 50])
def test_a_step_is_found_where_it_is(at: int) -> None:
    step = scan(stepped("gaussian 1 %", 0, at), 4, 4)
    assert step is not None
    assert step.best == step.up
    assert abs(step.up.index - at) <= 1
    assert step.up.p < 0.02 < step.down.p


def test_turning_a_series_over_turns_the_step_over() -> None:
    values = series("gaussian 2 %", 3)
    usual, over = scan(values, 1, 3), scan(-values, 1, 3)
    assert usual is not None
    assert over is not None
    assert (usual.up.index, usual.up.p) == (over.down.index, over.down.p)
    assert (usual.down.index, usual.down.p) == (over.up.index, over.up.p)
    assert usual.best.rise != over.best.rise


@pytest.mark.parametrize(
    "values",
    [
        np.full(20, 7.3),
        np.full(20, 0.0),
        np.full(20, 0.1) * 3 + np.arange(20) % 2 * 1e-16,
        np.arange(7.0),
        np.array([]),
    ],
    ids=["constant", "zero", "constant but for rounding", "shorter than two margins", "empty"],
)
def test_where_there_is_nothing_to_split_there_is_no_step(values: Numbers) -> None:
    assert scan(values, 4, 4) is None


def test_p_values_of_quiet_series_are_spread_evenly() -> None:
    found = [scan(series("gaussian 2 %", seed), 1, 3) for seed in range(200)]
    p = np.array([step.up.p for step in found if step]) / 2
    assert [round(float((p <= limit).mean()), 1) for limit in (0.1, 0.3)] == pytest.approx([0.1, 0.3], abs=0.11)


def test_equal_statistics_count_as_reached_whatever_the_rounding() -> None:
    assert permutation_p(0.3, np.full(999, 0.1 + 0.2)) == 1.0
    assert permutation_p(1.0, np.zeros(1999)) * 2 == RESOLUTION
