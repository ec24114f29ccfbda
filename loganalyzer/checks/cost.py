"""CST: was the run as cheap as it should be?"""

from __future__ import annotations

import polars as pl

from loganalyzer.checks import native
from loganalyzer.checks.findings import Need, findings, judged, number, outcome, skipped, texts, worded
from loganalyzer.checks.registry import Context, Outcome, rule


@rule(
    "CST001",
    "cost-above-baseline",
    "warning",
    cause="cost above baseline: {observed}",
    under=("TIM005", "TIM002", "TIM001"),
    summary="The prompt cost more than its baseline.",
    why="GPUs are rented by the second; a dearer video is a slower one, or one with more set-up around it.",
    example="a six-window Q6_K video for $0.11 where $0.062 are usual",
    fix="See the timing findings; keep the server warm between prompts.",
)
def cost_above_baseline(context: Context) -> Outcome:
    """Prompt time times the configured price, against the quantization's figure scaled to the windows run."""
    price = context.settings.price_per_hour
    runs = context.found.runs
    if price is None:
        return outcome(None, skipped(runs, "price_per_hour is not configured", "configuration"))
    shelf = context.baselines.cost.select("quantization", "usd", pl.col("windows").alias("usual_windows"), "tolerance")
    priced, barred = judged(
        runs.join(shelf, on="quantization", how="left", maintain_order="left").with_columns(
            (pl.col("prompt_s") / 3600 * price).alias("cost"),
            (pl.col("usd") * pl.col("observed_windows") / pl.col("usual_windows")).alias("usual"),
        ),
        Need(pl.col("window_frames").is_not_null(), "cost baselines are for windowed runs only", "not-applicable"),
        Need(native.is_wrapper(), "cost baselines were measured on the wrapper's runs", "not-applicable"),
        Need(pl.col("quantization").is_not_null(), "no quantization is known: declare it (--quantization)"),
        Need(pl.col("usd").is_not_null(), lambda: worded("no cost baseline for {}", "quantization"), "configuration"),
        Need(pl.col("observed_windows").is_not_null(), "the log holds no progress bars to count windows by"),
        Need(pl.col("cost").is_not_null(), "the log does not tell the prompt's time"),
    )
    dear = priced.filter(pl.col("cost") > pl.col("usual") * (1 + pl.col("tolerance")))
    rows = findings(
        dear,
        lambda: texts(
            message=pl.format(
                "The prompt cost ${} for {} windows; ${} are usual for {}.",
                number("cost", 3), "observed_windows", number("usual", 3), "quantization",
            ),
            observed=pl.format("${}", number("cost", 3)),
            expected=pl.format("${} at most", number(pl.col("usual") * (1 + pl.col("tolerance")), 3)),
            fix=pl.lit("See the timing findings beside this one; keep the server warm between prompts."),
        ),
    )  # fmt: skip
    return outcome(rows, barred)
