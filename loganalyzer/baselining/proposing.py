"""Runs → the baselines that they would set, each with its band and why, and the runs that can set none."""

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

ABSOLUTE_GIB: Final = 0.15
RELATIVE: Final = 0.02
"""A band reaches at least so far to either side: memory is nearly the same in every run of one kind."""
SLOWER: Final = 0.15
DEARER: Final = 0.10
"""Tolerances over a window's usual time and a video's usual cost, as in the shipped baselines."""
MOST_NAMED: Final = 5
_VRAM: Final = ("quantization", "mode", "width", "height", "lora_rank", "window_frames", "motion_frames")
_TIMING: Final = ("gpu", "mode", "width", "height", "steps", "window_frames")


@dataclass(frozen=True)
class Acceptance:
    """Who accepts, when, and why."""

    who: str
    day: date
    reason: str = ""


@dataclass(frozen=True)
class Proposal:
    """One entry of a baselines file.

    Attributes:
        kind: the entry's table: `vram`, `timing` or `cost`.
        key: what it is for.
        figures: what it says, the provenance included.
        before: the figures in force for this key, empty where there are none.
    """

    kind: str
    key: Mapping[str, Any]
    figures: Mapping[str, Any]
    before: Mapping[str, Any] = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        """Whether anything but the provenance would differ."""
        return any(self.before.get(name) != value for name, value in self.figures.items() if name != "provenance")


@dataclass(frozen=True)
class Proposals:
    """What runs would set, and why others set nothing: one message each."""

    entries: tuple[Proposal, ...]
    refused: tuple[str, ...]


def proposals(
    found: Analysis, shelf: Baselines, accepted: Acceptance, price_per_hour: float | None = None
) -> Proposals:
    """What these runs would set: memory, window times, and (with a price) cost."""
    vram, refused = _memory(found)
    entries = []
    for rows, key_columns, figure, make in (
        (vram, _VRAM, "peak_allocated_gib", _vram),
        (_timed(found), _TIMING, "window", _timing),
    ):
        for key, runs in _groups(rows, key_columns):
            apart = _apart(runs, figure)
            if apart:
                refused.append(apart)
            else:
                entries.append(make(key, runs, shelf, accepted))
    if price_per_hour is not None:
        entries += [_cost(key, runs, shelf, accepted) for key, runs in _groups(_priced(found, price_per_hour), _COST)]
    return Proposals(tuple(entries), tuple(refused))


_COST: Final = ("quantization",)


def _groups(runs: pl.DataFrame, key: tuple[str, ...]) -> Iterator[tuple[dict[str, Any], pl.DataFrame]]:
    for values, rows in runs.group_by(key, maintain_order=True):
        yield dict(zip(key, values, strict=True)), rows


def _memory(found: Analysis) -> tuple[pl.DataFrame, list[str]]:
    """Runs whose peak is one, with a key that is wholly known; of the others the reason."""
    untold = [pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in _VRAM]
    missing = pl.concat_list(untold).list.drop_nulls().list.join(", ")
    reason = (
        pl.when(pl.col("status") != "completed")
        .then(pl.format("the run is {}", "status"))
        .when(pl.col("peak_allocated_gib").is_null())
        .then(pl.lit("the log holds no memory report for it"))
        .when(pl.col("peak_covers").ne_missing("stage"))
        .then(
            pl.format(
                "its printed peak covers {}, not the sampling: this wrapper version does not print that peak",
                pl.col("peak_covers").fill_null("something unknown"),
            )
        )
        .when(pl.col("quantization_source") == "vram")
        .then(pl.lit("its quantization was inferred from the peak itself: declare it (--quantization)"))
        .when(missing != "")
        .then(pl.format("the log does not tell its {}", missing))
        .when(pl.col("swapped_blocks").fill_null(0) > 0)
        .then(pl.format("{} blocks were swapped, which moves memory elsewhere", "swapped_blocks"))
    )
    runs = found.runs.with_columns(reason.alias("reason"))
    barred = runs.filter(pl.col("reason").is_not_null()).select("source", "line", "reason").rows()
    said = [f"{_place(source, line)}: no memory baseline: {why}" for source, line, why in barred]
    return runs.filter(pl.col("reason").is_null()), said


def _place(source: str, line: int) -> str:
    return f"{one_line(PurePath(source).name)}:{line}"


def _vram(key: dict[str, Any], runs: pl.DataFrame, shelf: Baselines, accepted: Acceptance) -> Proposal:
    """The median, and a band that holds every run and reaches as far as both floors."""
    peaks = sorted(runs["peak_allocated_gib"].to_list())
    typical = _median(peaks)
    reach = max(ABSOLUTE_GIB, RELATIVE * typical)
    low, high = min(typical - reach, peaks[0]), max(typical + reach, peaks[-1])
    spread = f"{peaks[0]:.3f} to {peaks[-1]:.3f} GiB" if len(peaks) > 1 else f"{peaks[0]:.3f} GiB"
    why = (
        f"measured {spread}; band: {reach:.2f} GiB to either side ({ABSOLUTE_GIB:g} GiB or {RELATIVE:.0%}, the larger)"
    )
    figures = {
        "peak_allocated_gib": round(typical, 3),
        "band_gib": [_down(low, 2), _up(high, 2)],
        "provenance": _provenance(accepted, runs, why),
    }
    whole = {**key, "covers": "stage"}
    return Proposal("vram", whole, figures, _in_force(shelf.vram, whole, tuple(figures)))


def _apart(runs: pl.DataFrame, figure: str) -> str:
    """Why runs of one key are not alike; empty where they are. A band that held them all would hold faults too."""
    values = sorted(runs[figure].to_list())
    low, typical, high = values[0], _median(values), values[-1]
    if figure == "window":
        is_apart, what, unit = high > low * (1 + SLOWER), "windows take", "s"
    else:
        is_apart, what, unit = high - low > 2 * max(ABSOLUTE_GIB, RELATIVE * typical), "peaks are", "GiB"
    if not is_apart:
        return ""
    odd = max(runs.rows(named=True), key=lambda row: abs(row[figure] - typical))
    return (
        f"{plural(runs.height, 'run')} of one key are not alike: their {what} {low:.4g} to {high:.4g} {unit}, "
        f"{_place(odd['source'], odd['line'])} the oddest: accept those that are as they should be"
    )


def _timed(found: Analysis) -> pl.DataFrame:
    windows = measure(found).filter(pl.col("metric") == "window_s").select("run_id", pl.col("value").alias("window"))
    card = pl.col("gpu").str.replace(CARD_MAKER, "").str.strip_chars()
    named = found.runs.filter(pl.col("status") == "completed").with_columns(card.alias("gpu"))
    return named.join(windows, on="run_id", maintain_order="left").drop_nulls(list(_TIMING))


def _timing(key: dict[str, Any], runs: pl.DataFrame, shelf: Baselines, accepted: Acceptance) -> Proposal:
    times = sorted(runs["window"].to_list())
    figures = {
        "window_s": [_down(times[0], 1), _up(times[-1], 1)],
        "tolerance": SLOWER,
        "provenance": _provenance(
            accepted, runs, f"median window of each run, decoding included; {SLOWER:.0%} over it"
        ),
    }
    return Proposal("timing", key, figures, _in_force(shelf.timing, key, tuple(figures)))


def _priced(found: Analysis, price_per_hour: float) -> pl.DataFrame:
    prompts = measure(found).filter(pl.col("metric") == "prompt_s").select("run_id", pl.col("value").alias("seconds"))
    declared = found.runs.filter(pl.col("quantization_source").ne_missing("vram")).drop_nulls("quantization")
    cost = (pl.col("seconds") / 3600 * price_per_hour).alias("usd")
    return declared.join(prompts, on="run_id", maintain_order="left").with_columns(cost)


def _cost(key: dict[str, Any], runs: pl.DataFrame, shelf: Baselines, accepted: Acceptance) -> Proposal:
    windows = round(_median(sorted(runs["observed_windows"].to_list())))
    each = sorted((runs["usd"] / runs["observed_windows"]).to_list())
    figures = {
        "usd": round(_median(each) * windows, 4),
        "windows": windows,
        "tolerance": DEARER,
        "provenance": _provenance(accepted, runs, f"median cost per window times {windows}"),
    }
    return Proposal("cost", key, figures, _in_force(shelf.cost, key, tuple(figures)))


def _provenance(accepted: Acceptance, runs: pl.DataFrame, why: str) -> str:
    """Who, when, from which runs, how; and the reason given."""
    names = [f"{_place(*row[:2])} ({row[2]})" for row in runs.select("source", "line", "run_id").rows()]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    text = (
        f"Accepted {accepted.day:%Y-%m-%d} by {one_line(accepted.who)} from {plural(len(names), 'run')}: "
        f"{', '.join(names[:MOST_NAMED])}{more}; {why}."
    )
    return f"{text} {one_line(accepted.reason)}" if accepted.reason else text


def _in_force(table: pl.DataFrame, key: Mapping[str, Any], figures: tuple[str, ...]) -> dict[str, Any]:
    """The figures that hold for a key now; width and height may be swapped."""
    turned = {**key, "width": key["height"], "height": key["width"]} if "width" in key else dict(key)
    for wanted in (dict(key), turned):
        rows = table.filter(*(pl.col(name) == value for name, value in wanted.items()))
        if rows.height:
            return rows.select(figures).row(0, named=True)
    return {}


def _median(values: list[float]) -> float:
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def _down(value: float, digits: int) -> float:
    return float(math.floor(value * 10.0**digits + 1e-9) / 10.0**digits)


def _up(value: float, digits: int) -> float:
    return float(math.ceil(value * 10.0**digits - 1e-9) / 10.0**digits)
