"""CST: checks the cost of runs."""

from __future__ import annotations

import polars as pl

from loganalyzer.checks import native
from loganalyzer.checks.findings import (
    Need,
    Texts,
    format_number,
    format_or_unknown,
    make_findings,
    make_outcome,
    skip,
    split_by_needs,
)
from loganalyzer.checks.registry import Context, Outcome, rule


@rule(
    "CST001",
    "cost-above-baseline",
    "warning",
    cause="cost above baseline: {observed}",
    under=("TIM005", "TIM002", "TIM001"),
    summary="The prompt cost more than its baseline.",
    why="Rented GPUs are billed by time. A video that costs more took longer, or had more setup around it.",
    example="Prompt executed in 300.00 seconds\n# five windows of Q6_K at $2 per hour cost $0.167; normal: $0.052",
    fix="See the run's timing findings, and keep the server warm between prompts.",
)
def cost_above_baseline(context: Context) -> Outcome:
    """Compares prompt time × configured price with the quantization's baseline, scaled to the windows that ran."""
    price = context.settings.price_per_hour
    runs = context.found.runs
    if price is None:
        return make_outcome(None, skip(runs, "price_per_hour is not configured", "configuration"))
    baselines = context.baselines.cost.select(
        "quantization", "usd", pl.col("windows").alias("usual_windows"), "tolerance"
    )
    priced, unchecked = split_by_needs(
        runs.join(baselines, on="quantization", how="left", maintain_order="left").with_columns(
            (pl.col("prompt_s") / 3600 * price).alias("cost"),
            (pl.col("usd") * pl.col("observed_windows") / pl.col("usual_windows")).alias("usual"),
        ),
        Need(pl.col("window_frames").is_not_null(), "cost baselines apply to windowed runs only", "not-applicable"),
        Need(native.is_wrapper(), "cost baselines apply to runs of the wrapper only", "not-applicable"),
        Need(pl.col("quantization").is_not_null(), "the quantization is unknown: declare it (--quantization)"),
        Need(
            pl.col("usd").is_not_null(),
            lambda: format_or_unknown("no cost baseline for {}", "quantization"),
            "configuration",
        ),
        Need(pl.col("observed_windows").is_not_null(), "the log has no progress bars to count windows"),
        Need(pl.col("cost").is_not_null(), "the prompt's time is not in the log"),
    )
    dear = priced.filter(pl.col("cost") > pl.col("usual") * (1 + pl.col("tolerance")))
    rows = make_findings(
        dear,
        lambda: Texts(
            message=pl.format(
                "The prompt cost ${} for {} windows; normal for {}: ${}.",
                format_number("cost", 3), "observed_windows", "quantization", format_number("usual", 3),
            ),
            observed=pl.format("${}", format_number("cost", 3)),
            expected=pl.format("${} at most", format_number(pl.col("usual") * (1 + pl.col("tolerance")), 3)),
        ),
    )  # fmt: skip
    return make_outcome(rows, unchecked)
