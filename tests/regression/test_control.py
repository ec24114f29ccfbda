"""The limits of process control, each just inside and just outside; worse is higher unless said otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loganalyzer.regression.changes import Change
from loganalyzer.regression.control import (
    ESTABLISHED_NIGHTS,
    MIN_SCATTER,
    MIN_SCATTER_SHORT,
    RULES,
    SPIKE_PERCENT,
    SPIKE_SCATTERS,
    STEADY_SHORT_FACTOR,
    TAIL_FACTOR,
    Floors,
    Reference,
    Rule,
    exceeds,
    limit,
    median_limit,
    pooled_share,
)
from loganalyzer.regression.jump import MOST_POOLED, judge_nights, pool_nights
from loganalyzer.regression.nightly import CERTAIN_P, CERTAIN_SCATTERS, combine
from loganalyzer.regression.nights import ADOPTED_BETTER, ADOPTED_WORSE, follow_nights
from loganalyzer.regression.verdicts import Verdict

FLAT = [20.0] * 30
MEMORY = Floors(0.15, steady=True)


def last(values: list[float], floors: Floors | None = None) -> str:
    return follow_nights(np.array(values), floors or Floors())[-1].word


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.nights} nights")
def test_a_row_counts_just_beyond_its_floor_and_not_just_within(rule: Rule) -> None:
    reference = Reference.of(np.array(FLAT), Floors())
    reach = rule.floor / 100 * 20
    assert limit(reference, rule, Floors()) == pytest.approx(reach)
    assert exceeds(reference, rule, np.full(rule.nights, 20 + reach * 1.001), Floors())
    assert not exceeds(reference, rule, np.full(rule.nights, 20 + reach * 0.999), Floors())


@pytest.mark.parametrize("rule", RULES[2:], ids=lambda rule: f"{rule.nights} nights")
def test_the_median_of_a_row_must_be_further_out_than_each_night(rule: Rule) -> None:
    reference = Reference.of(20 + 0.4 * np.tile([-1.0, 1, 1, -1, 0], 8), Floors())
    each, middle = limit(reference, rule, Floors()), median_limit(reference, rule, Floors())
    assert each < middle
    row = np.full(rule.nights, 20 + each * 1.001)
    assert not exceeds(reference, rule, row, Floors())
    row[: rule.nights // 2 + 1] = 20 + middle * 1.001
    assert exceeds(reference, rule, row, Floors())


@pytest.mark.parametrize(
    ("count", "least"), [(ESTABLISHED_NIGHTS - 1, MIN_SCATTER_SHORT), (ESTABLISHED_NIGHTS, MIN_SCATTER)]
)
def test_rows_assume_more_scatter_while_the_reference_is_short(count: int, least: float) -> None:
    reference = Reference.of(np.full(count, 20.0), Floors())
    long_row = replace(RULES[2], fresh=0.1, floor=0.1)
    expected = long_row.scatters * least / 100 * 20 * reference.widening
    assert limit(reference, long_row, Floors()) == pytest.approx(expected)


@pytest.mark.parametrize(("scatters", "has_outliers"), [(0.97 * SPIKE_SCATTERS, False), (1.05 * SPIKE_SCATTERS, True)])
def test_a_night_far_above_the_others_shows_that_the_series_has_spikes(scatters: float, has_outliers: bool) -> None:
    noisy = 20 + 0.4 * np.tile([-1.0, 1, 1, -1, 0], 60)  # many nights, so that the last hardly adds to the scatter
    scatter = Reference.of(noisy, Floors()).scatter
    assert Reference.of(np.array([*noisy, 20 + scatters * scatter]), Floors()).has_outliers == has_outliers


@pytest.mark.parametrize(("percent", "has_outliers"), [(SPIKE_PERCENT - 0.1, False), (SPIKE_PERCENT + 0.1, True)])
def test_a_calm_series_shows_spikes_from_4_percent_on(percent: float, has_outliers: bool) -> None:
    assert Reference.of(np.array([*FLAT, 20 * (1 + percent / 100)]), Floors()).has_outliers == has_outliers


@pytest.mark.parametrize(("after", "word"), [(7, "worse"), (8, "normal")])
def test_a_small_step_after_few_nights_is_normal_once_it_has_lasted_as_long_as_they_did(after: int, word: str) -> None:
    states = follow_nights(np.array([20.0] * 8 + [21.4] * after), Floors())
    assert [state.word for state in states[10:14]] == ["worse"] * 4
    assert states[-1].word == word


def test_correlated_nights_must_lie_further_out() -> None:
    waves = Reference.of(20 + 0.4 * np.sin(np.arange(40) / 2), Floors())
    shuffled = Reference.of(np.random.default_rng(1).permutation(waves.nights), Floors())
    assert waves.correlation > 0.5 > shuffled.correlation
    assert median_limit(waves, RULES[2], Floors()) > 1.3 * median_limit(shuffled, RULES[2], Floors())


@pytest.mark.parametrize(("nights", "word"), [(3, "unknown"), (4, "worse")])
def test_three_equal_nights_are_the_fewest_that_make_a_doubled_time_red(nights: int, word: str) -> None:
    assert last([5.0] * (nights - 1) + [10.0]) == word


@pytest.mark.parametrize(("count", "floor"), [(ESTABLISHED_NIGHTS - 1, 16.0), (ESTABLISHED_NIGHTS, 13.0)])
def test_one_night_needs_more_while_the_reference_is_short(count: int, floor: float) -> None:
    assert last([20.0] * count + [20 * (1 + floor / 100) + 0.01]) == "worse"
    assert last([20.0] * count + [20 * (1 + floor / 100) - 0.01]) == "normal"


def test_a_night_like_an_earlier_outlier_is_no_alarm_and_one_beyond_its_tail_is() -> None:
    spiky = [*FLAT[:15], 24.0, *FLAT[15:]]
    assert last([*spiky, 24.0]) == "normal"
    assert last([*spiky, 20 + TAIL_FACTOR * 4.0 - 0.01]) == "normal"
    assert last([*spiky, 20 + TAIL_FACTOR * 4.0 + 0.01]) == "worse"


@pytest.mark.parametrize(("peak", "word"), [(15.149, "normal"), (15.151, "worse"), (15.4, "worse")])
def test_memory_is_red_at_once_beyond_its_floor(peak: float, word: str) -> None:
    assert last([15.0] * 20 + [peak], MEMORY) == word


@pytest.mark.parametrize(("above", "word"), [(0.999, "normal"), (1.001, "worse")])
def test_memory_after_few_nights_needs_more(above: float, word: str) -> None:
    assert last([15.0] * 3 + [15 + above * STEADY_SHORT_FACTOR * MEMORY.least], MEMORY) == word


@pytest.mark.parametrize("level", [5.0, 20.0, 32.0])
@pytest.mark.parametrize("count", [3, 10, 30])
def test_a_step_of_0_4_gib_in_a_flat_series_is_red_at_once(level: float, count: int) -> None:
    assert last([level] * count + [level + 0.4], MEMORY) == "worse"


def test_a_step_of_1_percent_counts_where_that_is_more_than_the_floor() -> None:
    assert last([40.0] * 30 + [40.39], MEMORY) == "normal"
    assert last([40.0] * 30 + [40.41], MEMORY) == "worse"


@pytest.mark.parametrize("after", range(1, 12))
def test_a_doubled_time_stays_red_every_night(after: int) -> None:
    states = follow_nights(np.array(FLAT + [40.0] * after), Floors())
    assert [state.word for state in states[30:]] == ["worse"] * after
    assert states[-1].since == 30
    assert states[-1].reference is not None
    assert states[-1].reference.level == 20.0, "bad nights are no part of the reference"


@pytest.mark.parametrize(("after", "word"), [(ADOPTED_WORSE - 1, "worse"), (ADOPTED_WORSE, "normal")])
def test_a_worse_level_is_normal_only_when_nothing_else_is_left(after: int, word: str) -> None:
    assert last(FLAT + [40.0] * after) == word


@pytest.mark.parametrize(("after", "word"), [(ADOPTED_BETTER - 1, "normal"), (ADOPTED_BETTER + 1, "worse")])
def test_a_better_level_is_soon_the_new_normal(after: int, word: str) -> None:
    assert last(FLAT + [10.0] * after + [20.0]) == word


def test_the_first_normal_night_ends_a_clear_spell_and_says_when() -> None:
    state = follow_nights(np.array([*FLAT, 40.0, 40.0, 40.0, 20.1]), Floors())[-1]
    assert (state.word, state.since, state.ended) == ("normal", 33, (30, 32))


def test_several_runs_of_one_night_count_as_their_median() -> None:
    values = np.array([5.0, 9.0, 5.2, 7.0])
    found = pool_nights(values, ["a", "a", "a", "b"])
    assert [(night.value, night.runs, night.first) for night in found] == [(5.2, 3, 0), (7.0, 1, 3)]


@pytest.mark.parametrize(("runs", "nights"), [(MOST_POOLED, 2), (MOST_POOLED + 1, MOST_POOLED + 2)])
def test_an_import_of_many_logs_is_no_night(runs: int, nights: int) -> None:
    assert len(pool_nights(np.full(runs + 1, 5.0), ["import"] * runs + ["tonight"])) == nights


def test_runs_that_are_all_of_one_night_count_alone() -> None:
    assert len(pool_nights(np.full(5, 5.0), ["same"] * 5)) == 5


def test_nights_of_more_runs_scatter_less() -> None:
    assert pooled_share(4, 1) < pooled_share(2, 1) < 1 == pooled_share(3, 3) < pooled_share(1, 2)


def test_higher_is_better_turns_the_verdict_over() -> None:
    assert judge_nights([*FLAT, 10.0], higher_is_better=True).word == "worse"
    assert judge_nights([*FLAT, 40.0], higher_is_better=True).word == "better"


def test_values_that_are_no_numbers_are_no_nights() -> None:
    found = judge_nights([None, *FLAT, float("nan"), 40.0])
    assert (found.word, found.since) == ("worse", 32)


@pytest.mark.parametrize("values", [[], [None], [5.0], [0.0] * 5, [-1.0] * 5, [1e99, 1e-9, 5, 5, 5]])
def test_odd_series_have_a_verdict(values: list[float | None]) -> None:
    assert judge_nights(values).word in {"unknown", "normal", "better", "worse"}


@pytest.mark.parametrize(
    ("p", "scatter", "verdict"),
    [
        (CERTAIN_P, 1.0 / CERTAIN_SCATTERS - 0.001, "regressed"),
        (CERTAIN_P + 0.001, 1.0 / CERTAIN_SCATTERS - 0.001, "suspected"),
        (CERTAIN_P, 1.0 / CERTAIN_SCATTERS + 0.001, "suspected"),
    ],
)
def test_the_scan_alone_is_red_only_where_it_is_certain(p: float, scatter: float, verdict: str) -> None:
    change = Change(40, 20.0, 21.0, 5.0, True, "step", 10, p)
    scanned = Verdict("regressed", "Worse.", change, (change,), 100 * scatter / 21.0, 50, 0, 0, p)
    assert combine(scanned, judge_nights([20.0] * 50)).verdict == verdict
