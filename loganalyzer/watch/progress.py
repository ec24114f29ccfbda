"""How far each unfinished run has come, and how long it will still take by its own step times."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from loganalyzer.common.formatting import duration
from loganalyzer.tables.analysis import Analysis


@dataclass(frozen=True, slots=True)
class Progress:
    """One run.

    Attributes:
        line: of its header, in the watched file.
        status: as in `runs`; `truncated` while it goes on.
        window, windows: the current one, and all of them; None where the log does not tell.
        step, steps: of the current window.
        s_per_step: of the steps seen so far, without the run's first.
        peak_gib: the last memory report in it.
        left_s: seconds still to go.
        total_s: seconds of the whole prompt, once it has ended.
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


def progress(found: Analysis) -> list[Progress]:
    """One entry for each run of the last prompt, in order. Line numbers are those of the analyzed text."""
    last = found.prompts.sort("line").tail(1)["prompt_id"]
    runs = found.runs.filter(pl.col("prompt_id").is_in(last.implode())).sort("line")
    return [_of(run, found) for run in runs.rows(named=True)]


def _of(run: dict[str, object], found: Analysis) -> Progress:
    own = pl.col("run_id") == run["run_id"]
    windows = found.windows.filter(own & pl.col("line").is_not_null()).sort("line", "window")
    steps = found.steps.filter(own).sort("window", "step")
    memory = found.memory.filter(own & pl.col("max_allocated_gib").is_not_null())
    current = windows.tail(1).rows(named=True)
    number = current[0]["window"] if current else None
    done, each = (current[0]["steps_done"], current[0]["steps_total"]) if current else (None, run["steps"])
    pace = _median(steps["duration_s"][1:]) or _median(steps["duration_s"])
    return Progress(
        line=_whole(run["line"]) or 0,
        status=str(run["status"]),
        window=_whole(number),
        windows=_whole(run["expected_windows"]),
        step=_whole(done),
        steps=_whole(each),
        s_per_step=pace,
        peak_gib=_last(memory["max_allocated_gib"]),
        left_s=_left(run, windows, number, done, pace),
        total_s=_number(run["prompt_s"]),
    )


def _left(
    run: dict[str, object], windows: pl.DataFrame, number: object, done: object, pace: float | None
) -> float | None:
    """The windows to come take what those behind took; the current one the steps that are missing, and its decode."""
    count, each = _whole(run["expected_windows"]), _whole(run["steps"])
    if count is None or each is None or pace is None:
        return None
    behind = windows.filter(pl.col("total_s").is_not_null() & (pl.col("window") != number))
    usual = _median(behind["total_s"]) or pace * each
    begun, steps_done = _whole(number) or 0, _whole(done) or 0
    rest = max(usual - steps_done * pace, 0.0) if begun else 0.0
    return rest + max(count - begun, 0) * usual


def _median(values: pl.Series) -> float | None:
    return _number(values.median()) if len(values) else None


def _last(values: pl.Series) -> float | None:
    return _number(values[-1]) if len(values) else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int) else None
