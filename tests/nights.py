"""Nights of runs, made to order: logs whose step times follow a series."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import logtext as log
import numpy as np

from loganalyzer.analysis import Analysis
from loganalyzer.history.store import Store
from loganalyzer.settings import Settings

Q6 = Settings(quantization="Q6_K")
FIRST = datetime(2026, 1, 1, 3)


def text(step_s: float, night: int, audio: int = 81, report: str | None = None) -> str:
    return f"night {night}\n" + log.BANNER + log.prompt(audio, step_s=step_s, report=report)


def analysis(step_s: float, night: int, audio: int = 81) -> Analysis:
    return log.analyse(text(step_s, night, audio), Q6, f"night-{night}.log")


def noisy(count: int, level: float = 5.0, deviation: float = 0.01, seed: int = 0) -> list[float]:
    """Step times around a level; the deviation is relative."""
    return [float(value) for value in level * (1 + deviation * np.random.default_rng(seed).standard_normal(count))]


def fill(url: str, steps: Iterable[float], begin: int = 0) -> None:
    """One run a night."""
    with Store.at(url, create=True) as store:
        for night, step_s in enumerate(steps, begin):
            store.add(analysis(step_s, night), added_at=FIRST + timedelta(days=night))
