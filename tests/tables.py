"""Tables of one run for tests of single rules: every column that a test does not name has a normal value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from loganalyzer.checks.registry import Check, Context
from loganalyzer.expectations import baselines
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.schema import conform

BASELINES = baselines.load_baselines()
NORMAL: dict[str, Any] = {
    "run_id": "f-R2", "prompt_id": "f-P1", "source": "a.log", "line": 2, "producer": "wrapper", "mode": "infinitetalk",
    "width": 1280, "height": 720, "steps": 4, "window_frames": 81, "motion_frames": 9, "drop_frames": 0, "stride": 72,
    "audio_frames": 369, "shortest_frames": 369, "announced_windows": 6, "observed_windows": 5, "expected_windows": 5,
    "missing_frames": 0, "schedule_observed": True, "status": "completed", "gpu": "NVIDIA GeForce RTX 5090",
    "total_vram_gib": 32.0, "quantization": "Q6_K", "quantization_source": "option", "lora_rank": 256,
    "peak_allocated_gib": 15.0, "peak_reserved_gib": 16.0, "peak_covers": "stage", "peak_line": 90, "total_s": 105.0,
}  # fmt: skip


def runs(*changes: dict[str, Any]) -> pl.DataFrame:
    """One run for each of the changes; the second and later ones are of prompts of their own, further down."""
    rows = [
        NORMAL | {"run_id": f"f-R{2 + 100 * k}", "prompt_id": f"f-P{k + 1}", "line": 2 + 100 * k} | change
        for k, change in enumerate(changes or ({},))
    ]
    return conform(pl.DataFrame(rows, infer_schema_length=None), "runs")


def steps(*windows: Sequence[float | tuple[float, float]]) -> pl.DataFrame:
    """The steps of the first run, window by window: seconds, or seconds and their uncertainty."""
    rows = []
    for window, each in enumerate(windows, 1):
        for step, given in enumerate(each, 1):
            seconds, uncertainty = given if isinstance(given, tuple) else (given, 0.0)
            rows.append(("f-R2", window, step, seconds, uncertainty, "rate", 10 * window + step))
    names = ["run_id", "window", "step", "duration_s", "uncertainty_s", "method", "line"]
    return conform(pl.DataFrame(rows, schema=names, orient="row"), "steps")


def windows(*total_s: float | None) -> pl.DataFrame:
    """The windows of the first run with these times."""
    rows = [
        {
            "run_id": "f-R2", "window": k, "line": 10 * k, "audio_start": 72 * k - 72, "audio_end": 72 * k + 9,
            "expected_start": 72 * k - 72, "expected_end": 72 * k + 9, "matches": True, "total_s": seconds,
        }
        for k, seconds in enumerate(total_s, 1)
    ]  # fmt: skip
    return conform(pl.DataFrame(rows), "windows")


def reports(gib: Iterable[float], run_id: str = "f-R2", phase: str | None = "WanVAE decode") -> pl.DataFrame:
    """Reports of allocated memory in one phase of a run."""
    rows = [{"run_id": run_id, "phase": phase, "line": 10 + k, "allocated_gib": figure} for k, figure in enumerate(gib)]
    return conform(pl.DataFrame(rows), "memory")


def context(found: Analysis | None = None, settings: Settings | None = None, **tables: pl.DataFrame) -> Context:
    """What a rule sees of these tables; without `runs`, of one normal run."""
    return Context(found or Analysis(**{"runs": runs()} | tables), BASELINES, settings or Settings())


def finds(check: Check, settings: Settings | None = None, **tables: pl.DataFrame) -> bool:
    """Whether a rule has a finding on these tables."""
    return not check(context(None, settings, **tables)).findings.is_empty()
