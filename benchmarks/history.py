"""Whole histories replayed: seven figures of a run, as a card makes them, and how often one of them is called worse.

A night has two runs. Step times follow a noise; windows, runs and prompts are made of them and add noise of their own,
and memory is nearly constant. So the figures are as dependent as they are in life, and are judged together as
`loganalyze --history` judges them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from noises import LEVEL, Numbers, series

from loganalyzer.history.past import RECORDED
from loganalyzer.history.series import judge_series
from loganalyzer.regression.changes import Change
from loganalyzer.tables.metrics import KEY, METRICS

RUNS = 60
WINDOWS = 5
FIRST = datetime(2026, 1, 1)
KINDS = ("gaussian 1 %", "gaussian 2 %", "heavy tails (t₃) 2 %", "spikes", "AR(1) 0.5, 2 %")


def recorded(steps: Numbers, seed: int) -> pl.DataFrame:
    """Figures of runs whose time per step is `steps`, as the store gives them."""
    draw = np.random.Generator(np.random.PCG64([seed, 7]))
    runs = len(steps)
    windows = 4 * steps + 2 * (1 + 0.03 * draw.standard_normal(runs))
    prompts = WINDOWS * windows + 15 * (1 + 0.1 * draw.standard_normal(runs))
    figures = {
        "s_per_step": steps,
        "window_s": windows,
        "total_s_per_window": windows * (1 + 0.002 * draw.standard_normal(runs)),
        "prompt_s": prompts,
        "overhead_s": prompts - WINDOWS * windows,
        "peak_allocated_gib": 15 + 0.004 * draw.integers(0, 3, runs),
        "peak_reserved_gib": 16 + 0.02 * draw.integers(0, 4, runs),
    }
    frames = [
        pl.DataFrame(
            {
                "run_id": [f"run {number}" for number in range(runs)],
                "value": values,
                "at": [FIRST + timedelta(hours=12 * number) for number in range(runs)],
                "number": range(runs),
            }
        ).with_columns(pl.lit(name).alias("metric"), pl.lit(METRICS[name].unit).alias("unit"))
        for name, values in figures.items()
    ]
    whole = pl.concat(frames).with_columns(
        pl.lit(None).cast(dtype).alias(name)
        for name, dtype in RECORDED.items()
        if name in KEY or name not in frames[0].columns
    )
    return whole.select(pl.col(name).cast(dtype) for name, dtype in RECORDED.items()).sort("at", maintain_order=True)


def words(kind: str, seed: int, step: float = 0.0, after: int = 0) -> dict[str, tuple[str, int | None]]:
    """Verdict of each metric and place of its change; the steps of the last `after` runs are slower by `step`."""
    steps = series(kind, seed, RUNS) / LEVEL * 5
    if after:
        steps[-after:] *= 1 + step
    found = judge_series(recorded(steps, seed))
    return {one.metric.name: (one.verdict.verdict, _place(one.verdict.change)) for one in found}


def _place(change: Change | None) -> int | None:
    return None if change is None else change.index


def table(count: int) -> Iterator[str]:
    """False alarms of a whole history, and hits of a step of 5 % within two runs, in Markdown."""
    yield "| noise of the step time | a figure `regressed`, nothing changed | 5 % step, 20 runs after | 10 runs after |"
    yield "|---|---|---|---|"
    for kind in KINDS:
        quiet = [words(kind, seed) for seed in range(count)]
        false = np.mean([any(word == "regressed" for word, _ in found.values()) for found in quiet])
        hits = [np.mean([is_hit(words(kind, seed, 0.05, after), after) for seed in range(count)]) for after in (20, 10)]
        yield f"| {kind} | {false:.1%} | {hits[0]:.1%} | {hits[1]:.1%} |"


def is_hit(found: dict[str, tuple[str, int | None]], after: int) -> bool:
    """Whether the step time is called worse, within two runs of where it became so."""
    word, place = found["s_per_step"]
    return word == "regressed" and place is not None and abs(place - (RUNS - after)) <= 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="histories of each kind")
    count = parser.parse_args().count
    print(f"{count} histories of {RUNS} runs each\n")
    for line in table(count):
        print(line, flush=True)


if __name__ == "__main__":
    main()
