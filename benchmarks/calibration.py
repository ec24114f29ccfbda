"""How often is `regressed` wrong, and what does it miss? `python benchmarks/calibration.py [--series 500]`.

Prints the tables of README.md. Every series is seeded: the same figures on every machine. Where Apache Otava is
installed, its own function is asked the same questions.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from noises import CORRELATED, HARDER, INDEPENDENT, LEVEL, Numbers, creeping, series, stepped

from loganalyzer.regression.discovery import History, judge_together
from loganalyzer.regression.pairs import compare_samples
from loganalyzer.regression.verdicts import Verdict, judge

NEAR = 2
"""A step is found where a change is reported so many runs from it at most."""
STEPS = (30, 50, 55, 57)


def percent(share: float | np.floating) -> str:
    return f"{100 * share:.1f}"


def false_alarms(count: int) -> Iterator[str]:
    """Nothing changed: every verdict but `same` is wrong."""
    yield "| noise, nothing changed | regressed | improved | suspected | Otava |"
    yield "|---|---|---|---|---|"
    for kind in INDEPENDENT | CORRELATED | HARDER:
        replayed = [series(kind, seed) for seed in range(count)]
        words = [judge(values).verdict for values in replayed]
        rates = " | ".join(percent(words.count(word) / count) for word in ("regressed", "improved", "suspected"))
        yield f"| {kind} | {rates} | {otava_rate(replayed)} |"


def short_histories(count: int) -> Iterator[str]:
    """Nothing changed in a short history; and a step with ten runs after it."""
    lengths = (8, 12, 16, 24, 32, 40, 120)
    yield "| runs | " + " | ".join(str(length) for length in lengths) + " |"
    yield "|---" * (len(lengths) + 1) + "|"
    for kind in ("gaussian 2 %", "spikes", "two modes, 50 : 50", "AR(1) 0.5, 2 %"):
        rates = [said(count, "regressed", partial(series, kind, runs=length)) for length in lengths]
        yield f"| false `regressed`, {kind} | " + " | ".join(map(percent, rates)) + " |"
    for size, kind in ((5, "gaussian 1 %"), (5, "gaussian 2 %"), (15, "gaussian 1 %")):
        replays = [partial(stepped, kind, at=max(n // 2, n - 10), runs=n, percent=size) for n in lengths]
        cells = [" / ".join(percent(said(count, word, one)) for word in ("regressed", "suspected")) for one in replays]
        yield f"| {size} % step, 10 runs after (or half), {kind}: regressed / suspected | " + " | ".join(cells) + " |"


def steps(count: int) -> Iterator[str]:
    """A step of 5 % in 60 runs, found within two runs."""
    yield "| 5 % step, runs after it | noise | regressed | or suspected | Otava |"
    yield "|---|---|---|---|---|"
    for at in STEPS:
        for kind in ("gaussian 1 %", "gaussian 2 %", "spikes", "AR(1) 0.5, 2 %"):
            replayed = [stepped(kind, seed, at) for seed in range(count)]
            verdicts = [judge(values) for values in replayed]
            sure = percent(np.mean([is_hit(found, at, {"regressed"}) for found in verdicts]))
            either = percent(np.mean([is_hit(found, at, {"regressed", "suspected"}) for found in verdicts]))
            yield f"| {60 - at} | {kind} | {sure} | {either} | {otava_rate(replayed, at)} |"


def creep(count: int) -> Iterator[str]:
    """A drift in 60 runs: how often it is found, and how often it is called by its name."""
    yield "| creep a run | noise | regressed | as creep | or suspected |"
    yield "|---|---|---|---|---|"
    for rate in (0.05, 0.1, 0.2, 0.3):
        for kind in ("gaussian 1 %", "gaussian 2 %", "AR(1) 0.5, 2 %"):
            found = [judge(creeping(kind, seed, rate)) for seed in range(count)]
            sure = [one for one in found if one.verdict == "regressed"]
            named = sum(one.change is not None and one.change.kind == "creep" for one in sure)
            either = len(sure) + sum(one.verdict == "suspected" for one in found)
            cells = " | ".join(percent(number / count) for number in (len(sure), named, either))
            yield f"| {rate} % | {kind} | {cells} |"


def together(count: int) -> Iterator[str]:
    """Quiet metrics judged together, one of them with a step of 8 % or none: how often `regressed` is said of any."""
    sizes = (1, 5, 10, 20)
    yield "| metrics judged together, gaussian 2 % | " + " | ".join(map(str, sizes)) + " |"
    yield "|---" * (len(sizes) + 1) + "|"
    for step, after in ((0, 10), (8, 10), (8, 15)):
        name = f"{step} % step in one, {after} runs after it" if step else "nothing changed in any"
        rates = [np.mean([any_worse(size, seed, step, after) for seed in range(count // 5)]) for size in sizes]
        yield f"| {name} | " + " | ".join(map(percent, rates)) + " |"


def any_worse(metrics: int, seed: int, step: float, after: int) -> bool:
    """Whether any of so many metrics is `regressed`, the first being `step` percent worse for `after` runs."""
    first = stepped("gaussian 2 %", 10_000 + seed * metrics, 60 - after, percent=step)
    others = [series("gaussian 2 %", 10_000 + seed * metrics + number) for number in range(1, metrics)]
    found = judge_together({number: History(tuple(values)) for number, values in enumerate([first, *others])})
    return any(verdict.verdict == "regressed" for verdict in found.values())


def pairs(count: int) -> Iterator[str]:
    """Two samples of the same, and of a 5 % and a 15 % change: how often `regressed`."""
    sizes = ((1, 1), (1, 20), (2, 2), (3, 3), (4, 4), (5, 5), (10, 10), (24, 24))
    yield "| runs, base against head | " + " | ".join(f"{base} : {head}" for base, head in sizes) + " |"
    yield "|---" * (len(sizes) + 1) + "|"
    for change, kinds in (
        (0, ("gaussian 2 %", "gaussian 5 %", "heavy tails (t₃) 2 %", "spikes", "two modes, 50 : 50", "AR(1) 0.5, 2 %")),
        (5, ("gaussian 1 %", "gaussian 2 %")),
        (15, ("gaussian 1 %", "gaussian 2 %")),
    ):
        for kind in kinds:
            rates = [np.mean([is_worse(kind, seed, change, size) for seed in range(count)]) for size in sizes]
            yield f"| {change} % change, {kind} | " + " | ".join(map(percent, rates)) + " |"


def is_worse(kind: str, seed: int, change: float, sizes: tuple[int, int]) -> bool:
    """Whether a head `change` percent higher than its base is `regressed`."""
    values = series(kind, seed, sum(sizes))
    head = values[sizes[0] :] + LEVEL * change / 100
    return compare_samples(values[: sizes[0]], head).verdict == "regressed"


def said(count: int, word: str, replay: Callable[[int], Numbers]) -> float:
    """The share of seeded series of which `word` is said."""
    return sum(judge(replay(seed)).verdict == word for seed in range(count)) / count


def is_hit(found: Verdict, at: int, words: set[str]) -> bool:
    return found.verdict in words and found.change is not None and abs(found.change.index - at) <= NEAR


def otava_rate(replayed: list[Numbers], at: int | None = None) -> str:
    """Otava at its best setting of the trial (p 1e-4, 2 %): share with any change, or with one near `at`."""
    if find_spec("otava") is None:
        return "not installed"
    compute_change_points = import_module("otava.analysis").compute_change_points
    hits = 0
    for values in replayed:
        points, _ = compute_change_points(values.tolist(), window_len=50, max_pvalue=1e-4, min_magnitude=0.02)
        hits += any(at is None or abs(point.index - at) <= NEAR for point in points)
    return percent(hits / len(replayed))


def speed() -> str:
    """Milliseconds for one verdict on 60 runs, and for the first of its length."""
    replayed = [series("gaussian 2 %", seed) for seed in range(50)]
    began = time.perf_counter()
    judge(replayed[0])
    first = time.perf_counter() - began
    began = time.perf_counter()
    for values in replayed:
        judge(values)
    later = (time.perf_counter() - began) / len(replayed)
    return f"One verdict on 60 runs takes {later * 1e3:.1f} ms, the first of its length {first * 1e3:.0f} ms."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=500, help="seeded series behind each figure [500]")
    given = parser.parse_args()
    print(speed(), flush=True)
    for table in (false_alarms, steps, creep, short_histories, together, pairs):
        print()
        for row in table(given.series):
            print(row, flush=True)


if __name__ == "__main__":
    main()
