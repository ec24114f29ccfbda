"""Proposes baselines from runs, with bands and reasons, and lists the runs that cannot set a baseline."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePath
from typing import Any, Final

import polars as pl

from loganalyzer.common.formatting import one_line, plural
from loganalyzer.expectations.baselines import Baselines
from loganalyzer.expectations.names import CARD_MAKER
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.metrics import measure

MIN_BAND_GIB: Final = 0.15
MIN_BAND_FRACTION: Final = 0.02
"""Minimum half-width of a memory band (the larger of both). Memory is almost the same in comparable runs."""
TIME_TOLERANCE: Final = 0.15
COST_TOLERANCE: Final = 0.10
"""Tolerances above the baseline for window time and for cost, as in the shipped baselines."""
MOST_NAMED: Final = 5
_VRAM_KEY: Final = ("quantization", "mode", "width", "height", "lora_rank", "window_frames", "motion_frames")
_TIMING_KEY: Final = ("gpu", "mode", "width", "height", "steps", "window_frames")


@dataclass(frozen=True)
class Acceptance:
    """Who accepts baselines, when, and why."""

    who: str
    day: date
    reason: str = ""


@dataclass(frozen=True)
class Proposal:
    """One entry of a baselines file.

    Attributes:
        kind: the table of the entry: `vram`, `timing` or `cost`.
        key: the settings that it applies to.
        figures: its values, including the provenance.
        before: the present values for this key; empty if there are none.
    """

    kind: str
    key: Mapping[str, Any]
    figures: Mapping[str, Any]
    before: Mapping[str, Any] = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        """Whether anything except the provenance differs."""
        return any(self.before.get(name) != value for name, value in self.figures.items() if name != "provenance")


@dataclass(frozen=True)
class Proposals:
    """The proposed entries, and one message for each run or group that cannot set a baseline."""

    entries: tuple[Proposal, ...]
    refused: tuple[str, ...]


def propose(
    found: Analysis, baselines: Baselines, accepted: Acceptance, price_per_hour: float | None = None
) -> Proposals:
    """The baselines that these runs would set: memory, window times, and (with a price) cost."""
    vram, refused = _memory_candidates(found)
    entries = []
    for rows, key_columns, figure, make in (
        (vram, _VRAM_KEY, "peak_allocated_gib", _propose_vram),
        (_timing_candidates(found), _TIMING_KEY, "window", _propose_timing),
    ):
        for key, runs in _group_by_key(rows, key_columns):
            disagreement = _disagreement(runs, figure)
            if disagreement:
                refused.append(disagreement)
            else:
                entries.append(make(key, runs, baselines, accepted))
    if price_per_hour is not None:
        entries += [
            _propose_cost(key, runs, baselines, accepted)
            for key, runs in _group_by_key(_cost_candidates(found, price_per_hour), _COST_KEY)
        ]
    return Proposals(tuple(entries), tuple(refused))


_COST_KEY: Final = ("quantization",)


def _group_by_key(runs: pl.DataFrame, key: tuple[str, ...]) -> Iterator[tuple[dict[str, Any], pl.DataFrame]]:
    for values, rows in runs.group_by(key, maintain_order=True):
        yield dict(zip(key, values, strict=True)), rows


def _memory_candidates(found: Analysis) -> tuple[pl.DataFrame, list[str]]:
    """Runs with a true memory peak and a complete key; for the others a message with the reason."""
    unknown = [pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in _VRAM_KEY]
    missing = pl.concat_list(unknown).list.drop_nulls().list.join(", ")
    reason = (
        pl.when(pl.col("status") != "completed")
        .then(pl.format("the run's status is {}", "status"))
        .when(pl.col("peak_allocated_gib").is_null())
        .then(pl.lit("the log has no memory report for the run"))
        .when(pl.col("peak_covers").ne_missing("stage"))
        .then(
            pl.format(
                "the printed peak covers {}, not sampling: this wrapper version does not print the sampling peak",
                pl.col("peak_covers").fill_null("an unknown scope"),
            )
        )
        .when(pl.col("quantization_source") == "vram")
        .then(pl.lit("the quantization was inferred from the peak itself: declare it (--quantization)"))
        .when(missing != "")
        .then(pl.format("not in the log: {}", missing))
        .when(pl.col("swapped_blocks").fill_null(0) > 0)
        .then(pl.format("{} blocks were swapped to system memory", "swapped_blocks"))
    )
    runs = found.runs.with_columns(reason.alias("reason"))
    excluded = runs.filter(pl.col("reason").is_not_null()).select("source", "line", "reason").rows()
    messages = [f"{_log_place(source, line)}: no memory baseline: {why}" for source, line, why in excluded]
    return runs.filter(pl.col("reason").is_null()), messages


def _log_place(source: str, line: int) -> str:
    return f"{one_line(PurePath(source).name)}:{line}"


def _propose_vram(key: dict[str, Any], runs: pl.DataFrame, baselines: Baselines, accepted: Acceptance) -> Proposal:
    """The median peak, and a band that contains every run and is at least as wide as both minimums."""
    peaks = sorted(runs["peak_allocated_gib"].to_list())
    typical = _median(peaks)
    half_width = max(MIN_BAND_GIB, MIN_BAND_FRACTION * typical)
    low, high = min(typical - half_width, peaks[0]), max(typical + half_width, peaks[-1])
    spread = f"{peaks[0]:.3f}–{peaks[-1]:.3f} GiB" if len(peaks) > 1 else f"{peaks[0]:.3f} GiB"
    why = (
        f"measured {spread}; band ±{half_width:.2f} GiB (the larger of {MIN_BAND_GIB:g} GiB and "
        f"{MIN_BAND_FRACTION:.0%})"
    )
    figures = {
        "peak_allocated_gib": round(typical, 3),
        "band_gib": [_round_down(low, 2), _round_up(high, 2)],
        "provenance": _provenance(accepted, runs, why),
    }
    full_key = {**key, "covers": "stage"}
    return Proposal("vram", full_key, figures, _current_figures(baselines.vram, full_key, tuple(figures)))


def _disagreement(runs: pl.DataFrame, figure: str) -> str:
    """Why runs of one key disagree; empty if they agree. A band that contains outliers would hide faults."""
    values = sorted(runs[figure].to_list())
    low, typical, high = values[0], _median(values), values[-1]
    if figure == "window":
        is_wide, what, unit = high > low * (1 + TIME_TOLERANCE), "window times", "s"
    else:
        is_wide, what, unit = high - low > 2 * max(MIN_BAND_GIB, MIN_BAND_FRACTION * typical), "peaks", "GiB"
    if not is_wide:
        return ""
    outlier = max(runs.rows(named=True), key=lambda row: abs(row[figure] - typical))
    return (
        f"{plural(runs.height, 'comparable run')} disagree: {what} {low:.4g}–{high:.4g} {unit}; "
        f"the outlier is {_log_place(outlier['source'], outlier['line'])}. Accept only the runs that are correct"
    )


def _timing_candidates(found: Analysis) -> pl.DataFrame:
    windows = measure(found).filter(pl.col("metric") == "window_s").select("run_id", pl.col("value").alias("window"))
    card = pl.col("gpu").str.replace(CARD_MAKER, "").str.strip_chars()
    named = found.runs.filter(pl.col("status") == "completed").with_columns(card.alias("gpu"))
    return named.join(windows, on="run_id", maintain_order="left").drop_nulls(list(_TIMING_KEY))


def _propose_timing(key: dict[str, Any], runs: pl.DataFrame, baselines: Baselines, accepted: Acceptance) -> Proposal:
    times = sorted(runs["window"].to_list())
    figures = {
        "window_s": [_round_down(times[0], 1), _round_up(times[-1], 1)],
        "tolerance": TIME_TOLERANCE,
        "provenance": _provenance(
            accepted, runs, f"median window of each run, including decoding; tolerance {TIME_TOLERANCE:.0%}"
        ),
    }
    return Proposal("timing", key, figures, _current_figures(baselines.timing, key, tuple(figures)))


def _cost_candidates(found: Analysis, price_per_hour: float) -> pl.DataFrame:
    prompts = measure(found).filter(pl.col("metric") == "prompt_s").select("run_id", pl.col("value").alias("seconds"))
    declared = found.runs.filter(pl.col("quantization_source").ne_missing("vram")).drop_nulls("quantization")
    cost = (pl.col("seconds") / 3600 * price_per_hour).alias("usd")
    return declared.join(prompts, on="run_id", maintain_order="left").with_columns(cost)


def _propose_cost(key: dict[str, Any], runs: pl.DataFrame, baselines: Baselines, accepted: Acceptance) -> Proposal:
    windows = round(_median(sorted(runs["observed_windows"].to_list())))
    each = sorted((runs["usd"] / runs["observed_windows"]).to_list())
    figures = {
        "usd": round(_median(each) * windows, 4),
        "windows": windows,
        "tolerance": COST_TOLERANCE,
        "provenance": _provenance(accepted, runs, f"median cost per window × {windows}"),
    }
    return Proposal("cost", key, figures, _current_figures(baselines.cost, key, tuple(figures)))


def _provenance(accepted: Acceptance, runs: pl.DataFrame, why: str) -> str:
    """A text with who accepted the entry, when, from which runs, how it was calculated, and the given reason."""
    names = [f"{_log_place(*row[:2])} ({row[2]})" for row in runs.select("source", "line", "run_id").rows()]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    text = (
        f"Accepted {accepted.day:%Y-%m-%d} by {one_line(accepted.who)} from {plural(len(names), 'run')}: "
        f"{', '.join(names[:MOST_NAMED])}{more}; {why}."
    )
    return f"{text} {one_line(accepted.reason)}" if accepted.reason else text


def _current_figures(table: pl.DataFrame, key: Mapping[str, Any], figures: tuple[str, ...]) -> dict[str, Any]:
    """The present values for a key; width and height may be swapped."""
    turned = {**key, "width": key["height"], "height": key["width"]} if "width" in key else dict(key)
    for wanted in (dict(key), turned):
        rows = table.filter(*(pl.col(name) == value for name, value in wanted.items()))
        if rows.height:
            return rows.select(figures).row(0, named=True)
    return {}


def _median(values: list[float]) -> float:
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def _round_down(value: float, digits: int) -> float:
    return float(math.floor(value * 10.0**digits + 1e-9) / 10.0**digits)


def _round_up(value: float, digits: int) -> float:
    return float(math.ceil(value * 10.0**digits - 1e-9) / 10.0**digits)
