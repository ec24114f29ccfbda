"""LOG: can the log be believed?"""

from __future__ import annotations

import polars as pl

from loganalyzer.checks.findings import findings, outcome, texts
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.checks.schedule import windowed
from loganalyzer.records.extraction import MAX_NEAR_MISSES
from loganalyzer.redact.cutting import shorten_texts

_IS_UNSEEN = pl.all_horizontal(pl.col(name).is_null() for name in ("announced_windows", "width", "steps"))


@rule(
    "LOG001",
    "unrecognised-variant",
    "warning",
    strict="error",
    cause="unknown message format",
    summary="Lines carry a known message's fixed words and do not parse.",
    why="Upstream may have changed a message. Until the pattern follows, what it says is not checked.",
    example="Sampling 250 frames in four windows, at 1280x720 with 4 steps",
    fix="See `loganalyze patterns explain LINE`; add the new form to patterns/ or report it.",
)
def unrecognised_variant(context: Context) -> Outcome:
    """One finding per file and pattern, at the first such line."""
    misses = context.found.near_misses
    if misses.is_empty():
        return outcome()
    near = (
        misses.sort("source", "line")
        .group_by("source", "pattern", maintain_order=True)
        .agg(pl.col("line", "column", "expected", "text").first(), pl.len().alias("count"))
    )
    kept = misses["source"].value_counts(name="kept")
    cut_off = pl.when(pl.col("kept") >= MAX_NEAR_MISSES).then(pl.lit(" or more")).otherwise(pl.lit(""))
    near = near.join(kept, on="source", how="left", maintain_order="left")
    more = pl.when(pl.col("count") > 1).then(pl.format(" ({}{} such lines)", "count", cut_off)).otherwise(pl.lit(""))
    rows = findings(
        near,
        lambda: texts(
            message=pl.format(
                "A line resembles {} but stops matching at column {}.{}",
                "pattern",
                pl.col("column").cast(pl.String).fill_null("?"),
                more,
            ),
            observed=shorten_texts(pl.col("text"), 160),
            expected=pl.col("expected").fill_null(""),
            fix=pl.lit(
                "Check it with `loganalyze patterns explain LINE`; add the new form to patterns/, or report it."
            ),
        ),
    )
    return outcome(rows)


@rule(
    "LOG002",
    "undecodable-bytes",
    "info",
    cause="undecodable bytes",
    summary="Bytes could not be decoded and were replaced.",
    why="A line with replaced bytes may have been lost to the patterns.",
    example="a log cut in the middle of a character",
    fix="Nothing, unless findings are missing: then get the log as the server wrote it.",
)
def undecodable_bytes(context: Context) -> Outcome:
    """One finding per input."""
    bad = context.found.sources.filter(pl.col("undecodable") > 0).with_columns(pl.lit(1).alias("line"))
    rows = findings(
        bad,
        lambda: texts(
            message=pl.format("{} bytes are no valid {} and were replaced.", "undecodable", "encoding"),
            observed=pl.format("{} bytes", "undecodable"),
            expected=pl.lit("0 bytes"),
            fix=pl.lit("If findings seem to be missing, get the log as the server wrote it."),
        ),
    )
    return outcome(rows)


@rule(
    "LOG003",
    "no-progress-bars",
    "info",
    cause="no progress bars in the log",
    summary="The log holds no progress bars: windows and steps cannot be checked.",
    why="Container logs and service managers often drop what ends in a carriage return.",
    example="a header and a memory report with nothing between",
    fix="Redirect the server's stderr to a file.",
)
def no_progress_bars(context: Context) -> Outcome:
    """Windowed runs without any bar in their file; of some the ranges are known from other lines."""
    drawn = context.found.windows.filter(pl.col("steps_done").is_not_null())["run_id"].unique()
    barless = pl.col("observed_windows").is_null() & ~_IS_UNSEEN
    lines = (pl.col("observed_windows") > 0) & ~pl.col("run_id").is_in(drawn.implode())
    runs = windowed(context).filter(barless | lines.fill_null(value=False))
    rows = findings(
        runs,
        lambda: texts(
            message=pl.when(pl.col("observed_windows").is_null())
            .then(pl.lit("No progress bar is in the log: windows, ranges and times are not checked."))
            .otherwise(pl.lit("No progress bar is in the log: ranges come from other lines, times are not checked.")),
            observed=pl.lit("0 bars"),
            expected=pl.format("{} windows", pl.col("expected_windows").cast(pl.String).fill_null("some")),
            fix=pl.lit("Redirect the server's stderr to a file, bars included."),
        ),
    )
    return outcome(rows)


@rule(
    "LOG004",
    "unseen-sampling",
    "warning",
    strict="error",
    cause="sampling not recognized",
    summary="A run's mode is printed, and neither its header nor its windows are there in words that are known.",
    why="Upstream may have changed both. What they tell is not checked, and a run like this was once not seen at all.",
    example="Multitalk mode: infinitetalk\nRendering 427 frames in 6 windows, at 1280x720 with 4 steps\n"
    "Padding length: 17",
    fix="See what is printed between the mode and the memory report; add the new forms to patterns/, or report them.",
)
def unseen_sampling(context: Context) -> Outcome:
    """Windowed runs without header and bars."""
    rows = findings(
        windowed(context).filter(pl.col("observed_windows").is_null() & _IS_UNSEEN),
        lambda: texts(
            message=pl.lit("Neither the header nor the windows of this run are in the log as they are known."),
            observed=pl.format("mode {}", pl.col("mode").fill_null("?")),
            expected=pl.lit("a header, and a bar for each window"),
            fix=pl.lit("See what stands behind this line; add the new forms to patterns/, or report them."),
        ),
    )
    return outcome(rows)
