"""RUN: how did the run end?"""

from __future__ import annotations

import polars as pl

from loganalyzer.checks.outcomes import findings, outcome, skipped, texts
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.checks.rotation import split_prompts
from loganalyzer.rows import extended, only, selected, without


def _ended(context: Context, status: str) -> pl.DataFrame:
    """Prompts that ended like this, with run_id of their last run (null where none had begun) and the line to read."""
    prompts = only(context.found.prompts, pl.col("status") == status)
    if prompts.is_empty():
        return prompts
    last = (
        only(context.found.runs, pl.col("status") == status)
        .group_by("prompt_id", maintain_order=True)
        .agg(pl.col("run_id", "observed_windows", "expected_windows").last())
    )
    return prompts.join(last, on="prompt_id", how="left", maintain_order="left").pipe(
        extended, pl.coalesce(_event_line(context, prompts, status), "end_line").alias("line")
    )


def _failed(context: Context) -> pl.DataFrame:
    return _ended(context, "failed")


def _event_line(context: Context, prompts: pl.DataFrame, status: str) -> pl.Expr:
    """The line of the failure itself, where the excerpts (with `stream`) hold it."""
    events = {"failed": ["exception", "wrapper-error", "out-of-memory"], "interrupted": ["interruption"]}
    if status not in events:
        return pl.lit(None, pl.Int64)
    shown = only(context.found.excerpts, pl.col("event").is_in(events[status]))
    output = ("source", pl.col("stream").fill_null(""))
    inside = (
        prompts.pipe(selected, "prompt_id", *output, "line", "end_line").sort("source", "line")
        .join_asof(
            shown.pipe(selected, *output, "line", pl.col("line").alias("shown")).sort("source", "line"),
            on="line", by=["source", "stream"], strategy="forward", check_sortedness=False,
        )
        .filter(pl.col("shown") <= pl.col("end_line"))
    )  # fmt: skip
    lines = dict(inside.pipe(selected, "prompt_id", "shown").rows())
    return pl.col("prompt_id").replace_strict(lines, default=None, return_dtype=pl.Int64)


def _progress() -> pl.Expr:
    seen = pl.format(" in window {} of {}", "observed_windows", "expected_windows")
    return pl.coalesce(seen, pl.lit(""))


def _memory_ran_out() -> pl.Expr:
    text = pl.col("error").fill_null("")
    return text.str.contains("Allocation on device|(?i)out of memory|OutOfMemory")


@rule(
    "RUN001",
    "failed",
    "error",
    summary="The prompt failed with an exception.",
    why="ComfyUI prints `Prompt executed in …` after failures too: that line alone is no success.",
    example="!!! Exception during processing !!! Sizes of tensors must match",
    fix="Read the exception and the traceback behind it.",
)
def failed(context: Context) -> Outcome:
    """Every failed prompt but those that ran out of memory, which have a rule of their own."""
    lost = only(context.once(_failed), ~_memory_ran_out())
    rows = findings(
        lost,
        lambda: texts(
            message=pl.format(
                "The prompt failed{}: {}", _progress(), pl.col("error").fill_null("no message in the log")
            ),
            observed=pl.col("error").fill_null("failed"),
            expected=pl.lit("completed"),
            fix=pl.lit("Read the traceback behind this line in the log."),
        ),
    )
    return outcome(rows, _unproven(context))


def _unproven(context: Context) -> pl.DataFrame:
    """Runs that no message calls failed, and that nothing shows to have finished.

    Upstream prints the memory report after the last window and only on success, so its absence is evidence.
    """
    silent = only(context.found.runs, (pl.col("status") == "completed") & ~pl.col("finish_observed"))
    return skipped(silent, "neither the memory report nor the last window's last step is in the log")


@rule(
    "RUN002",
    "out-of-memory",
    "error",
    summary="The prompt ran out of GPU memory.",
    why="Everything rendered so far is lost, and the time is paid for.",
    example="!!! Exception during processing !!! Allocation on device\nGot an OOM, unloading all loaded models.",
    fix="Swap more blocks, use tiled VAE, a lighter quantisation, a smaller size, or a shorter video.",
)
def out_of_memory(context: Context) -> Outcome:
    """Failures whose message or follow-up line names memory."""
    lost = only(context.once(_failed), _memory_ran_out())
    rows = findings(
        lost,
        lambda: texts(
            message=pl.format("The prompt ran out of GPU memory{}: {}", _progress(), "error"),
            observed=pl.col("error"),
            expected=pl.lit("completed"),
            fix=pl.lit("Swap more transformer blocks, use tiled VAE, a smaller size or a lighter quantisation."),
        ),
    )
    return outcome(rows)


@rule(
    "RUN003",
    "interrupted",
    "warning",
    summary="The prompt was interrupted.",
    why="Someone or something stopped it: its video is missing or incomplete.",
    example="Processing interrupted",
    fix="Render it again if it was not meant.",
)
def interrupted(context: Context) -> Outcome:
    """Every interrupted prompt."""
    rows = findings(
        _ended(context, "interrupted"),
        lambda: texts(
            message=pl.format("The prompt was interrupted{}.", _progress()),
            observed=pl.lit("interrupted"),
            expected=pl.lit("completed"),
            fix=pl.lit("Render it again if the interruption was not meant."),
        ),
    )
    return outcome(rows)


@rule(
    "RUN004",
    "truncated",
    "warning",
    summary="The log ends, or the server restarts, before the prompt does.",
    why="A killed process prints nothing: the run may have died of memory or of a timeout, or the log was cut.",
    example="a log whose last line is a progress bar at 2/4",
    fix="Get the whole log; look at the system's log for a killed process.",
)
def truncated(context: Context) -> Outcome:
    """Every prompt without an end, and runs that broke off in one which another run ended."""
    split = split_prompts(context)
    prompts = _ended(context, "truncated")
    parted = prompts.join(split, on="prompt_id", maintain_order="left")
    prompts = without(prompts, split, "prompt_id")
    runs = without(only(context.found.runs, pl.col("status") == "truncated"), split, "prompt_id")
    lost = runs if runs.is_empty() else runs.join(prompts, on="prompt_id", how="anti", maintain_order="left")
    another = "The run broke off{}: another one begins, and neither its memory report nor its end is there."
    found = pl.concat([_cut_off(prompts, "The log ends before the prompt does{}."), _cut_off(lost, another)])
    return outcome(found, skipped(parted, pl.format("the log was rotated in this prompt: its rest is in {}", "rest")))


def _cut_off(rows: pl.DataFrame, told: str) -> pl.DataFrame:
    return findings(
        rows,
        lambda: texts(
            message=pl.format(told, _progress()),
            observed=pl.lit("truncated"),
            expected=pl.lit("completed"),
            fix=pl.lit("Get the whole log; if it is whole, look for a killed process in the system's log."),
        ),
    )


@rule(
    "RUN006",
    "unexplained-traceback",
    "warning",
    summary="A traceback stands right before the prompt's end, and no message says what became of it.",
    why="Nodes catch exceptions and print them, and so does the web server when a browser goes away: the prompt may "
    "have been none the worse. But nothing behind the traceback shows that it went on.",
    example='Traceback (most recent call last):\n  File "/opt/ComfyUI/custom_nodes/combine.py", line 12, in save\n'
    "Prompt executed in 80.36 seconds",
    fix="Read the traceback, and see whether the video is there.",
)
def unexplained_traceback(context: Context) -> Outcome:
    """Prompts that completed, as far as messages tell, with a traceback as the last word."""
    if context.found.prompts["error"].null_count() == context.found.prompts.height:
        return outcome()
    rows = only(_ended(context, "completed"), pl.col("error").is_not_null())
    return outcome(
        findings(
            rows,
            lambda: texts(
                message=pl.lit("A traceback stands right before the prompt's end, and no message explains it."),
                observed=pl.col("error"),
                expected=pl.lit("no traceback behind the last message"),
                fix=pl.lit("Read the traceback above this line in the log, and see whether the video is there."),
            ),
        )
    )
