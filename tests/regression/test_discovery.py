"""Many metrics judged together."""

from __future__ import annotations

import numpy as np
import pytest
from noises import series, stepped

from loganalyzer.regression.discovery import History, discoveries, judge_together
from loganalyzer.regression.verdicts import judge


@pytest.mark.parametrize(
    ("p_values", "expected"),
    [
        ([], []),
        ([0.04], [True]),
        ([0.06], [False]),
        ([0.04, 0.9], [False, False]),
        ([0.02, 0.9], [True, False]),
        ([0.04, 0.05], [True, True]),
        ([0.9, 0.001, 0.02, 0.03, 0.9], [False, True, True, True, False]),
        ([0.02, 0.02, 0.9, 0.9], [True, True, False, False]),
    ],
)
def test_a_discovery_stands_by_its_rank_among_all(p_values: list[float], expected: list[bool]) -> None:
    assert discoveries(p_values, 0.05).tolist() == expected


def history(seed: int, step: float = 0.0, after: int = 10) -> History:
    return History(tuple(stepped("gaussian 2 %", seed, 60 - after, percent=step)))


def test_alone_a_metric_gets_its_own_verdict() -> None:
    one = history(0, 5)
    assert judge_together({"s_per_step": one}) == {"s_per_step": judge(one.values)}


def test_nothing_to_judge_gives_no_verdicts() -> None:
    assert judge_together({}) == {}


def test_a_clear_regression_stands_among_quiet_metrics() -> None:
    found = judge_together({seed: history(seed, 8 if seed == 0 else 0, after=15) for seed in range(12)})
    assert [key for key, verdict in found.items() if verdict.verdict == "regressed"] == [0]


def test_a_weak_regression_among_many_metrics_is_only_suspected() -> None:
    weak = next(one for one in map(history, range(300), [3.0] * 300) if 0.015 < judge(one.values).p <= 0.025)
    alone = judge(weak.values)
    assert alone.verdict == "regressed"
    found = judge_together({"weak": weak} | {seed: history(seed) for seed in range(8)})["weak"]
    assert (found.verdict, found.changes, found.change) == ("suspected", (), alone.change)
    assert found.runs_needed > 0
    assert "With 9 metrics, one such change is expected by chance" in found.reason


def test_a_weak_improvement_among_many_metrics_is_none() -> None:
    weak = next(one for one in map(history, range(300), [-3.0] * 300) if 0.015 < judge(one.values).p <= 0.025)
    found = judge_together({"weak": weak} | {seed: history(seed) for seed in range(8)})["weak"]
    assert (found.verdict, found.change) == ("same", None)


def test_metrics_with_too_few_runs_raise_no_bar() -> None:
    weak = next(one for one in map(history, range(300), [3.0] * 300) if 0.015 < judge(one.values).p <= 0.025)
    young = {f"young {number}": History((1.0, 2.0)) for number in range(50)}
    found = judge_together({"weak": weak} | young)
    assert found["weak"].verdict == "regressed"
    assert {found[key].verdict for key in young} == {"unknown"}


def test_each_metric_keeps_its_direction() -> None:
    values = tuple(np.where(np.arange(60) >= 40, 25.0, 20.0))
    found = judge_together({"seconds": History(values), "frames a second": History(values, higher_is_better=True)})
    assert [verdict.verdict for verdict in found.values()] == ["regressed", "improved"]


def test_false_alarms_among_twenty_quiet_metrics_are_rare() -> None:
    alarmed = 0
    for batch in range(10):
        quiet = {key: History(tuple(series("gaussian 2 %", 1000 + 20 * batch + key))) for key in range(20)}
        alarmed += any(found.verdict == "regressed" for found in judge_together(quiet).values())
    assert alarmed <= 1
