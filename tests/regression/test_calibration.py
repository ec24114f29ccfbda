"""A smaller replay of the published calibration: how often `regressed` is wrong, and what it finds."""

from __future__ import annotations

import pytest
from noises import CORRELATED, INDEPENDENT, creeping, series, stepped

from loganalyzer.regression.verdicts import judge

SERIES = 300


@pytest.mark.parametrize(
    ("kind", "most"), [*((kind, 0.01) for kind in INDEPENDENT), *((kind, 0.03) for kind in CORRELATED)]
)
def test_quiet_series_are_hardly_ever_called_regressed(kind: str, most: float) -> None:
    wrong = sum(judge(series(kind, seed)).verdict == "regressed" for seed in range(SERIES))
    assert wrong <= most * SERIES


@pytest.mark.parametrize("runs", [8, 12, 20, 32])
@pytest.mark.parametrize("kind", ["spikes", "AR(1) 0.5, 2 %"])
def test_nor_are_short_ones(kind: str, runs: int) -> None:
    assert sum(judge(series(kind, seed, runs)).verdict == "regressed" for seed in range(100)) <= 1


@pytest.mark.parametrize(("kind", "least"), [("gaussian 1 %", 0.97), ("gaussian 2 %", 0.92)])
def test_a_step_of_five_percent_is_found_within_two_runs_with_ten_after_it(kind: str, least: float) -> None:
    found = [judge(stepped(kind, seed, 50)) for seed in range(SERIES)]
    hits = [
        one
        for one in found
        if one.verdict == "regressed" and one.change is not None and abs(one.change.index - 50) <= 2
    ]
    assert len(hits) >= least * SERIES


@pytest.mark.parametrize("kind", ["gaussian 1 %", "gaussian 2 %", "AR(1) 0.5, 2 %"])
def test_a_creep_of_a_fifth_of_a_percent_a_run_is_found(kind: str) -> None:
    assert sum(judge(creeping(kind, seed, 0.2)).verdict == "regressed" for seed in range(50)) >= 49
