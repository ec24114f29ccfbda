"""RUN008 to RUN011 and MOD005: checks that every prompt ran and wrote a usable video."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.checks.findings import Texts, make_findings, make_outcome
from loganalyzer.checks.registry import Context, Outcome, rule

_SAME_REFUSAL: Final = 100
"""Most lines between the outputs that a refusal names and the refusal; a running prompt's bars may come between."""
_REASONS: Final = ("validation-node", "validation-detail")


def _event_lines(context: Context, *events: str) -> pl.DataFrame:
    """Returns the log lines of these events, in order: source, stream, line, event, text."""
    return context.found.excerpts.filter(pl.col("event").is_in(events)).sort("source", "line")


def _add_reason(context: Context, rows: pl.DataFrame) -> pl.DataFrame:
    """Returns `rows` (source, line) with `node` and `detail`: the last ones that validation printed above each."""
    for name, event in zip(("node", "detail"), _REASONS, strict=True):
        printed = _event_lines(context, event).select("source", "line", "text", pl.col("line").alias("at"))
        rows = rows.join_asof(printed, on="line", by="source", check_sortedness=False)
        near = pl.col("line") - pl.col("at") <= _SAME_REFUSAL
        rows = rows.with_columns(pl.when(near).then("text").str.strip_chars(" *-:").alias(name)).drop("text", "at")
    return rows


def _reason_phrase() -> pl.Expr:
    """Returns `: NODE: DETAIL` as far as the log names them."""
    return pl.coalesce(pl.format(": {}: {}", "node", "detail"), pl.format(": {}", "detail"), pl.lit(""))


@rule(
    "RUN008",
    "prompt-refused",
    "error",
    cause="prompt refused",
    summary="ComfyUI refused a prompt: it never ran.",
    why="ComfyUI refuses a prompt with a missing file, a value that is not in the list, or an unknown node. It renders "
    "nothing, and other runs of the log do not show it.",
    example="Failed to validate prompt for output 131:\n* WanVideoModelLoader 22:\n"
    "  - Value not in list: model: 'a.gguf' not in ['b.safetensors']\nOutput will be ignored\n"
    "invalid prompt: {'type': 'prompt_outputs_failed_validation'}",
    fix="Correct the node input that the log names, then queue the prompt again.",
)
def prompt_refused(context: Context) -> Outcome:
    """Reports one finding per refusal, with the node and the reason that validation printed last."""
    refused = _event_lines(context, "refusal").select("source", "line", pl.col("text").alias("observed"))
    rows = make_findings(
        refused if refused.is_empty() else _add_reason(context, refused),
        lambda: Texts(
            message=pl.format("ComfyUI refused a prompt before it ran{}.", _reason_phrase()),
            observed=pl.col("observed"),
            expected=pl.lit("a prompt that runs"),
        ),
    )
    return make_outcome(rows)


@rule(
    "RUN009",
    "output-left-out",
    "warning",
    cause="output skipped",
    summary="ComfyUI skipped an output of the prompt and did not run that part of the graph.",
    why="If one output fails validation and another does not, the prompt runs without the first and ends normally. If "
    "that output was the video, there is no video.",
    example="Failed to validate prompt for output 131:\n* VHS_VideoCombine 131:\n"
    "  - Required input is missing: images\nOutput will be ignored",
    fix="Correct the node input that the log names, or remove the output from the graph.",
)
def output_left_out(context: Context) -> Outcome:
    """Finds outputs that failed validation in prompts that ran."""
    ignored = _event_lines(context, "output-ignored").select("source", "line", pl.col("text").alias("observed"))
    refusals = _event_lines(context, "refusal").select("source", "line", pl.col("line").alias("refused"))
    if not ignored.is_empty():
        ignored = ignored.join_asof(refusals, on="line", by="source", strategy="forward", check_sortedness=False)
        follows = (pl.col("refused") - pl.col("line") <= _SAME_REFUSAL).fill_null(value=False)
        ignored = _add_reason(context, ignored.filter(~follows))
    rows = make_findings(
        ignored,
        lambda: Texts(
            message=pl.format("ComfyUI skipped an output of the prompt{}.", _reason_phrase()),
            observed=pl.col("observed"),
            expected=pl.lit("every output of the graph"),
        ),
    )
    return make_outcome(rows)


def first_in_prompts(context: Context, event: str) -> pl.DataFrame:
    """Returns the first line of an event in each prompt that did not fail.

    Columns: source, line, observed, run_id (of the prompt's last run, null if it has none), count.
    """
    lines = _event_lines(context, event)
    if lines.is_empty():
        return lines.with_columns(pl.lit(None, pl.String).alias("run_id"), pl.lit(0).alias("count"))
    output = ["source", "stream"]
    prompts = context.found.prompts.select(*output, "line", "end_line", "status", "prompt_id").sort("source", "line")
    last = context.found.runs.group_by("prompt_id", maintain_order=True).agg(pl.col("run_id").last())
    return (
        lines.with_columns(pl.col("stream").fill_null(""))
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
    summary="Sampling succeeded, but the video was not written.",
    why="The video writer's ffmpeg process failed. The frames are lost, the GPU time is wasted, and ComfyUI still "
    "prints `Prompt executed`.",
    example="[VideoHelperSuite] - ERROR - An error occurred in the ffmpeg subprocess:\nNo space left on device",
    fix="Read ffmpeg's lines after this one: most often the disk is full or the codec is missing.",
)
def video_not_written(context: Context) -> Outcome:
    """Finds errors of the video writer in prompts without a failure message."""
    rows = make_findings(
        first_in_prompts(context, "video-writer-failed"),
        lambda: Texts(
            message=pl.lit("The video writer failed: no video was written."),
            observed=pl.col("observed"),
            expected=pl.lit("a video"),
        ),
    )
    return make_outcome(rows)


@rule(
    "RUN011",
    "invalid-pixels",
    "error",
    cause="invalid pixels",
    summary="Frames contained invalid values (NaN): the video is black or broken.",
    why="NaN comes from half-precision overflow in attention or VAE, a damaged model file, or a LoRA for another "
    "model. Everything computed from it is NaN too, yet the prompt ends normally.",
    example="nodes.py:94: RuntimeWarning: invalid value encountered in cast",
    fix="Look at the video. Then try another attention mode, a VAE in fp32 or bf16, and the model without LoRAs.",
)
def invalid_pixels(context: Context) -> Outcome:
    """Finds NumPy's warning from the conversion of frames to bytes."""
    rows = make_findings(
        first_in_prompts(context, "invalid-cast"),
        lambda: Texts(
            message=pl.lit("Frames contained NaN when they were converted to bytes: the video is black or broken."),
            observed=pl.lit("invalid values in frames"),
            expected=pl.lit("valid values only"),
        ),
    )
    return make_outcome(rows)


@rule(
    "MOD005",
    "lora-not-loaded",
    "warning",
    cause="LoRA not fully loaded",
    summary="Parts of a LoRA did not load: it does not fit the model.",
    why="ComfyUI skips LoRA keys that have no matching weight in the model. With a partly loaded distillation LoRA, "
    "video of few steps is blurred or noisy.",
    example="lora key not loaded: blocks.0.cross_attn.k.lora_A.weight",
    fix="Load a LoRA made for this model.",
)
def lora_not_loaded(context: Context) -> Outcome:
    """Reports one finding per prompt, with the number of keys as far as their lines are kept."""
    rows = make_findings(
        first_in_prompts(context, "lora-key-missing"),
        lambda: Texts(
            message=pl.format(
                "{} of a LoRA did not load: the LoRA does not fit the model.",
                pl.when(pl.col("count") == 1).then(pl.lit("1 key")).otherwise(pl.format("At least {} keys", "count")),
            ),
            observed=pl.col("observed"),
            expected=pl.lit("all keys loaded"),
        ),
    )
    return make_outcome(rows)
