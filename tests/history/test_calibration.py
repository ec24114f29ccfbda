"""A smaller replay of whole histories: seven figures of a run judged together, as `--history` judges them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from history import is_hit, words


@pytest.mark.parametrize("kind", ["gaussian 2 %", "spikes", "AR(1) 0.5, 2 %"])
def test_of_quiet_histories_none_is_called_worse_in_any_figure(kind: str) -> None:
    wrong = [seed for seed in range(20) if "regressed" in {word for word, _ in words(kind, seed).values()}]
    assert wrong == []


@pytest.mark.parametrize(("kind", "after", "least"), [("gaussian 1 %", 10, 20), ("gaussian 2 %", 20, 17)])
def test_a_step_of_5_percent_is_found_with_some_runs_after_it(kind: str, after: int, least: int) -> None:
    """Later than one look would find it in 2 % noise: a job that looks every night needs more certainty."""
    assert sum(is_hit(words(kind, seed, 0.05, after), after) for seed in range(20)) >= least
