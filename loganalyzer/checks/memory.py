"""MEM: checks the memory of runs against baselines and the GPU's total."""

from __future__ import annotations

import polars as pl

from loganalyzer.checks.findings import (
    Need,
    Texts,
    at_line,
    describe_mode,
    describe_size,
    format_number,
    format_or_unknown,
    make_findings,
    make_outcome,
    split_by_needs,
)
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.expectations.names import TRUE_PEAKS
from loganalyzer.tables.completeness import NOT_A_PEAK

IS_PEAK = Need(pl.col("peak_covers").is_in(TRUE_PEAKS), NOT_A_PEAK)
REPORT = Need(pl.col("peak_allocated_gib").is_not_null(), "the log has no memory report for this run")
COVERS = Need(
    pl.col("peak_covers").is_not_null(), "the memory report is incomplete: it is unknown what its peak covers"
)
RESERVED = Need(
    pl.col("peak_reserved_gib").is_not_null(), "the memory report is incomplete: it does not state the reserved memory"
)
_INFERRED = "the quantization was inferred from this peak, which cannot confirm it: declare it (--quantization)"
_UNDECLARED = "the quantization is unknown: declare it (--quantization)"


def _split_comparable(context: Context) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Returns runs whose peak is comparable with a baseline, with its band, and the others with the reason.

    Needs that a user can configure come first: without a baseline, the log's data does not matter.
    """
    return split_by_needs(
        _add_stage_band(context),
        Need(pl.col("quantization").is_not_null(), _UNDECLARED, "configuration"),
        Need(pl.col("quantization_source") != "vram", _INFERRED, "configuration"),
        Need(pl.col("vram_low").is_not_null(), _no_baseline, "configuration"),
        Need(
            pl.col("status") == "completed",
            lambda: format_or_unknown("the run did not complete ({}), so its peak does not count", "status"),
        ),
        REPORT,
        COVERS,
        IS_PEAK,
    )


def _add_stage_band(context: Context) -> pl.DataFrame:
    """Returns the runs with the baseline band for a true peak."""
    runs = context.found.runs
    covers = runs["peak_covers"]
    return context.baselines.with_vram(runs.with_columns(pl.lit("stage").alias("peak_covers"))).with_columns(covers)


def _no_baseline() -> pl.Expr:
    return format_or_unknown(
        "no baseline for {} in {} at {}, LoRA rank {}, {}, {} blocks swapped",
        "quantization", describe_mode(), describe_size(), "lora_rank",
        pl.coalesce(pl.format("{}/{}", "window_frames", "motion_frames"), pl.lit("no windows")),
        pl.col("swapped_blocks").fill_null(0),
    )  # fmt: skip


@rule(
    "MEM001",
    "vram-above-baseline",
    "error",
    cause="memory above baseline: {observed}",
    under=("MOD003",),
    summary="The sampling peak is above the baseline's band.",
    why="The peak is nearly deterministic for one model, size and schedule. A higher peak means another model or "
    "setting, or a leak, and out-of-memory on smaller GPUs.",
    example="Max allocated memory: max_memory=16.200 GB\n# normal for Q6_K at 1280x720: 14.55–15.45 GiB",
    fix="Compare the loaded model file, LoRA, block swap and tiling with the last good run.",
)
def vram_above(context: Context) -> Outcome:
    """Compares true stage peaks of runs with a declared quantization only."""
    runs, unchecked = context.once(_split_comparable)
    above = runs.filter(pl.col("peak_allocated_gib") > pl.col("vram_high"))
    return make_outcome(
        _band_findings(above, "above"),
        unchecked,
    )


@rule(
    "MEM002",
    "vram-below-baseline",
    "error",
    cause="memory below baseline: {observed}",
    under=("MOD003",),
    summary="The sampling peak is below the baseline's band: a lighter model than declared is loaded.",
    why="A run that needs less memory than its quantization did not use it. The video's quality is lower "
    "than declared.",
    example="Max allocated memory: max_memory=14.100 GB\n# normal for Q6_K at 1280x720: 14.55–15.45 GiB",
    fix="Load the model file of the declared quantization, or declare the loaded one (--quantization).",
)
def vram_below(context: Context) -> Outcome:
    """Compares the peak with the lower end of the same band."""
    runs, unchecked = context.once(_split_comparable)
    below = runs.filter(pl.col("peak_allocated_gib") < pl.col("vram_low"))
    if below.is_empty():
        return make_outcome(None, unchecked)
    rows = _band_findings(below, "below")
    fits = pl.lit(context.baselines.infer_quantization(below))
    hint = pl.when(fits.is_not_null()).then(pl.format(" It matches {}.", fits)).otherwise(pl.lit(""))
    return make_outcome(rows.with_columns(pl.concat_str(["message", hint]).alias("message")), unchecked)


def _band_findings(runs: pl.DataFrame, position: str) -> pl.DataFrame:
    band = pl.format("{} to {} GiB", format_number("vram_low"), format_number("vram_high"))
    shown = pl.format("{}–{} GiB", format_number("vram_low"), format_number("vram_high"))
    return make_findings(
        at_line(runs, "peak_line"),
        lambda: Texts(
            message=pl.format(
                "The peak of {} GiB is {} the normal range of {} for {} at {}x{}.",
                format_number("peak_allocated_gib"), pl.lit(position), shown, "quantization", "width", "height",
            ),
            observed=pl.format("{} GiB", format_number("peak_allocated_gib", 3)),
            expected=band,
        ),
    )  # fmt: skip


@rule(
    "MEM003",
    "vram-headroom",
    "warning",
    cause="GPU memory nearly full",
    under=("RUN002", "TIM005"),
    summary="Reserved memory came close to the GPU's total.",
    why="A slightly longer or larger run will not fit, or the driver will spill to shared memory and become several "
    "times slower.",
    example="Total VRAM 32607 MB, total RAM 64000 MB\nMax reserved memory: max_reserved=31.200 GB",
    fix="Swap more transformer blocks, use tiled VAE, or a lighter quantization.",
)
def vram_headroom(context: Context) -> Outcome:
    """Compares reserved with total memory; only a true stage peak shows the worst moment, a reset can hide it."""
    runs, unchecked = _split_with_total(context)
    limit = 1 - context.settings.headroom_fraction
    tight = runs.filter(pl.col("peak_reserved_gib") > limit * pl.col("total"))
    rows = make_findings(
        at_line(tight, "peak_line"),
        lambda: Texts(
            message=pl.format(
                "{} of {} GiB are reserved; {} GiB are free.",
                format_number("peak_reserved_gib"), format_number("total"),
                format_number(pl.col("total") - pl.col("peak_reserved_gib")),
            ),
            observed=pl.format("{} GiB reserved", format_number("peak_reserved_gib", 3)),
            expected=pl.format("{} GiB at most", format_number(pl.col("total") * limit)),
        ),
    )  # fmt: skip
    return make_outcome(rows, unchecked)


def _split_with_total(context: Context) -> tuple[pl.DataFrame, pl.DataFrame]:
    total = pl.coalesce("total_vram_gib", pl.lit(context.settings.total_vram_gib, pl.Float64))
    tight = pl.col("peak_reserved_gib") > pl.col("total") * (1 - context.settings.headroom_fraction)
    return split_by_needs(
        context.found.runs.with_columns(total.alias("total")),
        Need(REPORT.met | RESERVED.met, REPORT.reason),
        RESERVED,
        Need(
            pl.col("total").is_not_null(),
            "the log does not state the GPU's total memory: set `total_vram_gib` in the configuration",
        ),
        Need(COVERS.met | tight, COVERS.reason),
        Need(IS_PEAK.met | tight, IS_PEAK.reason),
    )


@rule(
    "MEM004",
    "fragmentation",
    "warning",
    cause="memory fragmentation: {observed}",
    under=("RUN002", "TIM005", "MEM003"),
    summary="Far more memory was reserved than allocated.",
    why="Fragmentation makes reserved memory unusable: the GPU runs out of memory although some seems to be free.",
    example="Max allocated memory: max_memory=14.100 GB\nMax reserved memory: max_reserved=19.800 GB",
    fix="Set PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True, or restart the server between large jobs.",
)
def fragmentation(context: Context) -> Outcome:
    """Compares both figures of one report, if they cover the same time."""
    comparable, unchecked = split_by_needs(
        context.found.runs,
        REPORT,
        RESERVED,
        COVERS,
        Need(IS_PEAK.met, "in this wrapper version, the two figures cover different times"),
    )
    gap = pl.col("peak_reserved_gib") / pl.col("peak_allocated_gib") - 1
    wide = comparable.filter(gap > context.settings.fragmentation_fraction)
    rows = make_findings(
        at_line(wide, "peak_line"),
        lambda: Texts(
            message=pl.format(
                "{} GiB are reserved, but only {} GiB are allocated: {} % more.",
                format_number("peak_reserved_gib"), format_number("peak_allocated_gib"), format_number(gap * 100, 0),
            ),
            observed=pl.format("{} % above allocated", format_number(gap * 100, 0)),
            expected=pl.lit(f"{context.settings.fragmentation_fraction * 100:.0f} % at most"),
        ),
    )  # fmt: skip
    return make_outcome(rows, unchecked)


@rule(
    "MEM007",
    "peak-not-sampling",
    "info",
    cause="sampling peak not printed",
    summary="The printed peak covers only a residue or the last VAE decode, not sampling.",
    why="Since 2025-12-01 the VAE resets the peak counter inside the loop. The log shows 9 GB where sampling needed "
    "27 GB. A drop against older logs is not a saving; do not choose a GPU by this figure.",
    example="[Sampling] Max allocated memory: max_memory=9.211 GB",
    fix="Install the recorder (`loganalyze recorder install PATH_TO_COMFYUI`), which prints the sampling peak into the "
    "log. Compare this figure only with logs of the same wrapper era.",
)
def peak_not_sampling(context: Context) -> Outcome:
    """Finds every run whose printed peak does not cover sampling."""
    reported, unchecked = split_by_needs(context.found.runs, REPORT, COVERS)
    runs = reported.filter(~pl.col("peak_covers").is_in(TRUE_PEAKS))
    meaning = (
        pl.when(pl.col("peak_covers") == "residue")
        .then(pl.lit("the memory still allocated after the last VAE decode"))
        .otherwise(pl.lit("the peak of the last window's VAE decode"))
    )
    rows = make_findings(
        at_line(runs, "peak_line"),
        lambda: Texts(
            message=pl.format(
                "The printed {} GiB is {}, not the sampling peak.", format_number("peak_allocated_gib", 3), meaning
            ),
            observed=pl.col("peak_covers"),
            expected=pl.lit("stage"),
        ),
    )
    return make_outcome(rows, unchecked)
