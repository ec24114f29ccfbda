"""RUN003, RUN004, RUN006: prompts that were interrupted, cut off, or ended with a traceback that nothing explains."""

from __future__ import annotations

import polars as pl

from loganalyzer.checks.findings import findings, outcome, skipped, texts
from loganalyzer.checks.prompt_endings import ended, progress, with_stop
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.checks.rotation import split_prompts
from loganalyzer.tables.frames import anti_join

_EXCERPT = "the log is an excerpt: neither the beginning nor the end of this prompt is in it"


@rule(
    "RUN003",
    "interrupted",
    "warning",
    cause="interrupted",
    summary="The prompt was interrupted.",
    why="Someone or something stopped it: its video is missing or incomplete.",
    example="Processing interrupted",
    fix="Render again if the interruption was not intended.",
)
def interrupted(context: Context) -> Outcome:
    """Every interrupted prompt."""
    rows = findings(
        ended(context, "interrupted"),
        lambda: texts(
            message=pl.format("The prompt was interrupted{}.", progress()),
            observed=pl.lit("interrupted"),
            expected=pl.lit("completed"),
            fix=pl.lit("Render again if the interruption was not intended."),
        ),
    )
    return outcome(rows)


@rule(
    "RUN004",
    "truncated",
    "warning",
    cause="log stops mid-run",
    summary="The log stops, or the server restarts, in the middle of a run.",
    why="A killed process prints nothing: the run may have died of memory or of a timeout, or the log was cut.",
    example="a log whose last line is a progress bar at 2/4",
    fix="Get the whole log. If it is complete, look for a killed process in the system log (dmesg).",
)
def truncated(context: Context) -> Outcome:
    """Every prompt without an end, and runs that broke off in one which another run ended."""
    split = split_prompts(context)
    prompts = ended(context, "truncated")
    parted = prompts.join(split, on="prompt_id", maintain_order="left")
    copied = anti_join(prompts, split, "prompt_id").filter(_is_excerpt())
    excerpts = context.found.prompts.filter(_is_excerpt())
    prompts = anti_join(anti_join(prompts, split, "prompt_id"), excerpts, "prompt_id")
    runs = anti_join(context.found.runs.filter(pl.col("status") == "truncated"), split, "prompt_id")
    runs = anti_join(runs, excerpts, "prompt_id")
    lost = runs if runs.is_empty() else runs.join(prompts, on="prompt_id", how="anti", maintain_order="left")
    lost = with_stop(lost, context.found.windows)
    another = "The run stops{}: another run starts, and the log has neither a memory report nor an end for this one."
    found = pl.concat([_cut_off(prompts, "The log stops{}."), _cut_off(lost, another)])
    rotated = skipped(parted, pl.format("the log was rotated in this prompt: its rest is in {}", "rest"))
    return outcome(found, rotated, skipped(copied, _EXCERPT))


def _is_excerpt() -> pl.Expr:
    return pl.col("excerpt").fill_null(value=False)


def _cut_off(rows: pl.DataFrame, told: str) -> pl.DataFrame:
    return findings(
        rows,
        lambda: texts(
            message=pl.format(told, pl.coalesce(pl.format(" {}", "stop"), pl.lit(" in the middle of the run"))),
            observed=pl.lit("truncated"),
            expected=pl.lit("completed"),
            fix=pl.lit("Get the whole log. If this is all of it, look for a killed process in the system log (dmesg)."),
        ),
    )


@rule(
    "RUN006",
    "unexplained-traceback",
    "warning",
    cause="unexplained traceback",
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
    rows = ended(context, "completed").filter(pl.col("error").is_not_null())
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
