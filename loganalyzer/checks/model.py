"""MOD: checks which model and LoRA were loaded."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from loganalyzer.checks.findings import (
    Need,
    Texts,
    at_line,
    format_number,
    format_or_unknown,
    make_findings,
    make_outcome,
    split_by_needs,
)
from loganalyzer.checks.memory import COVERS, IS_PEAK, REPORT
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.checks.schedule import multitalk_runs, skip_other_loops
from loganalyzer.expectations.names import TRUE_PEAKS
from loganalyzer.tables.completeness import NOT_A_PEAK

_DOUBLED = "this wrapper revision may print width and height doubled (2025-12-26 to 12-31)"

_OTHER_FILE = "Load the {} file in the model loader. If the loaded file is meant, declare it: --quantization {}."


def _join_requirements(context: Context) -> pl.DataFrame:
    """Returns MultiTalk runs with pixels and the requirement of their size: required_from, min_quantization, min_lora.

    For a run of unknown size, only the LoRA rank is known, if it is the same for all sizes. A configured rank takes
    precedence over that of the size.
    """
    needs = context.baselines.requirement.select(
        pl.col("pixels"),
        pl.col("pixels").alias("required_from"),
        pl.col("quantization").alias("min_quantization"),
        pl.col("lora_rank").alias("min_lora"),
    ).sort("pixels")
    runs = multitalk_runs(context).with_columns((pl.col("width") * pl.col("height")).alias("pixels")).sort("pixels")
    sized = runs.filter(pl.col("pixels").is_not_null()).join_asof(needs, on="pixels", strategy="backward")
    ranks = needs["min_lora"].unique()
    unsized = runs.filter(pl.col("pixels").is_null()).with_columns(
        pl.lit(None, pl.Int64).alias("required_from"),
        pl.lit(None, pl.String).alias("min_quantization"),
        pl.lit(ranks.item() if len(ranks) == 1 else None, pl.Int64).alias("min_lora"),
    )
    required = pl.concat([unsized, sized])
    rank = context.settings.lora_rank
    return required if rank is None else required.with_columns(pl.lit(rank, pl.Int64).alias("min_lora"))


_SIZE = Need(pl.col("pixels").is_not_null(), "width and height are not in the log")


@rule(
    "MOD001",
    "quantization-below-resolution",
    "error",
    cause="quantization too low for the size: {observed}",
    under=("MOD003",),
    summary="The quantization is too low for the resolution.",
    why="At 1280x720 and above, quantizations below Q6_K cause smeared mouths and flicker. Q5_0 is fine at 480x832.",
    example="Sampling 369 frames in 6 windows, at 1280x720 with 4 steps\n# with a Q5_0 model",
    fix="Load Q6_K or better, or render at 480x832. If a lower quantization is meant, set `quantization` in a "
    "`[[requirement]]` of the baselines file.",
)
def quantization_below_resolution(context: Context) -> Outcome:
    """Compares quantizations by rank; an inferred one counts too, and the finding says that it is inferred."""
    ranking = {name: position for position, name in enumerate(context.baselines.ranking)}
    required = context.once(_join_requirements).with_columns(
        pl.col("quantization").replace_strict(ranking, default=None, return_dtype=pl.Int64).alias("rank"),
        pl.col("min_quantization").replace_strict(ranking, default=None, return_dtype=pl.Int64).alias("min_rank"),
    )
    is_low = pl.col("rank") < pl.col("min_rank")
    free = pl.col("min_quantization").is_null()
    runs, unchecked = split_by_needs(
        required,
        _SIZE,
        Need(
            free | pl.col("min_rank").is_not_null(),
            lambda: format_or_unknown(
                "the required quantization {} is not in the ranking of quantizations", "min_quantization"
            ),
        ),
        Need(free | pl.col("rank").is_not_null(), _unranked_reason),
        Need(free | ~is_low | pl.col("peak_covers").ne_missing("residue"), _DOUBLED),
    )
    rows = make_findings(runs.filter(is_low), _low_quantization_texts)
    return make_outcome(rows, unchecked, skip_other_loops(context))


def _unranked_reason() -> pl.Expr:
    undeclared = "the quantization is unknown: declare it (--quantization)"
    return (
        pl.when(pl.col("quantization").is_not_null())
        .then(format_or_unknown("{} is not in the ranking of quantizations", "quantization"))
        .when(~pl.col("peak_covers").is_in(TRUE_PEAKS))
        .then(pl.lit(f"{undeclared}; {NOT_A_PEAK}"))
        .otherwise(pl.lit(undeclared))
    )


def _low_quantization_texts() -> Texts:
    is_inferred = pl.col("quantization_source") == "vram"
    shown = (
        pl.when(is_inferred)
        .then(pl.format("{} (inferred from the peak of {} GiB)", "quantization", format_number("peak_allocated_gib")))
        .otherwise(pl.format("{} (from {})", "quantization", "quantization_source"))
    )
    return Texts(
        message=pl.format(
            "{} at {}x{} is below {}, the minimum for this size.", shown, "width", "height", "min_quantization"
        ),
        observed=shown,
        expected=pl.format("{} or better", "min_quantization"),
        fix=pl.format(
            "Load a {} model or better, or render at a smaller size.{} If {} is meant, set `quantization` in a "
            "`[[requirement]]` of the baselines file with `pixels = {}`.",
            "min_quantization",
            pl.when(is_inferred)
            .then(pl.lit(" If another model is loaded, declare it with --quantization."))
            .otherwise(pl.lit("")),
            "quantization",
            "required_from",
        ),
    )


@rule(
    "MOD002",
    "lora-rank",
    "error",
    cause="wrong LoRA: {observed}, not {expected}",
    summary="The speed LoRA does not have the required rank 256.",
    why="The rank-64 LoRA of the same name renders visibly worse mouths at the same cost. WanVideoWrapper's example "
    "workflows use rank 64, so workflows made from them have this finding.",
    example="Loading LoRA: lightx2v_I2V_14B_480p_cfg_step_distill_rank64_bf16 with strength: 1.0",
    fix="Load the rank-256 file. If rank 64 is meant, set `lora_rank = 64` in the configuration.",
)
def lora_rank(context: Context) -> Outcome:
    """Compares the rank in the LoRA's file name with the required one."""
    free = pl.col("min_lora").is_null()
    runs, unchecked = split_by_needs(
        context.once(_join_requirements),
        Need(~free | _SIZE.met, _SIZE.reason),
        Need(
            free | pl.col("lora_rank").is_not_null(),
            "no loaded LoRA has a rank in its name, or the loader was cached",
        ),
    )
    wrong = runs.filter(pl.col("lora_rank") != pl.col("min_lora"))
    rows = make_findings(
        _at_lora_line(wrong, context.found.loras),
        lambda: Texts(
            message=pl.format("The LoRA has rank {}, not {}.", "lora_rank", "min_lora"),
            observed=pl.format("rank {}", "lora_rank"),
            expected=pl.format("rank {}", "min_lora"),
            fix=pl.format(
                "Load the LoRA file with rank{} in its name. If rank {} is meant, set `lora_rank = {}` in the "
                "configuration. Upstream's example workflows use rank 64.",
                "min_lora",
                "lora_rank",
                "lora_rank",
            ),
        ),
    )
    return make_outcome(rows, unchecked, skip_other_loops(context))


def _at_lora_line(runs: pl.DataFrame, loras: pl.DataFrame) -> pl.DataFrame:
    """Returns `runs` with the line of the LoRA whose rank counts in `line`."""
    if runs.is_empty():
        return runs
    ranked = (
        loras.filter(pl.col("rank").is_not_null())
        .group_by("prompt_id")
        .agg(pl.col("line").filter(pl.col("rank") == pl.col("rank").last()).last().alias("lora_line"))
    )
    return runs.join(ranked, on="prompt_id", how="left", maintain_order="left").pipe(at_line, "lora_line")


@rule(
    "MOD003",
    "quantization-mismatch",
    "warning",
    cause="wrong model: {observed}, not {expected}",
    summary="The declared quantization differs from the one that the log names or the peak matches.",
    why="If a loader, the block swap summary or the recorder names another quantization, this is an error. Otherwise, "
    "a peak in another quantization's band means that another file is loaded.",
    example="Max allocated memory: max_memory=14.100 GB\n# with --quantization Q6_K; this peak matches Q5_0",
    fix="Check the file in the model loader, and declare the quantization that is loaded.",
)
def quantization_mismatch(context: Context) -> Outcome:
    """Compares the declared quantization with the one in the log, else with the one inferred from a true peak."""
    named = context.found.runs.filter(
        pl.col("quantization_source").is_in(["log", "recorder"])
        & (pl.col("quantization").str.to_uppercase() != pl.col("declared_quantization")),
    )
    proven = make_findings(
        at_line(named, "model_line"),
        lambda: Texts(
            message=pl.format(
                "{} is declared, but the {} shows {}.", "declared_quantization", "quantization_source", "quantization"
            ),
            observed=pl.col("quantization"),
            expected=pl.col("declared_quantization"),
            fix=pl.format(_OTHER_FILE, "declared_quantization", "quantization"),
        ),
    )
    return replace(_inferred_mismatch(context), proven=proven)


def _declaration_source() -> pl.Expr:
    """Returns where the quantization is declared, as text."""
    words = {
        "filename": "in the file name",
        "option": "by --quantization",
        "workflow": "in the workflow",
        "recorder": "in the name of the recorded model file",
    }
    return pl.col("quantization_source").replace_strict(words, default=pl.col("quantization_source"))


def _inferred_mismatch(context: Context) -> Outcome:
    unnamed = context.found.runs.filter(pl.col("quantization_source").ne_missing(pl.lit("log")))
    inferred = unnamed.with_columns(context.baselines.infer_quantization(unnamed).alias("matched"))
    runs, unchecked = split_by_needs(
        inferred,
        Need(
            pl.col("quantization").is_not_null() & (pl.col("quantization_source") != "vram"),
            "no quantization is declared (--quantization)",
        ),
        REPORT,
        COVERS,
        IS_PEAK,
        Need(
            pl.col("matched").is_not_null(),
            "the peak does not match exactly one baseline of this mode, size, LoRA and schedule",
        ),
    )
    wrong = runs.filter(pl.col("matched") != pl.col("quantization"))
    rows = make_findings(
        at_line(wrong, "peak_line"),
        lambda: Texts(
            message=pl.format(
                "{} is declared ({}), but the peak of {} GiB matches {}.",
                "quantization", _declaration_source(), format_number("peak_allocated_gib"), "matched",
            ),
            observed=pl.col("matched"),
            expected=pl.col("quantization"),
            fix=pl.format(_OTHER_FILE, "quantization", "matched"),
        ),
    )  # fmt: skip
    return make_outcome(rows, unchecked)
