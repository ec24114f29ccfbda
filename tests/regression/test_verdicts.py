"""What is said about one series of runs, lower being better unless said otherwise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from noises import creeping, series, stepped, two_modes

from loganalyzer.regression.series import Numbers
from loganalyzer.regression.verdicts import Verdict, judge

MIRRORED = {"regressed": "improved", "improved": "regressed"}
KINDS = st.sampled_from(["gaussian 1 %", "gaussian 2 %", "spikes", "AR(1) 0.5, 2 %", "quantized, 10 % one step up"])
VALUES = st.lists(st.integers(0, 200), min_size=8, max_size=40)


@st.composite
def histories(draw: st.DrawFn) -> Numbers:
    """Noise of some kind, often with a step."""
    runs = draw(st.integers(8, 60))
    size = draw(st.sampled_from([-20, -5, 0, 5, 20]))
    return stepped(draw(KINDS), draw(st.integers(0, 10_000)), draw(st.integers(0, runs)), runs, size)


def levels(*parts: tuple[float, int]) -> Numbers:
    """1 % noise around levels, each so many runs long."""
    means = np.concatenate([np.full(runs, level) for level, runs in parts])
    return means / 20 * series("gaussian 1 %", 1, len(means))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(levels((20, 60)), "same", id="quiet"),
        pytest.param(levels((20, 50), (21, 10)), "regressed", id="5 % worse for ten runs"),
        pytest.param(levels((20, 50), (19, 10)), "improved", id="5 % better for ten runs"),
        pytest.param(levels((20, 57), (21, 3)), "suspected", id="5 % worse for three runs"),
        pytest.param(levels((20, 57), (19, 3)), "same", id="5 % better for three runs is not worth a word"),
        pytest.param(levels((20, 50), (20.2, 10)), "same", id="1 % is below the floor"),
        pytest.param(levels((20, 20), (22, 20), (20, 20)), "improved", id="worse and back: the latest change decides"),
        pytest.param(levels((20, 20), (19, 20), (20, 20)), "regressed", id="better and back"),
        pytest.param(levels((20, 20), (18, 37), (20, 3)), "suspected", id="better, and lately perhaps worse"),
        pytest.param(levels((20, 10), (21, 10)), "suspected", id="twenty runs are too few to permute blocks"),
        pytest.param(levels((20, 6), (30, 6)), "regressed", id="50 % is beyond doubt in twelve runs"),
        pytest.param(levels((20, 4), (40, 4)), "regressed", id="twice as long is beyond doubt in eight"),
        pytest.param(levels((20, 59), (40, 1)), "same", id="one run decides nothing"),
        pytest.param(np.full(60, 15.3), "same", id="constant"),
        pytest.param(np.where(np.arange(60) == 59, 16.8, 15.3), "same", id="constant, the last run a blip"),
        pytest.param(np.where(np.arange(8) == 7, 30, 15.3), "same", id="eight constant runs, the last a blip"),
        pytest.param(np.where(np.arange(60) >= 50, 16.8, 15.3), "regressed", id="constant, then another constant"),
        pytest.param(np.where(np.arange(60) >= 50, 15.4, 15.3), "same", id="a constant 0.7 % higher"),
        pytest.param(np.zeros(20), "same", id="zero throughout"),
        pytest.param(np.where(np.arange(60) >= 40, 3.0, 0.0), "regressed", id="from zero to something"),
        pytest.param(np.where(np.arange(60) >= 40, 0.0, 3.0), "improved", id="to zero"),
        pytest.param(-levels((20, 40), (18, 20)), "regressed", id="negative and rising"),
        pytest.param(levels((20, 60)) * 1e-9, "same", id="tiny"),
        pytest.param(levels((20, 40), (22, 20)) * 1e12, "regressed", id="huge"),
        pytest.param(np.tile([20.0, 22.0], 30), "same", id="two modes in turns"),
    ],
)
def test_the_verdict_on(values: Numbers, expected: str) -> None:
    assert judge(values).verdict == expected


@pytest.mark.parametrize("runs", range(8))
def test_fewer_than_eight_runs_are_unknown_whatever_they_say(runs: int) -> None:
    found = judge([20.0] * (runs // 2) + [90.0] * (runs - runs // 2))
    assert (found.verdict, found.runs, found.runs_needed) == ("unknown", runs, 8 - runs)


def test_what_is_no_number_is_no_run() -> None:
    found = judge([20.0] * 7 + [None, math.nan, math.inf])
    assert (found.verdict, found.runs, found.dropped) == ("unknown", 7, 3)
    assert "3 values that are no number left out" in found.reason


def test_a_change_stands_where_it_stood_in_the_series_as_given() -> None:
    values = [None, *levels((20, 40), (22, 20)), None]
    change = judge(values).change
    assert change is not None
    assert abs(change.index - 41) <= 1
    assert change.runs_after == pytest.approx(20, abs=2)


def test_a_change_is_given_with_its_levels() -> None:
    change = judge(levels((20, 50), (21, 10))).change
    assert change is not None
    assert (change.before, change.after, change.change_percent) == (
        pytest.approx(20, rel=0.01),
        pytest.approx(21, rel=0.01),
        pytest.approx(5, abs=1),
    )
    assert (change.kind, change.worse) == ("step", True)


def test_all_confirmed_changes_are_listed_in_order() -> None:
    found = judge(levels((20, 20), (22, 20), (20, 20)))
    assert [(round(change.index, -1), change.worse) for change in found.changes] == [(20, True), (40, False)]


def test_the_reason_is_fit_to_print() -> None:
    assert judge(np.where(np.arange(60) >= 50, 21.0, 20.0)).reason == (
        "Worse by 5.0 %: 20 before, 21 now, since run 51 (10 runs); runs scatter by 0.0 %."
    )
    assert "consecutive runs are correlated" in judge(levels((20, 57), (21, 3))).reason


@pytest.mark.parametrize(("runs", "after", "needed"), [(60, 3, 7), (60, 4, 6), (20, 10, 20), (12, 6, 68)])
def test_a_suspicion_says_how_many_runs_would_tell(runs: int, after: int, needed: int) -> None:
    values = np.where(np.arange(runs) >= runs - after, 21.0, 20.0)
    found = judge(values)
    assert (found.verdict, found.runs_needed) == ("suspected", needed)
    assert f"at least {needed} more runs" in found.reason


@pytest.mark.parametrize(("runs", "after"), [(60, 3), (60, 4), (20, 10), (12, 6)])
def test_with_as_many_more_runs_the_suspicion_is_confirmed(runs: int, after: int) -> None:
    values = levels((20, runs - after), (21, after + 80))
    before = judge(values[:runs])
    assert before.verdict == "suspected"
    assert judge(values[: runs + before.runs_needed]).verdict == "regressed"


@pytest.mark.parametrize("kind", ["gaussian 1 %", "gaussian 2 %"])
@pytest.mark.parametrize("seed", range(10))
def test_a_creep_of_a_fifth_of_a_percent_a_run_is_measured_against_the_best_level(kind: str, seed: int) -> None:
    found = judge(creeping(kind, seed, 0.2))
    assert found.verdict == "regressed"
    assert found.change is not None
    assert found.change.kind == "creep"
    assert found.change.change_percent == pytest.approx(10.4, abs=2.5)
    assert "slowly" in found.reason
    assert "best stable level" in found.reason


def test_a_start_of_other_runs_long_ago_is_no_suspicion() -> None:
    assert judge(levels((19, 3), (20, 57))).verdict == "same"


@pytest.mark.parametrize("seed", range(5))
def test_a_step_after_a_mended_one_is_not_lost(seed: int) -> None:
    means = np.concatenate([np.full(20, 20.0), np.full(15, 22.0), np.full(30, 20.0), np.full(15, 21.5)])
    found = judge(means / 20 * series("gaussian 1 %", seed, len(means)))
    assert found.verdict in {"regressed", "suspected"}
    assert found.change is not None
    assert abs(found.change.index - 65) <= 2


def test_a_creep_that_no_single_step_reaches_is_found() -> None:
    values = creeping("quantized, 10 % one step up", 0, 0.06, 50)
    halves = values[25:].mean() / values[:25].mean()
    assert halves < 1.02
    assert judge(values).verdict == "regressed"


def test_a_slow_fall_is_an_improvement() -> None:
    found = judge(creeping("gaussian 1 %", 0, -0.2))
    assert found.verdict == "improved"
    assert found.change is not None
    assert found.change.kind == "creep"


@pytest.mark.parametrize("share", [0.1, 0.2, 0.35, 0.5])
def test_two_modes_mixed_all_along_raise_no_alarm(share: float) -> None:
    draws = (np.random.Generator(np.random.PCG64(seed)) for seed in range(60))
    words = [judge(two_modes(draw, 60, share)).verdict for draw in draws]
    assert words.count("regressed") <= 1


@pytest.mark.parametrize("kind", ["quantized, 10 % one step up", "quantized, step of 10 %"])
def test_a_constant_with_blips_raises_no_alarm(kind: str) -> None:
    assert {judge(series(kind, seed)).verdict for seed in range(60)} <= {"same", "suspected"}


@given(histories(), st.sampled_from([0.001, 0.5, 60.0, 1024.0]))
def test_another_unit_gives_the_same_verdict(values: Numbers, factor: float) -> None:
    assert judge(values * factor).verdict == judge(values).verdict


@given(histories())
def test_turning_the_direction_swaps_regressed_and_improved(values: Numbers) -> None:
    lower, higher = judge(values), judge(values, higher_is_better=True)
    assert [change.index for change in lower.changes] == [change.index for change in higher.changes]
    if lower.verdict in MIRRORED and higher.verdict in MIRRORED:
        assert higher.verdict == MIRRORED[lower.verdict]
    assert (lower.verdict == "regressed") <= (higher.verdict in {"improved", "suspected"})


@given(histories())
def test_turning_values_and_direction_changes_nothing(values: Numbers) -> None:
    lower, higher = judge(values), judge(-values, higher_is_better=True)
    assert (lower.verdict, lower.p, lower.runs_needed) == (higher.verdict, higher.p, higher.runs_needed)


@given(VALUES)
def test_the_same_series_gives_the_same_verdict(values: list[int]) -> None:
    assert judge(values) == judge(tuple(values))


@given(st.lists(st.none() | st.floats(-1e99, 1e99) | st.just(math.nan), max_size=40))
def test_any_series_gets_a_verdict_that_makes_sense(values: list[float | None]) -> None:
    found = judge(values)
    assert found.runs + found.dropped == len(values)
    assert found.p > 0
    assert (found.runs_needed > 0) == (found.verdict in {"unknown", "suspected"})
    assert (found.change is None) == (found.verdict in {"unknown", "same"})
    assert all(makes_sense(found, values) for _ in found.changes)


def makes_sense(found: Verdict, values: list[float | None]) -> bool:
    places = [change.index for change in found.changes]
    return places == sorted(set(places)) and all(values[place] is not None for place in places)


@given(VALUES, st.integers(0, 39))
def test_values_that_are_no_numbers_change_nothing_but_their_count(values: list[int], place: int) -> None:
    without, gapped = judge(values), judge([*values[:place], None, *values[place:]])
    assert (gapped.verdict, gapped.p, gapped.dropped) == (without.verdict, without.p, 1)
