"""What is measured of a run, and what two runs must share before their figures are held against each other.

A figure is compared only with figures of the same key (`KEY`) and the same `basis`: what it rests on. Runs of other
producers than the wrapper name theirs there; a memory peak names what it covers, a prompt's time the length of the
video, a step's time whether single steps were seen. Figures whose basis is null are compared across lengths.
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
_SINGLE: Final = ("rate", "timestamps", "printed")
"""How a single step's time was found; whole elapsed seconds and averages are no single times."""
_LOADS_EACH_TIME: Final = ("core", "autosampler")
"""Producers whose windows are samplers of their own."""
_ENDED: Final = ("completed", "interrupted", "truncated")
"""Runs whose finished windows tell how fast it was; what goes before a failure is not typical."""


@dataclass(frozen=True)
class Metric:
    """One measured quantity.

    Attributes:
        name, unit, title: as in documents, and for people.
        kind: `exact` figures are compared for equality, `steady` ones with a floor (memory is nearly deterministic),
            `noisy` ones by statistics.
        higher_is_better: which direction is for the worse.
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


def floors(metric: Metric) -> Floors:
    """The least deviation of a metric that counts. All memory is judged as nearly free of noise."""
    from loganalyzer.regression.control import Floors  # and numpy with it, which measuring does not need

    return Floors(metric.floor, steady=metric.kind == "steady" or metric.unit == "GiB")


def measure(found: Analysis) -> pl.DataFrame:
    """All figures of all runs: one row per run and metric that the log tells; columns of `MEASURED`.

    `values` is how many single figures stand behind one (steps, windows); `estimated` says that only averages were
    known.
    """
    parts = [_steps(found), _windows(found), _per_window(found), *_prompts(found), *_peaks(found), *_counts(found)]
    order = {name: place for place, name in enumerate(METRICS)}
    rows = pl.concat([part.select(_column(part, name) for name in MEASURED) for part in parts])
    known = rows.filter(pl.col("value").is_finite()).with_columns(
        pl.col("metric").replace_strict({name: metric.unit for name, metric in METRICS.items()}).alias("unit")
    )
    runs = found.runs.select("run_id", "producer").with_row_index("place")
    own = pl.when(pl.col("producer") != "wrapper").then("producer")
    told = pl.concat_str([own, pl.when(own.is_not_null()).then("basis")], separator=", ", ignore_nulls=True)
    return (
        known.join(runs, on="run_id", how="inner")
        .with_columns(pl.when(own.is_not_null()).then(told).otherwise("basis").alias("basis"))
        .drop("producer")
        .sort("place", pl.col("metric").replace_strict(order, return_dtype=pl.Int64))
        .drop("place")
    )


def keys(runs: pl.DataFrame, gpu: str | None = None) -> pl.DataFrame:
    """run_id and `KEY` of each run; `gpu` stands in where the log names none."""
    named = runs.with_columns(pl.coalesce("gpu", pl.lit(gpu, pl.String)).alias("gpu"))
    return named.select("run_id", *KEY)


def _column(part: pl.DataFrame, name: str) -> pl.Expr:
    expr = pl.col(name) if name in part.columns else pl.lit(None)
    return expr.cast(MEASURED[name]).alias(name)


def _steps(found: Analysis) -> pl.DataFrame:
    """Median of the single steps without the run's first, which holds the warm-up; else of the windows' averages."""
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


def _windows(found: Analysis) -> pl.DataFrame:
    """Median of the windows' own times, decoding included."""
    runs = found.runs.filter(pl.col("status").is_in(_ENDED)).select("run_id")
    return (
        found.windows.join(runs, on="run_id", how="semi")
        .group_by("run_id", maintain_order=True)
        .agg(*_median("total_s"))
        .with_columns(pl.lit("window_s").alias("metric"), pl.lit(value=False).alias("estimated"))
    )


def _per_window(found: Analysis) -> pl.DataFrame:
    return _completed(found).select(
        "run_id",
        pl.lit("total_s_per_window").alias("metric"),
        (pl.col("total_s") / pl.col("observed_windows")).alias("value"),
        pl.col("observed_windows").alias("values"),
        pl.lit(value=False).alias("estimated"),
    )


def _completed(found: Analysis) -> pl.DataFrame:
    return found.runs.filter(pl.col("status") == "completed")


def _prompts(found: Analysis) -> list[pl.DataFrame]:
    """A prompt's time, and what of it lies outside its windows; told of the prompt's first run.

    Both grow with the video, and with the models that had to be loaded first: so that is their basis.
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
            (pl.col("total_s").is_null() | pl.col("observed_windows").is_null()).any().alias("untold"),
        )
        .filter(~pl.col("untold"))
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


def _peaks(found: Analysis) -> list[pl.DataFrame]:
    """The final report's figures; what they cover differs by wrapper version, and block swap moves memory elsewhere."""
    swapped = pl.col("swapped_blocks").fill_null(0)
    basis = (
        pl.when(swapped > 0)
        .then(pl.format("{}, {} blocks swapped", "peak_covers", swapped))
        .otherwise(pl.col("peak_covers"))
    )
    runs = _completed(found).filter(pl.col("peak_covers").is_not_null())
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


def _counts(found: Analysis) -> list[pl.DataFrame]:
    """Exact figures: they follow from the audio's length, so they are equal or something is wrong."""
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


def singles(found: Analysis) -> pl.DataFrame:
    """run_id, metric, value: the single figures behind s_per_step and window_s, where the log tells them."""
    runs = found.runs.filter(pl.col("status").is_in(_ENDED)).select("run_id")
    duration = pl.col("duration_s").alias("value")
    steps = _single_steps(found).select("run_id", pl.lit("s_per_step").alias("metric"), duration)
    windows = found.windows.select("run_id", pl.lit("window_s").alias("metric"), pl.col("total_s").alias("value"))
    both = pl.concat([steps, windows]).join(runs, on="run_id", how="semi", maintain_order="left")
    return both.filter(pl.col("value").is_finite())


def _single_steps(found: Analysis) -> pl.DataFrame:
    """Steps of known duration without those that hold a warm-up."""
    return found.steps.filter(pl.col("method").is_in(_SINGLE) & ~warm_up(found.runs))


def warm_up(runs: pl.DataFrame) -> pl.Expr:
    """Whether a step holds a warm-up: the first of a run, and of ComfyUI's own windows, which load the model."""
    own = runs.filter(pl.col("producer").is_in(_LOADS_EACH_TIME))["run_id"]
    is_first = (pl.col("window") == 1) | pl.col("run_id").is_in(own.implode())
    return (is_first & (pl.col("step") == 1)).fill_null(value=False)
