"""MOD: is the right model loaded?"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from loganalyzer.checks.findings import Need, Texts, at, findings, judged, number, outcome, texts, worded
from loganalyzer.checks.memory import COVERS, IS_PEAK, REPORT
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.checks.schedule import other_loops, talking
from loganalyzer.expectations.names import TRUE_PEAKS
from loganalyzer.tables.completeness import NOT_A_PEAK

_DOUBLED = "this wrapper revision may print width and height doubled (2025-12-26 to 12-31)"

_OTHER_FILE = "Load the {} file in the model loader. If the loaded file is meant, declare it: --quantization {}."


def _required(context: Context) -> pl.DataFrame:
    """Talking runs with pixels, and required_from, min_quantization and min_lora as their size requires, else null.

    Of a run of unknown size only what every size requires is known: the LoRA's rank, where it is the same for all.
    A configured rank goes before that of the size.
    """
    needs = context.baselines.requirement.select(
        pl.col("pixels"),
        pl.col("pixels").alias("required_from"),
        pl.col("quantization").alias("min_quantization"),
        pl.col("lora_rank").alias("min_lora"),
    ).sort("pixels")
    runs = talking(context).with_columns((pl.col("width") * pl.col("height")).alias("pixels")).sort("pixels")
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


_SIZE = Need(pl.col("pixels").is_not_null(), "the log does not tell width and height")


@rule(
    "MOD001",
    "quantization-below-resolution",
    "error",
    cause="quantization too low for the size: {observed}",
    under=("MOD003",),
    summary="The quantization is lighter than the resolution needs.",
    why="At 1280x720 and more, anything below Q6_K shows as smeared mouths and flicker; 480x832 may use Q5_0.",
    example="Q5_0 at 1280x720",
    fix="Load Q6_K or better, or render at 480x832. If a lighter quantization is meant, set `quantization` in a "
    "`[[requirement]]` of the baselines file.",
)
def quantization_below_resolution(context: Context) -> Outcome:
    """By the ranking of quantizations; an inferred one counts too, and is named as inferred."""
    ranking = {name: position for position, name in enumerate(context.baselines.ranking)}
    required = context.once(_required).with_columns(
        pl.col("quantization").replace_strict(ranking, default=None, return_dtype=pl.Int64).alias("have"),
        pl.col("min_quantization").replace_strict(ranking, default=None, return_dtype=pl.Int64).alias("want"),
    )
    is_low = pl.col("have") < pl.col("want")
    free = pl.col("min_quantization").is_null()
    runs, barred = judged(
        required,
        _SIZE,
        Need(
            free | pl.col("want").is_not_null(),
            lambda: worded("{}, which is required, has no place in the ranking of quantizations", "min_quantization"),
        ),
        Need(free | pl.col("have").is_not_null(), _why_unranked),
        Need(free | ~is_low | pl.col("peak_covers").ne_missing("residue"), _DOUBLED),
    )
    rows = findings(runs.filter(is_low), _too_light)
    return outcome(rows, barred, other_loops(context))


def _why_unranked() -> pl.Expr:
    undeclared = "no quantization is known: declare it (--quantization)"
    return (
        pl.when(pl.col("quantization").is_not_null())
        .then(worded("{} has no place in the ranking of quantizations", "quantization"))
        .when(~pl.col("peak_covers").is_in(TRUE_PEAKS))
        .then(pl.lit(f"{undeclared}; {NOT_A_PEAK}"))
        .otherwise(pl.lit(undeclared))
    )


def _too_light() -> Texts:
    is_inferred = pl.col("quantization_source") == "vram"
    shown = (
        pl.when(is_inferred)
        .then(pl.format("{} (inferred from the peak of {} GiB)", "quantization", number("peak_allocated_gib")))
        .otherwise(pl.format("{} (from {})", "quantization", "quantization_source"))
    )
    return texts(
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
    summary="The speed LoRA has another rank than the required 256.",
    why="The rank-64 LoRA of the same name gives visibly worse mouths at the same cost. The example workflows of "
    "WanVideoWrapper use rank 64, so a workflow made from one of them has this finding. If another rank is meant, set "
    "`lora_rank` in the configuration.",
    example="Loading LoRA: lightx2v_I2V_14B_480p_cfg_step_distill_rank64_bf16 with strength: 1.0",
    fix="Load the rank-256 file. If rank 64 is meant, set `lora_rank = 64` in the configuration.",
)
def lora_rank(context: Context) -> Outcome:
    """The rank in the LoRA's file name."""
    free = pl.col("min_lora").is_null()
    runs, barred = judged(
        context.once(_required),
        Need(~free | _SIZE.met, _SIZE.reason),
        Need(
            free | pl.col("lora_rank").is_not_null(),
            "no loaded LoRA has a rank in its name (or the loader was cached)",
        ),
    )
    wrong = runs.filter(pl.col("lora_rank") != pl.col("min_lora"))
    rows = findings(
        _at_lora(wrong, context.found.loras),
        lambda: texts(
            message=pl.format("The LoRA has rank {}, not {}.", "lora_rank", "min_lora"),
            observed=pl.format("rank {}", "lora_rank"),
            expected=pl.format("rank {}", "min_lora"),
            fix=pl.format(
                "Load the LoRA file with rank{} in its name. If rank {} is meant, set `lora_rank = {}` in the "
                "configuration. Upstream's own example workflows use rank 64.",
                "min_lora",
                "lora_rank",
                "lora_rank",
            ),
        ),
    )
    return outcome(rows, barred, other_loops(context))


def _at_lora(runs: pl.DataFrame, loras: pl.DataFrame) -> pl.DataFrame:
    """`runs` with the line of the LoRA whose rank counts in place of their own."""
    if runs.is_empty():
        return runs
    ranked = (
        loras.filter(pl.col("rank").is_not_null())
        .group_by("prompt_id")
        .agg(pl.col("line").filter(pl.col("rank") == pl.col("rank").last()).last().alias("lora_line"))
    )
    return runs.join(ranked, on="prompt_id", how="left", maintain_order="left").pipe(at, "lora_line")


@rule(
    "MOD003",
    "quantization-mismatch",
    "warning",
    cause="wrong model: {observed}, not {expected}",
    summary="The declared quantization is not the one that the log names, or that the peak fits.",
    why="Loaders and the block swap summary name the quantization exactly: then it is an error. Elsewhere a peak in "
    "another quantization's band says that another file is loaded.",
    example="declared Q6_K, peak 14.1 GiB as of Q5_0",
    fix="Check the model loader's file; declare what is loaded.",
)
def quantization_mismatch(context: Context) -> Outcome:
    """Declared against what the log names, or against what is inferred where the peak is a true one."""
    named = context.found.runs.filter(
        (pl.col("quantization_source") == "log")
        & (pl.col("quantization").str.to_uppercase() != pl.col("declared_quantization")),
    )
    proven = findings(
        named,
        lambda: texts(
            message=pl.format("{} is declared, but the log shows {}.", "declared_quantization", "quantization"),
            observed=pl.col("quantization"),
            expected=pl.col("declared_quantization"),
            fix=pl.format(_OTHER_FILE, "declared_quantization", "quantization"),
        ),
    )
    return replace(_inferred_mismatch(context), proven=proven)


def _source() -> pl.Expr:
    """Where the quantization is declared, in words."""
    words = {"filename": "in the file name", "option": "by --quantization", "workflow": "in the workflow"}
    return pl.col("quantization_source").replace_strict(words, default=pl.col("quantization_source"))


def _inferred_mismatch(context: Context) -> Outcome:
    untold = context.found.runs.filter(pl.col("quantization_source").ne_missing(pl.lit("log")))
    held = untold.with_columns(context.baselines.infer_quantization(untold).alias("fits"))
    runs, barred = judged(
        held,
        Need(
            pl.col("quantization").is_not_null() & (pl.col("quantization_source") != "vram"),
            "no quantization is declared (--quantization)",
        ),
        REPORT,
        COVERS,
        IS_PEAK,
        Need(pl.col("fits").is_not_null(), "the peak fits no single baseline of this mode, size, LoRA and schedule"),
    )
    wrong = runs.filter(pl.col("fits") != pl.col("quantization"))
    rows = findings(
        at(wrong, "peak_line"),
        lambda: texts(
            message=pl.format(
                "{} is declared ({}), but the peak of {} GiB matches {}.",
                "quantization", _source(), number("peak_allocated_gib"), "fits",
            ),
            observed=pl.col("fits"),
            expected=pl.col("quantization"),
            fix=pl.format(_OTHER_FILE, "quantization", "fits"),
        ),
    )  # fmt: skip
    return outcome(rows, barred)
