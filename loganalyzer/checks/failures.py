"""RUN001, RUN002, RUN007 and RUN012: prompts that failed, why, and what helps."""

from __future__ import annotations

import polars as pl

from loganalyzer.checks.findings import findings, outcome, skipped, texts
from loganalyzer.checks.outputs import in_prompts
from loganalyzer.checks.prompt_endings import ended, progress
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.grammar.causes import explain_errors

_READ = "Read the traceback behind this line in the log."


def _failed(context: Context) -> pl.DataFrame:
    """Failed prompts, with their last run, and the remedy of the cause where that is known."""
    lost = ended(context, "failed")
    if lost.is_empty():
        return lost.with_columns(pl.lit(None, pl.String).alias("remedy"))
    said = lost.select(pl.concat_str("exception_type", "error", separator=": ", ignore_nulls=True).alias("said"))
    return lost.with_columns(explain_errors(said["said"])["fix"].alias("remedy"))


def _memory_ran_out() -> pl.Expr:
    text = pl.concat_str(pl.col("exception_type").fill_null(""), pl.col("error").fill_null(""), separator=" ")
    return text.str.contains("Allocation on device|(?i)out of memory|OutOfMemory")


def _said() -> pl.Expr:
    """The exception's type and message, where it came from, and what that means."""
    words = pl.concat_str("exception_type", "error", separator=": ", ignore_nulls=True)
    said = pl.when(words != "").then(words).otherwise(pl.lit("no message in the log"))
    cause = pl.coalesce(pl.format(" {}", "cause"), pl.lit(""))
    return pl.concat_str(said, _place(), pl.lit("."), cause).str.replace(r"\.\.( |$)", ".$1")


@rule(
    "RUN001",
    "failed",
    "error",
    cause="failed: {observed}",
    summary="The prompt failed with an exception, or its process died.",
    why="ComfyUI prints `Prompt executed in …` after failures too: that line alone is no success.",
    example="!!! Exception during processing !!! Sizes of tensors must match",
    fix="Read the exception and the traceback behind it.",
)
def failed(context: Context) -> Outcome:
    """Every failed prompt but those that ran out of memory, which have a rule of their own."""
    lost = context.once(_failed).filter(~_memory_ran_out())
    sampled = pl.col("run_id").is_not_null()
    when = pl.when(sampled).then(progress()).otherwise(pl.lit(" before its sampling"))
    rows = findings(
        lost,
        lambda: texts(
            message=pl.format("The prompt failed{}: {}", when, _said()),
            observed=pl.col("error").fill_null("failed"),
            expected=pl.lit("completed"),
            fix=pl.coalesce("remedy", pl.lit(_READ)),
        ),
    )
    return outcome(rows, _unproven(context))


def _unproven(context: Context) -> pl.DataFrame:
    """Runs that no message calls failed, and that nothing shows to have finished.

    Upstream prints the memory report after the last window and only on success, so its absence is evidence.
    """
    silent = context.found.runs.filter((pl.col("status") == "completed") & ~pl.col("finish_observed"))
    return skipped(silent, "neither the memory report nor the last window's last step is in the log")


@rule(
    "RUN002",
    "out-of-memory",
    "error",
    cause="out of GPU memory",
    summary="The prompt ran out of GPU memory.",
    why="Everything rendered so far is lost, and the time is paid for.",
    example="!!! Exception during processing !!! Allocation on device\nGot an OOM, unloading all loaded models.",
    fix="Swap more blocks, use tiled VAE, a lighter quantization, a smaller size, or a shorter video.",
)
def out_of_memory(context: Context) -> Outcome:
    """Failures whose type or message names memory."""
    lost = context.once(_failed).filter(_memory_ran_out())
    rows = findings(
        lost,
        lambda: texts(
            message=pl.format(
                "The prompt ran out of GPU memory{}{}{}: {}{}", progress(), _phase(), _figures(), "error", _place()
            ),
            observed=pl.col("error"),
            expected=pl.lit("completed"),
            fix=_remedy(),
        ),
    )
    return outcome(rows)


def _phase() -> pl.Expr:
    """While what it ran out, where the traceback shows that."""
    return pl.coalesce(pl.format(" in VAE {}", _coding()), pl.lit(""))


def _coding() -> pl.Expr:
    return pl.col("failed_phase").replace({"encode": "encoding", "decode": "decoding"})


def _place() -> pl.Expr:
    return pl.coalesce(pl.format(" (in {})", "failed_in"), pl.lit(""))


def _figures() -> pl.Expr:
    gib = [pl.col(f"memory_{name}_gib").round(2) for name in ("requested", "used", "limit")]
    return pl.coalesce(pl.format(" ({} GiB requested, {} of {} GiB in use)", *gib), pl.lit(""))


def _remedy() -> pl.Expr:
    """The remedy that fits the figures and the phase; all of them where the log tells neither."""
    asked, limit = (pl.col(f"memory_{name}_gib") for name in ("requested", "limit"))
    return (
        pl.when(pl.col("failed_phase").is_not_null())
        .then(
            pl.format(
                "Turn on tiled VAE for the {} step (tiled_vae of the embeds node, or WanVideoDecode's "
                "enable_vae_tiling), or use a smaller size.",
                _coding(),
            )
        )
        .when(asked > limit)
        .then(
            pl.lit(
                "The single request is larger than the GPU, so block swap does not help: use sage or flash attention "
                "instead of sdpa, a smaller size, or a shorter window."
            )
        )
        .when(asked.is_not_null())
        .then(pl.lit("Swap more transformer blocks, use a lighter quantization, or a smaller size."))
        .otherwise(pl.lit("Swap more transformer blocks, use tiled VAE, a smaller size or a lighter quantization."))
    )


@rule(
    "RUN007",
    "worker-died",
    "error",
    cause="server worker died",
    summary="The server's worker died: it takes prompts and runs none.",
    why="The page still answers, and every later prompt waits for ever on a machine that is paid for.",
    example="Exception in thread Thread-7 (prompt_worker):\ngot prompt",
    fix="Restart ComfyUI, and queue the prompts again.",
)
def worker_died(context: Context) -> Outcome:
    """One finding per death of a worker, with the requests that it left."""
    died = context.found.prompts.filter(pl.col("worker_died_line").is_not_null())
    waiting = (
        pl.when(pl.col("never_ran") == 1)
        .then(pl.lit("1 later prompt was accepted and never ran"))
        .when(pl.col("never_ran") > 1)
        .then(pl.format("{} later prompts were accepted and never ran", "never_ran"))
        .otherwise(pl.lit("it runs no prompt any more"))
    )
    rows = findings(
        died.with_columns(pl.col("worker_died_line").alias("line")),
        lambda: texts(
            message=pl.format("The server's worker died at line {}: {}.", "worker_died_line", waiting),
            observed=pl.lit("the thread that runs prompts died"),
            expected=pl.lit("a server that runs its prompts"),
            fix=pl.lit("Restart ComfyUI, and queue the prompts again."),
        ),
    )
    return outcome(rows)


@rule(
    "RUN012",
    "vae-retried-tiled",
    "info",
    cause="VAE retried in tiles",
    summary="The VAE ran out of memory once and was run again in tiles.",
    why="It is no failure, but each time costs minutes; with tiles from the start it costs less.",
    example="Warning: Ran out of memory when regular VAE decoding, retrying with tiled VAE decoding.",
    fix="Use the tiled VAE nodes, or free memory before the VAE runs.",
)
def vae_retried(context: Context) -> Outcome:
    """Prompts that did not fail, in which ComfyUI tried the VAE again in tiles."""
    rows = findings(
        in_prompts(context, "vae-retried"),
        lambda: texts(
            message=pl.lit("The VAE ran out of memory and was run again in tiles."),
            observed=pl.col("observed"),
            expected=pl.lit("a VAE that fits"),
            fix=pl.lit("Use the tiled VAE nodes, or free memory before the VAE runs."),
        ),
    )
    return outcome(rows)
