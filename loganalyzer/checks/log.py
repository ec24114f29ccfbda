"""LOG: checks whether the log itself can be trusted."""

from __future__ import annotations

import polars as pl

from loganalyzer.checks.findings import Texts, make_findings, make_outcome
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.checks.schedule import windowed_runs
from loganalyzer.records.extraction import MAX_NEAR_MISSES
from loganalyzer.redact.cutting import shorten_texts

_IS_UNSEEN = pl.all_horizontal(pl.col(name).is_null() for name in ("announced_windows", "width", "steps"))


@rule(
    "LOG001",
    "unrecognised-variant",
    "warning",
    strict="error",
    cause="unknown message format",
    summary="Lines contain the fixed words of a known message but do not parse.",
    why="Upstream may have changed a message. Until its pattern is updated, its values are not checked.",
    example="Sampling 250 frames in four windows, at 1280x720 with 4 steps",
    fix="Check the line with `loganalyze patterns explain LINE`, then add the new form to patterns/ or report it.",
)
def unrecognised_variant(context: Context) -> Outcome:
    """Reports one finding per file and pattern, at the first such line."""
    misses = context.found.near_misses
    if misses.is_empty():
        return make_outcome()
    near = (
        misses.sort("source", "line")
        .group_by("source", "pattern", maintain_order=True)
        .agg(pl.col("line", "column", "expected", "text").first(), pl.len().alias("count"))
    )
    kept = misses["source"].value_counts(name="kept")
    or_more = pl.when(pl.col("kept") >= MAX_NEAR_MISSES).then(pl.lit(" or more")).otherwise(pl.lit(""))
    near = near.join(kept, on="source", how="left", maintain_order="left")
    more = pl.when(pl.col("count") > 1).then(pl.format(" ({}{} such lines)", "count", or_more)).otherwise(pl.lit(""))
    rows = make_findings(
        near,
        lambda: Texts(
            message=pl.format(
                "A line resembles {} but stops matching at column {}.{}",
                "pattern",
                pl.col("column").cast(pl.String).fill_null("?"),
                more,
            ),
            observed=shorten_texts(pl.col("text"), 160),
            expected=pl.col("expected").fill_null(""),
        ),
    )
    return make_outcome(rows)


@rule(
    "LOG002",
    "undecodable-bytes",
    "info",
    cause="undecodable bytes",
    summary="Bytes could not be decoded and were replaced.",
    why="A line with replaced bytes may no longer match its pattern.",
    example="# a log in an unknown encoding, or one that stops in the middle of a character",
    fix="Nothing to do, unless findings seem to be missing: then get the log as the server wrote it.",
)
def undecodable_bytes(context: Context) -> Outcome:
    """Reports one finding per input."""
    bad = context.found.sources.filter(pl.col("undecodable") > 0).with_columns(pl.lit(1).alias("line"))
    rows = make_findings(
        bad,
        lambda: Texts(
            message=pl.format("{} bytes are not valid {} and were replaced.", "undecodable", "encoding"),
            observed=pl.format("{} bytes", "undecodable"),
            expected=pl.lit("0 bytes"),
        ),
    )
    return make_outcome(rows)


@rule(
    "LOG003",
    "no-progress-bars",
    "info",
    cause="no progress bars in the log",
    summary="The log has no progress bars: windows and steps cannot be checked.",
    why="Container logs and service managers often drop lines that end in a carriage return.",
    example="Sampling 153 frames in 3 windows, at 1280x720 with 4 steps\n"
    "Allocated memory: memory=0.205 GB\n"
    "Max allocated memory: max_memory=15.000 GB\n"
    "Max reserved memory: max_reserved=16.000 GB",
    fix="Redirect the server's stderr, which has the progress bars, to a file.",
)
def no_progress_bars(context: Context) -> Outcome:
    """Finds windowed runs without a progress bar; other lines may still show the ranges of their windows."""
    drawn = context.found.windows.filter(pl.col("steps_done").is_not_null())["run_id"].unique()
    barless = pl.col("observed_windows").is_null() & ~_IS_UNSEEN
    lines = (pl.col("observed_windows") > 0) & ~pl.col("run_id").is_in(drawn.implode())
    runs = windowed_runs(context).filter(barless | lines.fill_null(value=False))
    rows = make_findings(
        runs,
        lambda: Texts(
            message=pl.when(pl.col("observed_windows").is_null())
            .then(pl.lit("The log has no progress bars: windows, ranges and times are not checked."))
            .otherwise(
                pl.lit("The log has no progress bars: ranges come from other lines, and times are not checked.")
            ),
            observed=pl.lit("0 bars"),
            expected=pl.format("{} windows", pl.col("expected_windows").cast(pl.String).fill_null("some")),
        ),
    )
    return make_outcome(rows)


@rule(
    "LOG004",
    "unseen-sampling",
    "warning",
    strict="error",
    cause="sampling not recognized",
    summary="The log shows a run's mode, but no known header or window lines.",
    why="Upstream may have changed both messages. Their values are then not checked.",
    example="Multitalk mode: infinitetalk\nRendering 427 frames in 6 windows, at 1280x720 with 4 steps\n"
    "Padding length: 17",
    fix="Read the lines between this one and the memory report, then add the new forms to patterns/ or report them.",
)
def unseen_sampling(context: Context) -> Outcome:
    """Finds windowed runs without a header and without bars."""
    rows = make_findings(
        windowed_runs(context).filter(pl.col("observed_windows").is_null() & _IS_UNSEEN),
        lambda: Texts(
            message=pl.lit("The log has no known header and no known window lines for this run."),
            observed=pl.format("mode {}", pl.col("mode").fill_null("?")),
            expected=pl.lit("a header, and a progress bar for each window"),
        ),
    )
    return make_outcome(rows)
