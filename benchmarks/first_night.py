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

from loganalyzer.regression.control import Floors
from loganalyzer.regression.jump import watch
from loganalyzer.regression.nightly import combine, confirmed_by_scan
from loganalyzer.regression.nights import follow
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
Detector = Callable[[Numbers, int], list[bool]]
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
    return combine(judge(latest), watch(values), len(values) - len(latest))


def ours(values: Numbers, first: int, every: int = 1) -> list[bool]:
    """Red by process control or by the scan; the scan is asked every so many nights, and stands until the next time."""
    jumps = [state.word == "worse" for state in follow(values, Floors())]
    red, scanned = [], False
    for night in range(first, len(values)):
        if (night - first) % every == 0:
            scanned = confirmed_by_scan(values[: night + 1])
        red.append(jumps[night] or scanned)
    return red


def scan_alone(values: Numbers, first: int) -> list[bool]:
    """Red by the change-point scan alone."""
    return [
        judge(values[max(0, night + 1 - WINDOW) : night + 1]).verdict == "regressed"
        for night in range(first, len(values))
    ]


def shewhart(values: Numbers, first: int) -> list[bool]:
    """One night beyond the median and three robust scatters of the nights before, at least 3 %."""
    red = []
    for night in range(first, len(values)):
        before = values[max(0, night - WINDOW) : night]
        level = np.median(before)
        reach = max(3 * 1.4826 * np.median(np.abs(before - level)), 0.03 * level)
        red.append(bool(values[night] > level + reach))
    return red


def cusum(values: Numbers, first: int, slack: float = 1.0, decision: float = 8.0) -> list[bool]:
    """A one-sided CUSUM of nights clipped at four scatters; the reference is what lay before its sum began to rise."""
    red, total, begin = [], 0.0, first
    for night in range(first, len(values)):
        before = values[max(0, begin - WINDOW) : begin] if total > 0 else values[max(0, night - WINDOW) : night]
        level = float(np.median(before))
        scatter = max(1.4826 * float(np.median(np.abs(before - level))), 0.003 * level)
        if total == 0:
            begin = night
        total = max(0.0, total + min(4.0, (values[night] - level) / scatter) - slack)
        red.append(total > decision)
    return red


def otava(values: Numbers, first: int) -> list[bool]:
    """Apache Otava at p 1e-4 and 2 %: a change for the worse within the latest AFTER nights."""
    compute = import_module("otava.analysis").compute_change_points
    red = []
    for night in range(first, len(values)):
        latest = values[max(0, night + 1 - WINDOW) : night + 1]
        points, _ = compute(latest.tolist(), window_len=50, max_pvalue=1e-4, min_magnitude=0.02)
        fresh = [point for point in points if point.index >= len(latest) - AFTER]
        red.append(any(latest[point.index :].mean() > latest[: point.index].mean() for point in fresh))
    return red


def detectors() -> dict[str, Detector]:
    """All that are compared; Otava only where it is installed."""
    found: dict[str, Detector] = {
        "loganalyze": ours,
        "change-point scan alone": scan_alone,
        "Shewhart, 3 scatters": shewhart,
        "CUSUM": cusum,
    }
    return found | ({"Apache Otava": otava} if find_spec("otava") else {})


def false_red(kind: str, detector: Detector, count: int, nights: tuple[int, int]) -> float:
    """Red nights per 1,000 where nothing changed, from the first of `nights` up to the last."""
    first, last = nights
    return 1000 * float(np.mean([detector(noise(kind, seed, last), first) for seed in range(count)]))


def latency(kind: str, detector: Detector, count: int, percent: float, before: int = 20) -> list[int]:
    """Nights until red of each series, AFTER + 1 where it is later."""
    found = []
    for seed in range(count):
        red = detector(stepped(kind, seed + 5000, before, percent), before)
        found.append(red.index(True) + 1 if any(red) else AFTER + 1)
    return found


def by_night(kind: str, percent: float, night: int, count: int, before: int = 20) -> float:
    """Share of series that are red by that night after the change."""
    return float(np.mean(np.array(latency(kind, partial(ours, every=AFTER), count, percent, before)) <= night))


def false_table(count: int) -> Iterator[str]:
    """False red nights per 1,000, by detector and length of history."""
    found = detectors()
    yield (
        "| noise, nothing changed | nights 4–10 | nights 11–20 | "
        + " | ".join(f"{name}, nights 21–80" for name in found)
        + " |"
    )
    yield "|---" * (len(found) + 3) + "|"
    for kind in NOISES:
        short = [false_red(kind, ours, 4 * count, span) for span in ((3, 10), (10, 20))]
        rest = [false_red(kind, detector, count, (20, 80)) for detector in found.values()]
        yield f"| {kind} | " + " | ".join(f"{rate:.1f}" for rate in (*short, *rest)) + " |"


def latency_table(count: int) -> Iterator[str]:
    """Median nights until red, and the nights that 95 % of the series need, by detector."""
    found = detectors()
    yield "| noise | change | " + " | ".join(found) + " |"
    yield "|---" * (len(found) + 2) + "|"
    for kind in NOISES:
        for percent in STEPS:
            cells = []
            for detector in found.values():
                nights = np.sort(latency(kind, detector, count, percent))
                cells.append(
                    f"{_night(int(nights[len(nights) // 2]))} / {_night(int(nights[int(0.95 * (len(nights) - 1))]))}"
                )
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
        values = stepped(kind, seed + 9000, before, percent, 50)
        for night in range(before + 3, before + 11):
            found = verdict(values[:night])
            if found.verdict == "regressed":
                break
            if found.verdict == "suspected":
                more = (later for later in range(1, 40) if verdict(values[: night + later]).verdict == "regressed")
                yield found.runs_needed, next(more, 40)
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
