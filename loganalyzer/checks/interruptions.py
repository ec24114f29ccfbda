"""RUN003, RUN004, RUN006: finds prompts that were interrupted, cut off, or ended with an unexplained traceback."""

from __future__ import annotations

import polars as pl

from loganalyzer.checks.findings import Texts, make_findings, make_outcome, skip
from loganalyzer.checks.prompt_endings import add_stop, prompts_with_status, stop_phrase
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.checks.rotation import split_prompts
from loganalyzer.tables.frames import anti_join

_EXCERPT = "the log is an excerpt without the start and the end of this prompt"


@rule(
    "RUN003",
    "interrupted",
    "warning",
    cause="interrupted",
    summary="The prompt was interrupted.",
    why="Someone or something stopped it, so its video is missing or incomplete.",
    example="Processing interrupted",
    fix="If you did not intend the interruption, render again.",
)
def interrupted(context: Context) -> Outcome:
    """Finds every interrupted prompt."""
    rows = make_findings(
        prompts_with_status(context, "interrupted"),
        lambda: Texts(
            message=pl.format("The prompt was interrupted{}.", stop_phrase()),
            observed=pl.lit("interrupted"),
            expected=pl.lit("completed"),
        ),
    )
    return make_outcome(rows)


@rule(
    "RUN004",
    "truncated",
    "warning",
    cause="log stops mid-run",
    summary="The log stops, or the server restarts, in the middle of a run.",
    why="A killed process prints nothing. The run may have run out of memory or time, or the log may be incomplete.",
    example="Sampling audio indices 72-153:  50%|#####     | 2/4 [00:10<00:10,  5.00s/it]\n"
    "# as the last line of the log",
    fix="Get the complete log. If this is all of it, look for a killed process in the system log (dmesg).",
)
def truncated(context: Context) -> Outcome:
    """Finds prompts without an end, and runs without an end inside a prompt whose last run ended."""
    split = split_prompts(context)
    prompts = prompts_with_status(context, "truncated")
    rotated = prompts.join(split, on="prompt_id", maintain_order="left")
    excerpted = anti_join(prompts, split, "prompt_id").filter(_is_excerpt())
    excerpts = context.found.prompts.filter(_is_excerpt())
    prompts = anti_join(anti_join(prompts, split, "prompt_id"), excerpts, "prompt_id")
    runs = anti_join(context.found.runs.filter(pl.col("status") == "truncated"), split, "prompt_id")
    runs = anti_join(runs, excerpts, "prompt_id")
    unended = runs if runs.is_empty() else runs.join(prompts, on="prompt_id", how="anti", maintain_order="left")
    unended = add_stop(unended, context.found.windows)
    another = "The run stops{}: another run starts, but this one has no memory report and no end in the log."
    found = pl.concat([_truncation_findings(prompts, "The log stops{}."), _truncation_findings(unended, another)])
    continued = skip(rotated, pl.format("the log was rotated during this prompt: the rest is in {}", "rest"))
    return make_outcome(found, continued, skip(excerpted, _EXCERPT))


def _is_excerpt() -> pl.Expr:
    return pl.col("excerpt").fill_null(value=False)


def _truncation_findings(rows: pl.DataFrame, message: str) -> pl.DataFrame:
    return make_findings(
        rows,
        lambda: Texts(
            message=pl.format(message, pl.coalesce(pl.format(" {}", "stop"), pl.lit(" in the middle of the run"))),
            observed=pl.lit("truncated"),
            expected=pl.lit("completed"),
        ),
    )


@rule(
    "RUN006",
    "unexplained-traceback",
    "warning",
    cause="unexplained traceback",
    summary="A traceback comes right before the prompt's end, and no message explains it.",
    why="Nodes catch and print exceptions, and so does the web server when a browser disconnects. The prompt may have "
    "finished normally, but nothing after the traceback proves it.",
    example='Traceback (most recent call last):\n  File "/opt/ComfyUI/custom_nodes/combine.py", line 12, in save\n'
    "Prompt executed in 80.36 seconds",
    fix="Read the traceback above this line in the log, and check that the video exists.",
)
def unexplained_traceback(context: Context) -> Outcome:
    """Finds prompts without a failure message that end with a traceback."""
    if context.found.prompts["error"].null_count() == context.found.prompts.height:
        return make_outcome()
    rows = prompts_with_status(context, "completed").filter(pl.col("error").is_not_null())
    return make_outcome(
        make_findings(
            rows,
            lambda: Texts(
                message=pl.lit("A traceback comes right before the prompt's end, and no message explains it."),
                observed=pl.col("error"),
                expected=pl.lit("no traceback at the end"),
            ),
        )
    )
