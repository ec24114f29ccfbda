"""What the newest nights are held against: the figures of the verdict, each at its bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loganalyzer.regression.control import MIN_NIGHTS, Floors
from loganalyzer.regression.jump import judge_nights, pool_nights

FLAT = [20.0] * 30
CALM = [*np.tile([19.9, 20.0, 20.1, 20.0], 10).tolist()]


def test_without_any_number_four_nights_are_missing() -> None:
    found = judge_nights([None])
    assert (found.word, found.missing, found.back, found.runs) == ("unknown", MIN_NIGHTS + 1, 0, 1.0)
    assert math.isnan(found.tonight)
    assert (found.normal, found.since, found.spell, found.rule, found.ended) == (None, None, None, None, None)
    assert (found.percent, found.scatters) == (None, 0.0)


@pytest.mark.parametrize(("nights", "missing", "word"), [(1, 3, "unknown"), (3, 1, "unknown"), (4, 0, "normal")])
def test_the_missing_nights_count_down_to_the_first_verdict(nights: int, missing: int, word: str) -> None:
    found = judge_nights([20.0] * nights)
    assert (found.missing, found.word) == (missing, word)
    assert (found.normal is None) == (word == "unknown")


def test_the_normal_range_reaches_three_scatters_to_both_sides() -> None:
    normal = judge_nights([*CALM, 20.0]).normal
    assert normal
    assert (normal.level, normal.nights) == (20.0, 40)
    assert normal.high - normal.level == pytest.approx(normal.level - normal.low)
    assert normal.high - normal.level == pytest.approx(3 * normal.scatter, rel=0.1)
    assert normal.high - normal.level >= 3 * normal.scatter


def test_the_normal_range_is_never_narrower_than_the_metrics_floor() -> None:
    normal = judge_nights([*CALM, 20.0], floors=Floors(5.0)).normal
    assert normal
    assert (normal.low, normal.high) == (15.0, 25.0)


def test_of_a_metric_where_higher_is_better_the_level_keeps_its_sign() -> None:
    normal = judge_nights([*CALM, 20.0], higher_is_better=True).normal
    assert normal
    assert normal.low < normal.level == 20.0 < normal.high


def test_a_spell_has_its_first_run_its_nights_and_its_median() -> None:
    found = judge_nights([*FLAT, 40.0, 42.0, 44.0])
    assert (found.word, found.since, found.spell, found.tonight) == ("worse", 30, (3, 42.0), 44.0)
    assert found.percent == pytest.approx(120.0)


def test_the_first_run_of_a_spell_is_its_place_among_all_runs_and_not_among_nights() -> None:
    nights = [f"night {number // 2}" for number in range(64)]
    found = judge_nights([*FLAT, *FLAT, 40.0, 40.0, 40.0, 40.0], nights)
    assert (found.since, found.spell, found.runs) == (60, (2, 40.0), 2.0)


def test_outside_a_spell_there_is_none() -> None:
    found = judge_nights([*FLAT, 20.1])
    assert (found.word, found.since, found.spell, found.ended, found.back) == ("normal", None, None, None, 0)


@pytest.mark.parametrize("after", [1, 2, 5])
def test_a_spell_that_is_over_has_its_first_run_and_the_first_normal_one(after: int) -> None:
    found = judge_nights([*FLAT, 40.0, 40.0, 40.0, *[20.0] * after])
    assert (found.word, found.ended, found.back) == ("normal", (30, 33), after)
    assert (found.since, found.spell) == (None, None)


def test_a_better_spell_has_its_figures_too() -> None:
    found = judge_nights([*FLAT, 10.0, 10.0])
    assert (found.word, found.since, found.spell) == ("better", 30, (2, 10.0))
    assert found.rule
    assert found.rule[1] > 0
    assert found.rule[2] > 0


def test_the_rule_comes_with_the_limits_that_the_nights_exceed() -> None:
    found = judge_nights([*FLAT, 40.0])
    assert found.rule
    rule, each, middle = found.rule
    assert rule.nights == 1
    assert each == middle == pytest.approx(2.6)  # 13 % of 20
    assert judge_nights([*FLAT, 20.0]).rule is None


@pytest.mark.parametrize("tonight", [21.0, 19.0])
def test_tonights_distance_is_counted_in_scatters_on_either_side(tonight: float) -> None:
    found = judge_nights([*CALM, tonight])
    assert found.normal
    assert found.scatters == pytest.approx(1.0 / found.normal.scatter)


@pytest.mark.parametrize(("count", "nights"), [(1, 5), (2, 2)])
def test_runs_are_pooled_from_two_nights_on(count: int, nights: int) -> None:
    assert len(pool_nights(np.full(5, 5.0), [f"night {number % count}" for number in range(5)])) == nights


@pytest.mark.parametrize(("runs", "nights"), [(12, 2), (13, 14)])
def test_more_than_twelve_runs_at_one_time_count_alone(runs: int, nights: int) -> None:
    found = pool_nights(np.full(runs + 1, 5.0), ["import"] * runs + ["tonight"])
    assert len(found) == nights
    assert found[0].runs == (12 if runs == 12 else 1)


def test_runs_without_a_number_are_in_no_night() -> None:
    found = pool_nights(np.array([math.nan, 5.0, math.inf, 7.0]), ["a", "a", "b", "b"])
    assert [(night.value, night.runs, night.first) for night in found] == [(5.0, 1, 1), (7.0, 1, 3)]
