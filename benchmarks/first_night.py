"""How often is a normal night red, and how many nights until a real change is? `python benchmarks/first_night.py`.

Writes the tables of docs/false-alarms.md. Every series is seeded: the same figures on every machine. A night is red
where process control or the change-point scan says so (`history.series` judges alike). Beside it stand a Shewhart chart
(one night beyond three scatters), a CUSUM, and Apache Otava where it is installed (`pip install '.[benchmarks]'`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from noises import CORRELATED, INDEPENDENT, LEVEL, Numbers, gaussian
from numpy.typing import NDArray

from loganalyzer.regression.control import ESTABLISHED_NIGHTS, MIN_NIGHTS, Floors
from loganalyzer.regression.jump import judge_nights
from loganalyzer.regression.nightly import combine, confirmed_by_scan
from loganalyzer.regression.nights import follow_nights
from loganalyzer.regression.verdicts import Verdict, judge

NOISES: dict[str, Callable[[np.random.Generator, int], Numbers]] = {
    "gaussian 0.6 %": lambda draw, runs: gaussian(draw, runs, 0.6),
    **INDEPENDENT,
    **CORRELATED,
}
STEPS = (5, 10, 15, 30, 100)
WINDOW = 60
AFTER = 12
"""Nights that are played after a change."""
SEED = 11_000_000
"""First seed of the published figures: the limits were chosen on others."""
SPANS = {"4–10": (3, 10), "11–20": (10, 20), "21–60": (20, 60), "4–60": (3, 60)}
SLOW = {"Apache Otava": 5}
"""Detectors that play only one of so many series."""
Detector = Callable[[Numbers, int], Iterator[bool]]
"""Values and a night: whether each night from that one on is red."""


def noise(kind: str, seed: int, nights: int) -> Numbers:
    """The `seed`-th quiet series of a kind."""
    return NOISES[kind](np.random.Generator(np.random.PCG64([seed, nights, 2026])), nights)


def stepped(kind: str, seed: int, before: int, percent: float, after: int = AFTER) -> Numbers:
    """The same with a change of level after `before` nights."""
    values = noise(kind, seed, before + after)
    values[before:] += LEVEL * percent / 100
    return values


def verdict(values: Numbers) -> Verdict:
    """The nightly check's on a series of nights."""
    latest = values[-WINDOW:]
    return combine(judge(latest), judge_nights(values), len(values) - len(latest))


def ours(values: Numbers, first: int, every: int = 1) -> Iterator[bool]:
    """Red by process control or by the scan; the scan is asked every so many nights, and stands until the next time."""
    jumps = [state.word == "worse" for state in follow_nights(values, Floors())]
    scanned = False
    for night in range(first, len(values)):
        if (night - first) % every == 0:
            scanned = not jumps[night] and confirmed_by_scan(values[: night + 1])
        yield jumps[night] or scanned


def shewhart(values: Numbers, first: int) -> Iterator[bool]:
    """One night beyond the median and three robust scatters of the nights before, at least 3 %."""
    for night in range(first, len(values)):
        before = values[max(0, night - WINDOW) : night]
        level = np.median(before)
        reach = max(3 * 1.4826 * np.median(np.abs(before - level)), 0.03 * level)
        yield bool(values[night] > level + reach)


def cusum(values: Numbers, first: int, slack: float = 1.0, decision: float = 8.0) -> Iterator[bool]:
    """A one-sided CUSUM of nights clipped at four scatters; the reference is what lay before its sum began to rise."""
    total, begin = 0.0, first
    for night in range(first, len(values)):
        before = values[max(0, begin - WINDOW) : begin] if total > 0 else values[max(0, night - WINDOW) : night]
        level = float(np.median(before))
        scatter = max(1.4826 * float(np.median(np.abs(before - level))), 0.003 * level)
        if total == 0:
            begin = night
        total = max(0.0, total + min(4.0, (values[night] - level) / scatter) - slack)
        yield total > decision


def otava(values: Numbers, first: int, every: int = 1) -> Iterator[bool]:
    """Apache Otava at p 1e-4 and 2 %: a change for the worse within the latest AFTER nights; `every` as in `ours`."""
    compute = import_module("otava.analysis").compute_change_points
    red = False
    for night in range(first, len(values)):
        if (night - first) % every == 0:
            latest = values[max(0, night + 1 - WINDOW) : night + 1]
            points, _ = compute(latest.tolist(), window_len=50, max_pvalue=1e-4, min_magnitude=0.02)
            fresh = [point for point in points if point.index >= len(latest) - AFTER]
            red = any(latest[point.index :].mean() > latest[: point.index].mean() for point in fresh)
        yield red


def detectors(every: int = 1) -> dict[str, Detector]:
    """All that are compared; Otava only where it is installed. `every`: nights between two looks of slow ones."""
    found: dict[str, Detector] = {
        "loganalyze": partial(ours, every=every),
        "Shewhart, 3 scatters": shewhart,
        "CUSUM": cusum,
    }
    return found | ({"Apache Otava": partial(otava, every=every)} if find_spec("otava") else {})


def red_nights(kind: str, detector: Detector, count: int, first: int) -> NDArray[np.bool_]:
    """Which nights from `first` to WINDOW are red where nothing changed, shape (count, nights)."""
    return np.array([[*detector(noise(kind, SEED + seed, WINDOW), first)] for seed in range(count)])


def latency(kind: str, detector: Detector, count: int, percent: float, before: int = 20) -> list[int]:
    """Nights until red of each series, AFTER + 1 where it is later."""
    found = []
    for seed in range(count):
        red = detector(stepped(kind, SEED + seed, before, percent), before)
        found.append(next((night for night, is_red in enumerate(red, 1) if is_red), AFTER + 1))
    return found


def false_table(count: int) -> Iterator[str]:
    """False red nights per 1,000, by detector and length of history. The scan and Otava look every tenth night."""
    found = detectors(every=10)
    yield (
        "| noise, nothing changed | "
        + " | ".join(f"loganalyze, nights {name}" for name in SPANS)
        + " | ".join(["", *(f"{name}, nights 21–60" for name in [*found][1:])])
        + " |"
    )
    yield "|---" * (len(found) + len(SPANS)) + "|"
    for kind in NOISES:
        red = red_nights(kind, found["loganalyze"], count, MIN_NIGHTS)
        rates = [red[:, first - MIN_NIGHTS : last - MIN_NIGHTS].mean() for first, last in SPANS.values()]
        rates += [
            red_nights(kind, found[name], count // SLOW.get(name, 1), ESTABLISHED_NIGHTS).mean()
            for name in [*found][1:]
        ]
        yield f"| {kind} | " + " | ".join(f"{1000 * rate:.1f}" for rate in rates) + " |"


def latency_table(count: int) -> Iterator[str]:
    """Median nights until red, and the nights that 95 % of the series need, by detector."""
    found = detectors()
    yield "| noise | change | " + " | ".join(found) + " |"
    yield "|---" * (len(found) + 2) + "|"
    for kind in NOISES:
        for percent in STEPS:
            cells = []
            for name, detector in found.items():
                nights = np.sort(latency(kind, detector, count // SLOW.get(name, 1), percent))
                middle, most = nights[len(nights) // 2], nights[int(np.ceil(0.95 * len(nights))) - 1]
                cells.append(f"{_night(int(middle))} / {_night(int(most))}")
            yield f"| {kind} | +{percent} % | " + " | ".join(cells) + " |"


def _night(number: int) -> str:
    return f"> {AFTER}" if number > AFTER else str(number)


def forecast_table(count: int) -> Iterator[str]:
    """How far "about N more runs" is off, of suspected series whose change lasts."""
    yield "| noise | change | suspected series | median N | median nights it took | median error |"
    yield "|---|---|---|---|---|---|"
    for kind, percent in (
        ("gaussian 1 %", 3),
        ("gaussian 2 %", 4),
        ("gaussian 2 %", 5),
        ("AR(1) 0.5, 2 %", 5),
        ("heavy tails (t₃) 2 %", 4),
    ):
        cases = list(forecasts(kind, percent, count))
        if cases:
            said, took = np.array(cases).T
            error = float(np.median(np.abs(said - took) / took))
            medians = f"{np.median(said):.0f} | {np.median(took):.0f}"
            yield f"| {kind} | +{percent} % | {len(cases)} | {medians} | {error:.0%} |"


def forecasts(kind: str, percent: float, count: int, before: int = 30) -> Iterator[tuple[int, int]]:
    """What the first suspicion of a series says, and how many nights it took until red; series of a lasting change."""
    for seed in range(count):
        values = stepped(kind, SEED + seed, before, percent, 50)
        red = list(ours(values[: before + 10], before + 2))
        for night in range(before + 3, before + 11):
            if red[night - before - 3]:
                break
            if judge(values[:night][-WINDOW:]).verdict in {"regressed", "suspected"}:
                found = verdict(values[:night])
                if found.verdict == "suspected":
                    later = ours(values[: night + 40], night)
                    yield found.runs_needed, next((more for more, is_red in enumerate(later, 1) if is_red), 40)
                    break


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=100, help="seeded series behind each figure [100]")
    tables = {"false": false_table, "latency": latency_table, "forecast": forecast_table}
    parser.add_argument("--table", choices=list(tables), action="append", help="only this table [all]")
    given = parser.parse_args()
    for name in given.table or tables:
        print()
        for row in tables[name](given.series):
            print(row, flush=True)


if __name__ == "__main__":
    main()
