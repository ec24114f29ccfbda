"""Measures runs, and defines what two runs must share for their figures to be comparable.

A figure is compared only with figures of the same key (`KEY`) and the same `basis`. The basis names the producer for
runs that are not the wrapper's. It also states what a memory peak covers, the length of the video for a prompt's time,
and whether single steps were seen for a step's time. Figures whose basis is null are compared across lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from loganalyzer.tables.analysis import Analysis

if TYPE_CHECKING:
    from loganalyzer.regression.control import Floors

Kind = Literal["exact", "steady", "noisy"]

KEY: Final = (
    "mode",
    "width",
    "height",
    "steps",
    "quantization",
    "lora_rank",
    "window_frames",
    "motion_frames",
    "gpu",
)
"""Columns of `runs` that two runs must share."""

MEASURED: Final = pl.Schema(
    {
        "run_id": pl.String,
        "metric": pl.String,
        "unit": pl.String,
        "basis": pl.String,
        "value": pl.Float64,
        "values": pl.Int64,
        "estimated": pl.Boolean,
    }
)
SINGLE_STEP_METHODS: Final = ("rate", "timestamps", "printed", "recorded")
"""Methods that yield a single step's time; elapsed times in whole seconds and averages do not."""
_RELOADING_PRODUCERS: Final = ("core", "autosampler")
"""Producers that run a separate sampler for each window."""
_ENDED: Final = ("completed", "interrupted", "truncated")
"""Statuses of runs whose finished windows show their speed; windows before a failure are not typical."""


@dataclass(frozen=True)
class Metric:
    """One measured quantity.

    Attributes:
        name, unit, title: as in documents; the title is for people.
        kind: `exact` figures are compared for equality, `steady` ones with a floor (memory is nearly deterministic),
            `noisy` ones by statistics.
        higher_is_better: whether a decrease is a regression.
        floor: the smallest difference that counts, in the metric's unit.
    """

    name: str
    unit: str
    title: str
    kind: Kind
    higher_is_better: bool = False
    floor: float = 0.0


METRICS: Final[dict[str, Metric]] = {
    metric.name: metric
    for metric in (
        Metric("s_per_step", "s", "time per step", "noisy"),
        Metric("window_s", "s", "time per window, median", "noisy"),
        Metric("total_s_per_window", "s", "run time per window", "noisy"),
        Metric("prompt_s", "s", "prompt time", "noisy"),
        Metric("overhead_s", "s", "prompt time outside the windows", "noisy", floor=3.0),
        Metric("peak_allocated_gib", "GiB", "memory peak, allocated", "steady", floor=0.15),
        Metric("peak_reserved_gib", "GiB", "memory peak, reserved", "noisy", floor=0.15),
        Metric("missing_frames", "frames", "frames without audio", "exact"),
        Metric("observed_windows", "windows", "windows run", "exact", higher_is_better=True),
    )
}


def get_floors(metric: Metric) -> Floors:
    """The smallest deviation of a metric that counts. Memory is treated as nearly free of noise."""
    from loganalyzer.regression.control import Floors  # imports numpy, which measuring does not need

    return Floors(metric.floor, steady=metric.kind == "steady" or metric.unit == "GiB")


def measure(found: Analysis) -> pl.DataFrame:
    """All figures of all runs: one row per run and metric in the log; columns of `MEASURED`.

    `values` is the number of single figures behind one (steps, windows); `estimated` says that only averages were
    known.
    """
    parts = [
        _measure_steps(found),
        _measure_windows(found),
        _measure_time_per_window(found),
        *_measure_prompts(found),
        *_measure_peaks(found),
        *_measure_counts(found),
    ]
    order = {name: place for place, name in enumerate(METRICS)}
    rows = pl.concat([part.select(_measured_column(part, name) for name in MEASURED) for part in parts])
    known = rows.filter(pl.col("value").is_finite()).with_columns(
        pl.col("metric").replace_strict({name: metric.unit for name, metric in METRICS.items()}).alias("unit")
    )
    runs = found.runs.select("run_id", "producer").with_row_index("place")
    producer = pl.when(pl.col("producer") != "wrapper").then("producer")
    full_basis = pl.concat_str(
        [producer, pl.when(producer.is_not_null()).then("basis")], separator=", ", ignore_nulls=True
    )
    return (
        known.join(runs, on="run_id", how="inner")
        .with_columns(pl.when(producer.is_not_null()).then(full_basis).otherwise("basis").alias("basis"))
        .drop("producer")
        .sort("place", pl.col("metric").replace_strict(order, return_dtype=pl.Int64))
        .drop("place")
    )


def comparison_keys(runs: pl.DataFrame, gpu: str | None = None) -> pl.DataFrame:
    """run_id and `KEY` of each run; `gpu` is used if the log does not name one."""
    named = runs.with_columns(pl.coalesce("gpu", pl.lit(gpu, pl.String)).alias("gpu"))
    return named.select("run_id", *KEY)


def _measured_column(part: pl.DataFrame, name: str) -> pl.Expr:
    expr = pl.col(name) if name in part.columns else pl.lit(None)
    return expr.cast(MEASURED[name]).alias(name)


def _measure_steps(found: Analysis) -> pl.DataFrame:
    """Median of single steps without the run's first, which includes the warm-up; else of the windows' averages."""
    runs = found.runs.filter(pl.col("status").is_in(_ENDED)).select("run_id")
    single = (
        _single_steps(found)
        .join(runs, on="run_id", how="semi")
        .group_by("run_id", maintain_order=True)
        .agg(*_median("duration_s"))
        .with_columns(pl.lit(value=False).alias("estimated"), pl.lit(None, pl.String).alias("basis"))
    )
    average = (
        found.windows.join(runs, on="run_id", how="semi")
        .join(single.filter(pl.col("values") > 0), on="run_id", how="anti")
        .group_by("run_id", maintain_order=True)
        .agg(*_median("s_per_step"))
        .with_columns(pl.lit(value=True).alias("estimated"), pl.lit("averages of windows").alias("basis"))
    )
    both = pl.concat([single.filter(pl.col("values") > 0), average])
    return both.with_columns(pl.lit("s_per_step").alias("metric"))


def _median(column: str) -> tuple[pl.Expr, pl.Expr]:
    return pl.col(column).median().alias("value"), pl.col(column).count().cast(pl.Int64).alias("values")


def _measure_windows(found: Analysis) -> pl.DataFrame:
    """Median of the windows' times, including decoding."""
    runs = found.runs.filter(pl.col("status").is_in(_ENDED)).select("run_id")
    return (
        found.windows.join(runs, on="run_id", how="semi")
        .group_by("run_id", maintain_order=True)
        .agg(*_median("total_s"))
        .with_columns(pl.lit("window_s").alias("metric"), pl.lit(value=False).alias("estimated"))
    )


def _measure_time_per_window(found: Analysis) -> pl.DataFrame:
    return _completed_runs(found).select(
        "run_id",
        pl.lit("total_s_per_window").alias("metric"),
        (pl.col("total_s") / pl.col("observed_windows")).alias("value"),
        pl.col("observed_windows").alias("values"),
        pl.lit(value=False).alias("estimated"),
    )


def _completed_runs(found: Analysis) -> pl.DataFrame:
    return found.runs.filter(pl.col("status") == "completed")


def _measure_prompts(found: Analysis) -> list[pl.DataFrame]:
    """A prompt's time, and the part of it outside its windows, attributed to the prompt's first run.

    Both grow with the video's length and with the models that had to be loaded first: so these are their basis.
    """
    loaded = found.loras.select("prompt_id", pl.lit("models loaded").alias("models")).unique()
    ended = found.prompts.filter(pl.col("status") == "completed")
    counted = pl.when(pl.col("windows") == 1).then(pl.lit("1 window")).otherwise(pl.format("{} windows", "windows"))
    prompts = (
        found.runs.join(ended, on="prompt_id", how="semi", maintain_order="left")
        .group_by("prompt_id", maintain_order=True)
        .agg(
            pl.col("run_id", "prompt_s").first(),
            pl.col("observed_windows").sum().alias("windows"),
            pl.col("total_s").sum().alias("sampled"),
            (pl.col("total_s").is_null() | pl.col("observed_windows").is_null()).any().alias("incomplete"),
        )
        .filter(~pl.col("incomplete"))
        .join(loaded, on="prompt_id", how="left", maintain_order="left")
        .with_columns(
            pl.format("{}, {}", counted, pl.col("models").fill_null("models kept")).alias("basis"),
            pl.lit(value=False).alias("estimated"),
            pl.lit(1).alias("values"),
        )
    )
    outside = pl.col("prompt_s") - pl.col("sampled")
    return [
        prompts.with_columns(pl.lit("prompt_s").alias("metric"), pl.col("prompt_s").alias("value")),
        prompts.with_columns(pl.lit("overhead_s").alias("metric"), outside.alias("value")).filter(outside >= 0),
    ]


def _measure_peaks(found: Analysis) -> list[pl.DataFrame]:
    """Figures of the final memory report. What they cover depends on the wrapper version; block swap lowers them."""
    swapped = pl.col("swapped_blocks").fill_null(0)
    basis = (
        pl.when(swapped > 0)
        .then(pl.format("{}, {} blocks swapped", "peak_covers", swapped))
        .otherwise(pl.col("peak_covers"))
    )
    runs = _completed_runs(found).filter(pl.col("peak_covers").is_not_null())
    return [
        runs.select(
            "run_id",
            pl.lit(name).alias("metric"),
            pl.col(name).alias("value"),
            basis.alias("basis"),
            pl.lit(1).alias("values"),
            pl.lit(value=False).alias("estimated"),
        )
        for name in ("peak_allocated_gib", "peak_reserved_gib")
    ]


def _measure_counts(found: Analysis) -> list[pl.DataFrame]:
    """Exact figures. They follow from the audio's length, so any difference is an error."""
    basis = pl.format("{} frames of audio", "audio_frames")
    return [
        found.runs.select(
            "run_id",
            pl.lit(name).alias("metric"),
            pl.col(name).cast(pl.Float64).alias("value"),
            basis.alias("basis"),
            pl.lit(1).alias("values"),
            pl.lit(value=False).alias("estimated"),
        )
        for name in ("missing_frames", "observed_windows")
    ]


def single_figures(found: Analysis) -> pl.DataFrame:
    """run_id, metric, value: the single figures behind s_per_step and window_s that are in the log."""
    runs = found.runs.filter(pl.col("status").is_in(_ENDED)).select("run_id")
    duration = pl.col("duration_s").alias("value")
    steps = _single_steps(found).select("run_id", pl.lit("s_per_step").alias("metric"), duration)
    windows = found.windows.select("run_id", pl.lit("window_s").alias("metric"), pl.col("total_s").alias("value"))
    both = pl.concat([steps, windows]).join(runs, on="run_id", how="semi", maintain_order="left")
    return both.filter(pl.col("value").is_finite())


def _single_steps(found: Analysis) -> pl.DataFrame:
    """Steps of known duration without those that include a warm-up."""
    return found.steps.filter(pl.col("method").is_in(SINGLE_STEP_METHODS) & ~is_warm_up(found.runs))


def is_warm_up(runs: pl.DataFrame) -> pl.Expr:
    """Whether a step includes a warm-up: the first of a run, and of ComfyUI's own windows, which reload the model."""
    reloading = runs.filter(pl.col("producer").is_in(_RELOADING_PRODUCERS))["run_id"]
    is_first = (pl.col("window") == 1) | pl.col("run_id").is_in(reloading.implode())
    return (is_first & (pl.col("step") == 1)).fill_null(value=False)
