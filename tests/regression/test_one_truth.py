"""`compare`, `history trend` and the nightly check give one verdict on the same runs."""

from __future__ import annotations

import pytest
from noises import stepped

from loganalyzer.regression.jump import judge_nights
from loganalyzer.regression.nightly import combine
from loganalyzer.regression.pairs import compare_samples
from loganalyzer.regression.verdicts import judge


@pytest.mark.parametrize("percent", [0, 8, 20, 100])
@pytest.mark.parametrize(("base", "head"), [(6, 5), (10, 6), (20, 3), (40, 8)])
def test_compare_agrees_with_the_trend_whose_newest_night_the_nightly_check_reports(
    base: int, head: int, percent: float
) -> None:
    """On each of the series; and the change is found in 90 % of them at least, 6 runs against 5 being the hardest."""
    found = []
    for seed in range(20):
        values = stepped("gaussian 1 %", seed, base, base + head, percent)
        trend = combine(judge(values), judge_nights(values)).verdict
        pair = compare_samples(values[:base], values[base:]).verdict
        assert (trend == "regressed") == (pair == "regressed"), f"series {seed}"
        found.append(pair == "regressed")
    assert sum(found) >= 18 if percent else not any(found)
