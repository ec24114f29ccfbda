"""Nights of runs, made to order: logs whose step times follow a series."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import repeat

import logtext as log
import numpy as np

from loganalyzer.history.store import Store
from loganalyzer.pipeline import analyze_inputs
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis

Q6 = Settings(quantization="Q6_K")
FIRST = datetime(2026, 1, 1, 3)


def text(step_s: float, night: int, audio: int = 81, report: str | None = None) -> str:
    return f"night {night}\n" + log.BANNER + log.prompt(audio, step_s=step_s, report=report)


def analysis(step_s: float, night: int, audio: int = 81) -> Analysis:
    return log.analyze(text(step_s, night, audio), Q6, f"night-{night:03}.log")


def noisy(count: int, level: float = 5.0, deviation: float = 0.01, seed: int = 0) -> list[float]:
    """Step times around a level; the deviation is relative."""
    return [float(value) for value in level * (1 + deviation * np.random.default_rng(seed).standard_normal(count))]


def fill(url: str, steps: Iterable[float], reports: Iterable[str | None] | None = None) -> None:
    """One run a night, oldest first, all added at once; `reports` are the memory reports."""
    pairs = zip(steps, reports or repeat(None), strict=False)
    texts = [text(step_s, night, report=report) for night, (step_s, report) in enumerate(pairs)]
    inputs = [from_bytes(f"night-{night:03}.log", one.encode()) for night, one in enumerate(texts)]
    with Store.at(url, create=True) as store:
        store.add(analyze_inputs(inputs, Q6), added_at=FIRST)
