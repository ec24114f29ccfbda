"""RUN008 to RUN011 and MOD005: did every prompt run, and is there a video that is worth looking at?"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.checks.findings import findings, outcome, texts
from loganalyzer.checks.registry import Context, Outcome, rule

_SAME_REFUSAL: Final = 100
"""Lines within which a refusal follows the outputs that it refuses; a running prompt's bars may stand between."""
_REASONS: Final = ("validation-node", "validation-detail")


def _lines(context: Context, *events: str) -> pl.DataFrame:
    """The log's lines of these events, in order: source, stream, line, event, text."""
    return context.found.excerpts.filter(pl.col("event").is_in(events)).sort("source", "line")


def _with_reason(context: Context, rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` (source, line) with `node` and `detail`: the last ones that validation names above each."""
    for name, event in zip(("node", "detail"), _REASONS, strict=True):
        said = _lines(context, event).select("source", "line", "text", pl.col("line").alias("at"))
        rows = rows.join_asof(said, on="line", by="source", check_sortedness=False)
        near = pl.col("line") - pl.col("at") <= _SAME_REFUSAL
        rows = rows.with_columns(pl.when(near).then("text").str.strip_chars(" *-:").alias(name)).drop("text", "at")
    return rows


def _because() -> pl.Expr:
    """The node and the detail in words, as far as the log names them."""
    return pl.coalesce(pl.format(": {}: {}", "node", "detail"), pl.format(": {}", "detail"), pl.lit(""))


@rule(
    "RUN008",
    "prompt-refused",
    "error",
    cause="prompt refused",
    summary="ComfyUI refused a prompt: it never ran.",
    why="A missing file, a value that is not in the list or an unknown node makes ComfyUI refuse a prompt before it "
    "starts. Nothing is rendered, and the runs beside it say nothing of it.",
    example="Failed to validate prompt for output 131:\n* WanVideoModelLoader 22:\n"
    "  - Value not in list: model: 'a.gguf' not in ['b.safetensors']\nOutput will be ignored\n"
    "invalid prompt: {'type': 'prompt_outputs_failed_validation'}",
    fix="Correct the node's input that the log names, and queue the prompt again.",
)
def prompt_refused(context: Context) -> Outcome:
    """One finding per refusal, with the node and the reason that validation printed last."""
    refused = _lines(context, "refusal").select("source", "line", pl.col("text").alias("observed"))
    rows = findings(
        refused if refused.is_empty() else _with_reason(context, refused),
        lambda: texts(
            message=pl.format("ComfyUI refused a prompt before it ran{}.", _because()),
            observed=pl.col("observed"),
            expected=pl.lit("a prompt that runs"),
            fix=pl.lit("Correct the node's input that the log names, and queue the prompt again."),
        ),
    )
    return outcome(rows)


@rule(
    "RUN009",
    "output-left-out",
    "warning",
    cause="output skipped",
    summary="An output of the prompt was left out: ComfyUI did not run that part of the graph.",
    why="Where one output fails validation and another does not, the prompt runs without it and ends well. If the "
    "output was the video, there is none.",
    example="Failed to validate prompt for output 131:\n* VHS_VideoCombine 131:\n"
    "  - Required input is missing: images\nOutput will be ignored",
    fix="Correct the node's input that the log names, or take the output out of the graph.",
)
def output_left_out(context: Context) -> Outcome:
    """Outputs that failed validation in prompts that were not refused."""
    ignored = _lines(context, "output-ignored").select("source", "line", pl.col("text").alias("observed"))
    refusals = _lines(context, "refusal").select("source", "line", pl.col("line").alias("refused"))
    if not ignored.is_empty():
        ignored = ignored.join_asof(refusals, on="line", by="source", strategy="forward", check_sortedness=False)
        follows = (pl.col("refused") - pl.col("line") <= _SAME_REFUSAL).fill_null(value=False)
        ignored = _with_reason(context, ignored.filter(~follows))
    rows = findings(
        ignored,
        lambda: texts(
            message=pl.format("ComfyUI left an output out of the prompt{}.", _because()),
            observed=pl.col("observed"),
            expected=pl.lit("every output of the graph"),
            fix=pl.lit("Correct the node's input that the log names, or take the output out of the graph."),
        ),
    )
    return outcome(rows)


def in_prompts(context: Context, event: str) -> pl.DataFrame:
    """The first line of an event in each prompt that did not fail.

    Columns: source, line, observed, run_id (of the prompt's last run, null where it has none), count.
    """
    said = _lines(context, event)
    if said.is_empty():
        return said.with_columns(pl.lit(None, pl.String).alias("run_id"), pl.lit(0).alias("count"))
    output = ["source", "stream"]
    prompts = context.found.prompts.select(*output, "line", "end_line", "status", "prompt_id").sort("source", "line")
    last = context.found.runs.group_by("prompt_id", maintain_order=True).agg(pl.col("run_id").last())
    return (
        said.with_columns(pl.col("stream").fill_null(""))
        .join_asof(prompts.with_columns(pl.col("stream").fill_null("")), on="line", by=output, check_sortedness=False)
        .filter(pl.col("status").ne_missing(pl.lit("failed")))
        .with_columns(pl.when(pl.col("line") <= pl.col("end_line")).then("prompt_id").alias("prompt_id"))
        .group_by("source", "prompt_id", maintain_order=True)
        .agg(pl.col("line").first(), pl.col("text").first().alias("observed"), pl.len().alias("count"))
        .join(last, on="prompt_id", how="left", maintain_order="left")
    )


@rule(
    "RUN010",
    "video-not-written",
    "error",
    cause="video not written",
    summary="The video could not be written, though sampling went well.",
    why="The video writer's ffmpeg ended with an error. The time is paid for, the frames are lost, and ComfyUI still "
    "prints `Prompt executed`.",
    example="[VideoHelperSuite] - ERROR - An error occurred in the ffmpeg subprocess:\nNo space left on device",
    fix="Read the lines of ffmpeg behind this one: most often the disk is full or the codec is missing.",
)
def video_not_written(context: Context) -> Outcome:
    """Errors of the video writer in prompts that no message calls failed."""
    rows = findings(
        in_prompts(context, "video-writer-failed"),
        lambda: texts(
            message=pl.lit("The video writer failed: no video was written."),
            observed=pl.col("observed"),
            expected=pl.lit("a video"),
            fix=pl.lit("Read ffmpeg's lines behind this one: most often the disk is full or the codec is missing."),
        ),
    )
    return outcome(rows)


@rule(
    "RUN011",
    "invalid-pixels",
    "error",
    cause="invalid pixels",
    summary="Frames held values that are no numbers: the video is black or broken.",
    why="NaN comes from half-precision overflow in attention or VAE, from a damaged model file, or from a LoRA of "
    "another model. Everything after it is NaN too, and the prompt ends well.",
    example="nodes.py:94: RuntimeWarning: invalid value encountered in cast",
    fix="Look at the video; then try another attention mode, a VAE in fp32 or bf16, and the model without LoRAs.",
)
def invalid_pixels(context: Context) -> Outcome:
    """NumPy's warning as frames become bytes."""
    rows = findings(
        in_prompts(context, "invalid-cast"),
        lambda: texts(
            message=pl.lit("Frames held NaN as they became bytes: the video is black or broken."),
            observed=pl.lit("invalid values in frames"),
            expected=pl.lit("numbers only"),
            fix=pl.lit("Look at the video; then try another attention mode, a VAE in fp32 or bf16, and no LoRAs."),
        ),
    )
    return outcome(rows)


@rule(
    "MOD005",
    "lora-not-loaded",
    "warning",
    cause="LoRA not fully loaded",
    summary="Parts of a LoRA did not load: it does not fit the model.",
    why="ComfyUI skips keys of a LoRA for which the model has no weight. A distillation LoRA that loads in part gives "
    "blurred or noisy video at few steps.",
    example="lora key not loaded: blocks.0.cross_attn.k.lora_A.weight",
    fix="Load the LoRA that was made for this model.",
)
def lora_not_loaded(context: Context) -> Outcome:
    """One finding per prompt, with the number of keys as far as they are kept."""
    rows = findings(
        in_prompts(context, "lora-key-missing"),
        lambda: texts(
            message=pl.format(
                "{} of a LoRA did not load: the LoRA does not fit the model.",
                pl.when(pl.col("count") == 1).then(pl.lit("1 key")).otherwise(pl.format("{} keys or more", "count")),
            ),
            observed=pl.col("observed"),
            expected=pl.lit("all keys loaded"),
            fix=pl.lit("Load the LoRA that was made for this model."),
        ),
    )
    return outcome(rows)
