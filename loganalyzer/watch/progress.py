"""Reports the progress of each run, and estimates the remaining time from its step times."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from loganalyzer.common.formatting import duration
from loganalyzer.tables.analysis import Analysis


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of one run.

    Attributes:
        line: line of its header in the watched file.
        status: as in `runs`; `truncated` while it is running.
        window, windows: the current window and their number; None if not in the log.
        step, steps: the same for the steps of the current window.
        s_per_step: median step time so far, without the first step.
        peak_gib: the peak in the last memory report.
        left_s: remaining seconds.
        total_s: seconds of the full prompt, once it has ended.
    """

    line: int
    status: str
    window: int | None
    windows: int | None
    step: int | None
    steps: int | None
    s_per_step: float | None
    peak_gib: float | None
    left_s: float | None
    total_s: float | None

    def __str__(self) -> str:
        of = f" of {self.windows}" if self.windows else ""
        parts = [f"window {self.window}{of}" if self.window else f"window –{of}"]
        if self.step is not None and self.steps:
            parts.append(f"step {self.step}/{self.steps}")
        if self.s_per_step is not None:
            parts.append(f"{self.s_per_step:.2f} s/step")
        if self.peak_gib is not None:
            parts.append(f"peak {self.peak_gib:.1f} GiB")
        if self.status != "truncated":
            parts.append(self.status + (f" after {duration(self.total_s)}" if self.total_s is not None else ""))
        elif self.left_s is not None:
            parts.append(f"about {duration(self.left_s)} left")
        return f"run at line {self.line}: " + " · ".join(parts)


def current_progress(found: Analysis) -> list[Progress]:
    """One entry for each run of the last prompt, in order. Line numbers are those of the analyzed text."""
    last = found.prompts.sort("line").tail(1)["prompt_id"]
    runs = found.runs.filter(pl.col("prompt_id").is_in(last.implode())).sort("line")
    return [_run_progress(run, found) for run in runs.rows(named=True)]


def _run_progress(run: dict[str, object], found: Analysis) -> Progress:
    own = pl.col("run_id") == run["run_id"]
    windows = found.windows.filter(own & pl.col("line").is_not_null()).sort("line", "window")
    steps = found.steps.filter(own).sort("window", "step")
    memory = found.memory.filter(own & pl.col("max_allocated_gib").is_not_null())
    current = windows.tail(1).rows(named=True)
    number = current[0]["window"] if current else None
    done, each = (current[0]["steps_done"], current[0]["steps_total"]) if current else (None, run["steps"])
    pace = _median_of(steps["duration_s"][1:]) or _median_of(steps["duration_s"])
    return Progress(
        line=_to_int(run["line"]) or 0,
        status=str(run["status"]),
        window=_to_int(number),
        windows=_to_int(run["expected_windows"]),
        step=_to_int(done),
        steps=_to_int(each),
        s_per_step=pace,
        peak_gib=_last_value(memory["max_allocated_gib"]),
        left_s=_remaining_seconds(run, windows, number, done, pace),
        total_s=_to_float(run["prompt_s"]),
    )


def _remaining_seconds(
    run: dict[str, object], windows: pl.DataFrame, number: object, done: object, pace: float | None
) -> float | None:
    """The estimated remaining time in seconds; None if it cannot be estimated.

    The remaining windows are assumed to take as long as those already done.
    """
    count, each = _to_int(run["expected_windows"]), _to_int(run["steps"])
    if count is None or each is None or pace is None:
        return None
    done_windows = windows.filter(pl.col("total_s").is_not_null() & (pl.col("window") != number))
    per_window = _median_of(done_windows["total_s"]) or pace * each
    current, steps_done = _to_int(number) or 0, _to_int(done) or 0
    rest = max(per_window - steps_done * pace, 0.0) if current else 0.0
    return rest + max(count - current, 0) * per_window


def _median_of(values: pl.Series) -> float | None:
    return _to_float(values.median()) if len(values) else None


def _last_value(values: pl.Series) -> float | None:
    return _to_float(values[-1]) if len(values) else None


def _to_float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _to_int(value: object) -> int | None:
    return int(value) if isinstance(value, int) else None
