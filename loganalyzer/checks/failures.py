"""RUN001, RUN002, RUN007 and RUN012: finds prompts that failed, with the cause and the fix."""

from __future__ import annotations

import polars as pl

from loganalyzer.checks.findings import Texts, make_findings, make_outcome, skip
from loganalyzer.checks.outputs import first_in_prompts
from loganalyzer.checks.prompt_endings import prompts_with_status, stop_phrase
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.grammar.causes import explain_errors


def _failed_prompts(context: Context) -> pl.DataFrame:
    """Returns failed prompts with their last run, and `remedy` (the fix for a known cause, else null)."""
    lost = prompts_with_status(context, "failed")
    if lost.is_empty():
        return lost.with_columns(pl.lit(None, pl.String).alias("remedy"))
    messages = lost.select(pl.concat_str("exception_type", "error", separator=": ", ignore_nulls=True).alias("message"))
    return lost.with_columns(explain_errors(messages["message"])["fix"].alias("remedy"))


def _is_out_of_memory() -> pl.Expr:
    text = pl.concat_str(pl.col("exception_type").fill_null(""), pl.col("error").fill_null(""), separator=" ")
    return text.str.contains("Allocation on device|(?i)out of memory|OutOfMemory")


def _exception_text() -> pl.Expr:
    """Returns the exception's type, message and location, and what it means."""
    words = pl.concat_str("exception_type", "error", separator=": ", ignore_nulls=True)
    exception = pl.when(words != "").then(words).otherwise(pl.lit("no message in the log"))
    cause = pl.coalesce(pl.format(" {}", "cause"), pl.lit(""))
    return pl.concat_str(exception, _location_phrase(), pl.lit("."), cause).str.replace(r"\.\.( |$)", ".$1")


@rule(
    "RUN001",
    "failed",
    "error",
    cause="failed: {observed}",
    summary="The prompt failed with an exception, or its process died.",
    why="ComfyUI prints `Prompt executed in …` after failures too, so that line does not prove success.",
    example="!!! Exception during processing !!! Sizes of tensors must match",
    fix="Read the exception and the traceback after this line in the log.",
)
def failed(context: Context) -> Outcome:
    """Finds every failed prompt except those that ran out of memory (RUN002)."""
    lost = context.once(_failed_prompts).filter(~_is_out_of_memory())
    sampled = pl.col("run_id").is_not_null()
    when = pl.when(sampled).then(stop_phrase()).otherwise(pl.lit(" before sampling"))
    rows = make_findings(
        lost,
        lambda: Texts(
            message=pl.format("The prompt failed{}: {}", when, _exception_text()),
            observed=pl.col("error").fill_null("failed"),
            expected=pl.lit("completed"),
            fix=pl.col("remedy"),
        ),
    )
    return make_outcome(rows, _skip_unproven(context))


def _skip_unproven(context: Context) -> pl.DataFrame:
    """Returns rows of `not_checked` for runs with neither a failure message nor a sign that they finished.

    Upstream prints the memory report after the last window, only on success, so its absence is evidence.
    """
    silent = context.found.runs.filter((pl.col("status") == "completed") & ~pl.col("finish_observed"))
    return skip(silent, "the log has neither the memory report nor the last window's last step")


@rule(
    "RUN002",
    "out-of-memory",
    "error",
    cause="out of GPU memory",
    summary="The prompt ran out of GPU memory.",
    why="Everything rendered so far is lost, and the GPU time is wasted.",
    example="!!! Exception during processing !!! Allocation on device\nGot an OOM, unloading all loaded models.",
    fix="Swap more transformer blocks, use tiled VAE, a lighter quantization, a smaller size, or a shorter video.",
)
def out_of_memory(context: Context) -> Outcome:
    """Finds failures whose exception type or message names memory."""
    lost = context.once(_failed_prompts).filter(_is_out_of_memory())
    rows = make_findings(
        lost,
        lambda: Texts(
            message=pl.format(
                "The prompt ran out of GPU memory{}{}{}: {}{}",
                stop_phrase(),
                _phase_phrase(),
                _memory_phrase(),
                "error",
                _location_phrase(),
            ),
            observed=pl.col("error"),
            expected=pl.lit("completed"),
            fix=_memory_fix(),
        ),
    )
    return make_outcome(rows)


def _phase_phrase() -> pl.Expr:
    """Returns ` in VAE encoding` or ` in VAE decoding` if the traceback shows that, else an empty text."""
    return pl.coalesce(pl.format(" in VAE {}", _phase_word()), pl.lit(""))


def _phase_word() -> pl.Expr:
    return pl.col("failed_phase").replace({"encode": "encoding", "decode": "decoding"})


def _location_phrase() -> pl.Expr:
    return pl.coalesce(pl.format(" (in {})", "failed_in"), pl.lit(""))


def _memory_phrase() -> pl.Expr:
    gib = [pl.col(f"memory_{name}_gib").round(2) for name in ("requested", "used", "limit")]
    return pl.coalesce(pl.format(" ({} GiB requested, {} of {} GiB in use)", *gib), pl.lit(""))


def _memory_fix() -> pl.Expr:
    """Returns the fix for the phase or the memory figures; null (the rule's fix) if the log states neither."""
    requested, limit = (pl.col(f"memory_{name}_gib") for name in ("requested", "limit"))
    return (
        pl.when(pl.col("failed_phase").is_not_null())
        .then(
            pl.format(
                "Turn on tiled VAE for {} (tiled_vae of the embeds node, or enable_vae_tiling of WanVideoDecode), "
                "or use a smaller size.",
                _phase_word(),
            )
        )
        .when(requested > limit)
        .then(
            pl.lit(
                "A single request is larger than the GPU's memory, so block swap does not help. Use sage or flash "
                "attention instead of sdpa, a smaller size, or a shorter window."
            )
        )
        .when(requested.is_not_null())
        .then(pl.lit("Swap more transformer blocks, use a lighter quantization, or a smaller size."))
        .otherwise(pl.lit(None, pl.String))
    )


@rule(
    "RUN007",
    "worker-died",
    "error",
    cause="server worker died",
    summary="The server's worker thread died: the server accepts prompts but runs none.",
    why="The web page still responds, and every later prompt waits forever on a machine that you pay for.",
    example="Exception in thread Thread-7 (prompt_worker):\ngot prompt",
    fix="Restart ComfyUI, then queue the prompts again.",
)
def worker_died(context: Context) -> Outcome:
    """Reports one finding per dead worker, with the number of prompts that never ran."""
    died = context.found.prompts.filter(pl.col("worker_died_line").is_not_null())
    waiting = (
        pl.when(pl.col("never_ran") == 1)
        .then(pl.lit("1 later prompt was accepted and never ran"))
        .when(pl.col("never_ran") > 1)
        .then(pl.format("{} later prompts were accepted and never ran", "never_ran"))
        .otherwise(pl.lit("it runs no more prompts"))
    )
    rows = make_findings(
        died.with_columns(pl.col("worker_died_line").alias("line")),
        lambda: Texts(
            message=pl.format("The server's worker thread died at line {}: {}.", "worker_died_line", waiting),
            observed=pl.lit("the thread that runs prompts died"),
            expected=pl.lit("a server that runs its prompts"),
        ),
    )
    return make_outcome(rows)


@rule(
    "RUN012",
    "vae-retried-tiled",
    "info",
    cause="VAE retried in tiles",
    summary="The VAE ran out of memory, and ComfyUI ran it again in tiles.",
    why="The prompt did not fail, but each retry costs minutes. Tiles from the start cost less.",
    example="Warning: Ran out of memory when regular VAE decoding, retrying with tiled VAE decoding.",
    fix="Use the tiled VAE nodes, or free memory before the VAE runs.",
)
def vae_retried(context: Context) -> Outcome:
    """Finds prompts that did not fail in which ComfyUI ran the VAE again in tiles."""
    rows = make_findings(
        first_in_prompts(context, "vae-retried"),
        lambda: Texts(
            message=pl.lit("The VAE ran out of memory, and ComfyUI ran it again in tiles."),
            observed=pl.col("observed"),
            expected=pl.lit("a VAE that fits into memory"),
        ),
    )
    return make_outcome(rows)
