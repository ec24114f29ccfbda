"""MEM: did the run take the memory it should take, and will the next one fit?"""

from __future__ import annotations

import polars as pl

from loganalyzer.checks.findings import Need, at, findings, judged, mode, number, outcome, size, texts, worded
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.expectations.names import TRUE_PEAKS
from loganalyzer.tables.completeness import NOT_A_PEAK

IS_PEAK = Need(pl.col("peak_covers").is_in(TRUE_PEAKS), NOT_A_PEAK)
REPORT = Need(pl.col("peak_allocated_gib").is_not_null(), "the log holds no memory report for this run")
COVERS = Need(
    pl.col("peak_covers").is_not_null(), "the memory report is incomplete: what its peak covers cannot be told"
)
RESERVED = Need(
    pl.col("peak_reserved_gib").is_not_null(), "the memory report is incomplete: it does not tell what was reserved"
)
_INFERRED = "the quantization was inferred from the peak itself, which cannot confirm it: declare it (--quantization)"
_UNDECLARED = "no quantization is known: declare it (--quantization)"


def _judged(context: Context) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Runs whose peak may be compared with a baseline, with its band, and the others with the reason.

    What a user can declare comes first: where nothing is to be compared with, the log lacks nothing.
    """
    return judged(
        _with_stage_band(context),
        Need(pl.col("quantization").is_not_null(), _UNDECLARED, "configuration"),
        Need(pl.col("quantization_source") != "vram", _INFERRED, "configuration"),
        Need(pl.col("vram_low").is_not_null(), _no_baseline, "configuration"),
        Need(pl.col("status") == "completed", lambda: worded("the run did not complete ({}): no peak", "status")),
        REPORT,
        COVERS,
        IS_PEAK,
    )


def _with_stage_band(context: Context) -> pl.DataFrame:
    """The runs with the band that a true peak of theirs would have."""
    runs = context.found.runs
    covers = runs["peak_covers"]
    return context.baselines.with_vram(runs.with_columns(pl.lit("stage").alias("peak_covers"))).with_columns(covers)


def _no_baseline() -> pl.Expr:
    return worded(
        "no baseline for {} in {} at {}, LoRA rank {}, {}, {} blocks swapped",
        "quantization", mode(), size(), "lora_rank",
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
    why="The peak is nearly deterministic for one model, size and schedule: more of it means another model, another "
    "setting, or a leak, and out-of-memory on smaller cards.",
    example="Max allocated memory: max_memory=16.200 GB with Q6_K at 1280x720 (band 14.55 to 15.45)",
    fix="Check which model file is loaded, the LoRA, block swap and tiling against the last good run.",
)
def vram_above(context: Context) -> Outcome:
    """Like with like: only true stage peaks, only declared quantizations."""
    runs, barred = context.once(_judged)
    above = runs.filter(pl.col("peak_allocated_gib") > pl.col("vram_high"))
    return outcome(
        _band_findings(
            above,
            "above",
            "Check the loaded model file, LoRA, block swap and tiling against the last good run.",
        ),
        barred,
    )


@rule(
    "MEM002",
    "vram-below-baseline",
    "error",
    cause="memory below baseline: {observed}",
    under=("MOD003",),
    summary="The sampling peak is below the baseline's band: a lighter model than declared is loaded.",
    why="A run that takes less memory than its quantization needs did not use that quantization: the video is of lower "
    "quality than it says.",
    example="Max allocated memory: max_memory=14.100 GB with Q6_K at 1280x720 (band 14.55 to 15.45)",
    fix="Load the model file of the declared quantization, or declare the loaded one (--quantization).",
)
def vram_below(context: Context) -> Outcome:
    """The same band from below."""
    runs, barred = context.once(_judged)
    below = runs.filter(pl.col("peak_allocated_gib") < pl.col("vram_low"))
    if below.is_empty():
        return outcome(None, barred)
    rows = _band_findings(
        below, "below", "Load the model file of the declared quantization, or declare the loaded one (--quantization)."
    )
    fits = pl.lit(context.baselines.infer_quantization(below))
    hint = pl.when(fits.is_not_null()).then(pl.format(" It matches {}.", fits)).otherwise(pl.lit(""))
    return outcome(rows.with_columns(pl.concat_str(["message", hint]).alias("message")), barred)


def _band_findings(runs: pl.DataFrame, side: str, fix: str) -> pl.DataFrame:
    band = pl.format("{} to {} GiB", number("vram_low"), number("vram_high"))
    shown = pl.format("{}–{} GiB", number("vram_low"), number("vram_high"))
    return findings(
        at(runs, "peak_line"),
        lambda: texts(
            message=pl.format(
                "The peak of {} GiB is {} the normal range of {} for {} at {}x{}.",
                number("peak_allocated_gib"), pl.lit(side), shown, "quantization", "width", "height",
            ),
            observed=pl.format("{} GiB", number("peak_allocated_gib", 3)),
            expected=band,
            fix=pl.lit(fix),
        ),
    )  # fmt: skip


@rule(
    "MEM003",
    "vram-headroom",
    "warning",
    cause="GPU memory nearly full",
    under=("RUN002", "TIM005"),
    summary="Reserved memory came close to the card's total.",
    why="The next slightly longer or larger run will not fit, or the driver will spill into shared memory and slow "
    "down several-fold.",
    example="Max reserved memory: max_reserved=31.200 GB on a card of 31.84 GB",
    fix="Swap more blocks, use tiled VAE, or a lighter quantization.",
)
def vram_headroom(context: Context) -> Outcome:
    """Reserved against total; only a true stage figure shows the worst moment, a later reset can only hide it."""
    runs, barred = _with_total(context)
    limit = 1 - context.settings.headroom_fraction
    tight = runs.filter(pl.col("peak_reserved_gib") > limit * pl.col("total"))
    rows = findings(
        at(tight, "peak_line"),
        lambda: texts(
            message=pl.format(
                "{} of {} GiB are reserved: {} GiB are free.",
                number("peak_reserved_gib"), number("total"), number(pl.col("total") - pl.col("peak_reserved_gib")),
            ),
            observed=pl.format("{} GiB reserved", number("peak_reserved_gib", 3)),
            expected=pl.format("{} GiB at most", number(pl.col("total") * limit)),
            fix=pl.lit("Swap more transformer blocks, use tiled VAE, or a lighter quantization."),
        ),
    )  # fmt: skip
    return outcome(rows, barred)


def _with_total(context: Context) -> tuple[pl.DataFrame, pl.DataFrame]:
    total = pl.coalesce("total_vram_gib", pl.lit(context.settings.total_vram_gib, pl.Float64))
    tight = pl.col("peak_reserved_gib") > pl.col("total") * (1 - context.settings.headroom_fraction)
    return judged(
        context.found.runs.with_columns(total.alias("total")),
        Need(REPORT.met | RESERVED.met, REPORT.reason),
        RESERVED,
        Need(pl.col("total").is_not_null(), "the log does not name the card's memory (set total_vram_gib)"),
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
    why="Reserved memory that is not allocated is lost to fragmentation: out-of-memory comes although there seems to "
    "be room.",
    example="max_memory=14.1 GB beside max_reserved=19.8 GB",
    fix="Set PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True, or restart the server between large jobs.",
)
def fragmentation(context: Context) -> Outcome:
    """Both figures of one report, where they cover the same time."""
    like, barred = judged(
        context.found.runs,
        REPORT,
        RESERVED,
        COVERS,
        Need(IS_PEAK.met, "the two figures cover different times in this wrapper version"),
    )
    gap = pl.col("peak_reserved_gib") / pl.col("peak_allocated_gib") - 1
    wide = like.filter(gap > context.settings.fragmentation_fraction)
    rows = findings(
        at(wide, "peak_line"),
        lambda: texts(
            message=pl.format(
                "{} GiB are reserved, but only {} GiB allocated: {} % more.",
                number("peak_reserved_gib"), number("peak_allocated_gib"), number(gap * 100, 0),
            ),
            observed=pl.format("{} % above allocated", number(gap * 100, 0)),
            expected=pl.lit(f"{context.settings.fragmentation_fraction * 100:.0f} % at most"),
            fix=pl.lit(
                "Set PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True, or restart the server between large jobs."
            ),
        ),
    )  # fmt: skip
    return outcome(rows, barred)


@rule(
    "MEM007",
    "peak-not-sampling",
    "info",
    cause="sampling peak not printed",
    summary="The printed peak covers a residue or the last VAE decode only, not the sampling.",
    why="Since 2025-12-01 the VAE resets the peak counter inside the loop. 9.0 is printed where sampling took 27.0: a "
    "fall against older logs is no saving, and no card may be chosen by this figure.",
    example="[Sampling] Max allocated memory: max_memory=9.211 GB",
    fix="Watch the card with nvidia-smi, or compare only with logs of the same wrapper era.",
)
def peak_not_sampling(context: Context) -> Outcome:
    """Every windowed run of the later eras."""
    told, barred = judged(context.found.runs, REPORT, COVERS)
    runs = told.filter(~pl.col("peak_covers").is_in(TRUE_PEAKS))
    meaning = (
        pl.when(pl.col("peak_covers") == "residue")
        .then(pl.lit("what was still allocated after the last VAE decode"))
        .otherwise(pl.lit("the peak of the last window's VAE decode"))
    )
    rows = findings(
        at(runs, "peak_line"),
        lambda: texts(
            message=pl.format(
                "The printed {} GiB is {}, not the sampling peak.", number("peak_allocated_gib", 3), meaning
            ),
            observed=pl.col("peak_covers"),
            expected=pl.lit("stage"),
            fix=pl.lit(
                "Read the sampling peak off nvidia-smi; compare this figure only with logs of the same wrapper era."
            ),
        ),
    )
    return outcome(rows, barred)
